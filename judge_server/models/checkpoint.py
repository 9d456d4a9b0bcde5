"""The digest that pins the weights of a checkpoint in a local directory."""

import hashlib
from pathlib import Path

_READ_WHOLE = (".json", ".jinja", ".model", ".txt")
_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt", ".pth")
_SAMPLES, _SAMPLE_BYTES = 16, 65_536


def checkpoint_digest(directory: Path) -> str:
    """SHA-256 over configuration and tokenizer files, and over each weight file's name, size and 16 samples of 64 KiB
    spread over it: a retrained checkpoint of the same shape has another digest, and 100 GB take well under a second."""
    hashed = hashlib.sha256()
    for path in sorted(path for path in directory.iterdir() if path.is_file()):
        weights = path.suffix in _WEIGHTS
        if weights or path.suffix in _READ_WHOLE:
            size = path.stat().st_size
            hashed.update(f"{path.name}\0{size}\0".encode())
            hashed.update(_sampled(path, size) if weights else path.read_bytes())
    return f"sha256:{hashed.hexdigest()}"


def _sampled(path: Path, size: int) -> bytes:
    if size <= _SAMPLES * _SAMPLE_BYTES:
        return path.read_bytes()
    pieces = []
    with path.open("rb") as file:
        for sample in range(_SAMPLES):
            file.seek((size - _SAMPLE_BYTES) * sample // (_SAMPLES - 1))
            pieces.append(file.read(_SAMPLE_BYTES))
    return b"".join(pieces)
