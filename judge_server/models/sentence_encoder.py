"""A sentence encoder from a folder: mean-pooled vectors of a transformer of the BERT kind, such as all-MiniLM-L6-v2."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from judge_server.core.errors import BadConfiguration
from judge_server.core.extra import require

_BATCH: Final = 32
_TOKENS: Final = 256
_NAMED: Final = ("config.json", "tokenizer.json", "model.safetensors")


class SentenceEncoder:
    """Loads the model at once, on the processor. Raises BadConfiguration for a folder without one, MissingDependency
    without transformers and torch."""

    def __init__(self, folder: Path) -> None:
        missing = [name for name in _NAMED if not (folder / name).is_file()]
        if missing:
            raise BadConfiguration(
                f"encoder: {folder} has no {', '.join(missing)}.",
                remedy="Name the folder of a sentence encoder, such as all-MiniLM-L6-v2.",
            )
        require("vllm", "An encoder of texts", "transformers", "torch")
        from transformers import AutoModel, AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(str(folder), local_files_only=True).eval()
        hashed = hashlib.sha256()
        for name in _NAMED:
            with (folder / name).open("rb") as file:
                hashed.update(hashlib.file_digest(file, "sha256").digest())
        self.digest = f"sha256:{hashed.hexdigest()}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(texts, size), each row of length 1; of a long text the first 256 tokens count."""
        import torch

        found = []
        for start in range(0, len(texts), _BATCH):
            some = list(texts[start : start + _BATCH])
            given = self._tokenizer(some, padding=True, truncation=True, max_length=_TOKENS, return_tensors="pt")
            with torch.inference_mode():
                states = self._model(**given).last_hidden_state
                mask = given["attention_mask"].unsqueeze(-1)
                mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
                found.append(torch.nn.functional.normalize(mean).numpy())
        return np.concatenate(found) if found else np.zeros((0, 0), dtype=np.float32)
