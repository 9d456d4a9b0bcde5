"""An environment of its own for each trainer, made once from its lock: trainers pin torch, and not the same one."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PINS = Path(__file__).parent / "environments"
PROGRAMS = Path(__file__).parent / "programs"
OVERRIDES = ROOT / "requirements" / "overrides.txt"
_TORCH = re.compile(r"^torch==([\w.]+)", re.MULTILINE)
_NAMED = re.compile(r"^# for python ([\d.]+)$", re.MULTILINE)
_OFFLINE = {
    "CUDA_VISIBLE_DEVICES": "",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "WANDB_MODE": "disabled",
}


class ProgramFailed(AssertionError):
    """A program in a trainer's environment ended with another status than the test expects."""


@dataclass(frozen=True)
class Environment:
    """``Environment("trl")``: a virtual environment with what ``environments/trl.lock`` pins, and judge-client."""

    name: str

    @property
    def folder(self) -> Path:
        return ROOT / ".trainers" / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def install(self) -> None:
        """Makes the environment, or does nothing where it stands as its pins say."""
        stamp = self.folder / "installed"
        self.folder.parent.mkdir(exist_ok=True)
        with (self.folder.parent / f"{self.name}.making").open("w") as making:
            fcntl.flock(making, fcntl.LOCK_EX)
            if stamp.exists() and stamp.read_text() == self._pins_digest():
                return
            _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(self.folder))
            _uv(*self._install("--override", str(OVERRIDES), *torch_source(), *self._torch()))
            alone = PINS / f"{self.name}.alone"
            if alone.exists():
                _uv(*self._install("--no-deps", *_as_named(alone), "--requirements", str(alone)))
            _uv(*self._install("--no-deps", "--editable", str(ROOT / "clients")))
            stamp.write_text(self._pins_digest())

    def run(
        self,
        program: str | Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        timeout: float = 300,
        expect: int | None = 0,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a Python file of ``programs/`` (or a path) here. ``expect``: its exit status; None takes any.

        Raises ProgramFailed with the end of what it wrote.
        """
        path = program if isinstance(program, Path) else PROGRAMS / program
        return self.command(
            str(self.python), str(path), *arguments, environment=environment, timeout=timeout, expect=expect, cwd=cwd
        )

    def command(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        timeout: float = 300,
        expect: int | None = 0,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command of this environment (``swift``, ``axolotl``, …), found in its own ``bin`` first."""
        self.install()
        around = self.around(environment or {})
        done = subprocess.run(
            [shutil.which(command[0], path=around["PATH"]) or command[0], *command[1:]],
            env=around,
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
        )
        if expect is not None and done.returncode != expect:
            raise ProgramFailed(f"exit status {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")
        return done

    def around(self, given: Mapping[str, str]) -> dict[str, str]:
        """The variables of a process in this environment."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUDGE_", "PYTHON"))}
        own = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "VIRTUAL_ENV": str(self.folder)}
        return inherited | _OFFLINE | own | dict(given)

    def _install(self, *arguments: str) -> list[str]:
        return ["pip", "install", "--quiet", "--python", str(self.python), *arguments]

    def _torch(self) -> list[str]:
        """The lock leaves torch out: its CPU build has another source than the rest."""
        wanted = _TORCH.search((PINS / f"{self.name}.in").read_text())
        lock = ["--requirements", str(PINS / f"{self.name}.lock")]
        return [*lock, f"torch=={wanted[1]}"] if wanted else lock

    def _pins_digest(self) -> str:
        files = [*sorted(PINS.glob(f"{self.name}.*")), ROOT / "clients" / "pyproject.toml"]
        parts = [sys.executable.encode(), *(path.read_bytes() for path in files)]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _as_named(requirements: Path) -> list[str]:
    """A file that says ``# for python 3.13.14`` names a package that asks for that, and runs on ours as well."""
    named = _NAMED.search(requirements.read_text())
    return ["--python-version", named[1]] if named else []


def torch_source() -> list[str]:
    """Where uv finds the CPU build of torch: the wheel folders that pip is told of, else PyTorch itself."""
    folders = [
        folder for folder in os.environ.get("PIP_FIND_LINKS", "").split() if any(Path(folder).glob("torch-*+cpu-*"))
    ]
    found = [part for folder in folders for part in ("--find-links", folder)]
    return found or ["--torch-backend", "cpu"]


def lock(name: str, *flags: str) -> None:
    """Resolves ``environments/NAME.in`` anew into ``NAME.lock``."""
    _uv(
        *("pip", "compile", "--quiet", "--python-version", "3.11", "--no-emit-package", "torch"),
        *("--custom-compile-command", f"make lock-trainers NAME={name}", "--override", str(OVERRIDES), *torch_source()),
        *flags,
        *("--output-file", str(PINS / f"{name}.lock"), str(PINS / f"{name}.in")),
    )


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run([uv, "--no-progress", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramFailed(f"uv {' '.join(arguments[:2])} failed:\n{done.stderr[-6000:]}")


if __name__ == "__main__":
    for given in sys.argv[1:]:
        lock(given)
