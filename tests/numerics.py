"""How the engine computes in a run of its tests, so that no test's outcome hangs on one processor's numbers."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Numerics:
    """``tolerance``: by how much a probability may differ between two ways of computing it, alone or in a batch.
    ``perturbation``: the largest change made to each of the tiny checkpoint's weights."""

    dtype: str = "float32"
    perturbation: float = 0.0

    @property
    def tolerance(self) -> float:
        return {"float32": 1e-5, "bfloat16": 0.1}[self.dtype]


def perturb(checkpoint: Path, size: float) -> None:
    """Move every weight by a random number between ``-size`` and ``size``: much more than processors disagree about."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    chance = np.random.default_rng()
    file = checkpoint / "model.safetensors"
    moved = {
        name: weight + chance.uniform(-size, size, weight.shape).astype(weight.dtype)
        for name, weight in load_file(file).items()
    }
    save_file(moved, file, metadata={"format": "pt"})
