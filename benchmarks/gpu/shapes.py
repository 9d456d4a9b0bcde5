"""Checkpoints without weights: the shape of a real model, and the tokenizer of ``examples/tiny_checkpoint.py``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.tiny_checkpoint import build

_QWEN3_VOCABULARY = 151_936


@dataclass(frozen=True)
class Shape:
    """What the published config.json of a dense Qwen3 says. ``inner``: width of the feed-forward layers."""

    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int = _QWEN3_VOCABULARY
    head: int = 128
    tied: bool = False

    @property
    def config(self) -> dict[str, Any]:
        return {
            "hidden_size": self.hidden,
            "intermediate_size": self.inner,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head,
            "vocab_size": self.vocabulary,
            "tie_word_embeddings": self.tied,
            "dtype": "bfloat16",
        }


SHAPES = {
    "Qwen3-0.6B": Shape(1_024, 3_072, 28, 16, 8, tied=True),
    "Qwen3-4B": Shape(2_560, 9_728, 36, 32, 8, tied=True),
    "Qwen3-8B": Shape(4_096, 12_288, 36, 32, 8),
    "Qwen3-14B": Shape(5_120, 17_408, 40, 40, 8),
    "Qwen3-32B": Shape(5_120, 25_600, 64, 64, 8),
    "small": Shape(256, 512, 4, 8, 4, vocabulary=2_048, head=32),
}
"""``small`` is for the engine of processors."""


def checkpoint(name: str, folder: Path) -> Path:
    """A folder that vLLM loads with ``load_format=dummy``: configuration, tokenizer and template, no weights."""
    build(folder)
    (folder / "model.safetensors").unlink()
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | SHAPES[name].config, indent=2), "utf-8")
    return folder
