"""Carries out the Dockerfile's steps where no container engine runs.

    python -m deploy.prove_dockerfile slim               every step for real, then the image's command and health check
    python -m deploy.prove_dockerfile cuda --rehearse    gigabytes of CUDA packages are resolved, not installed

A fresh virtual environment stands for the base image and one folder for its file system; absolute paths in the
Dockerfile are moved under that folder. Steps that change the operating system (apt-get, useradd) are listed, not run.
What the final stage does not copy is deleted before the command starts, so nothing can lean on the build's leftovers.
The command runs on a read-only root, on which only the volume can be written to: as root by a mount, and otherwise the
files outside the volume are compared with what they were.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.dockerfile import Instruction, exec_form, last, lineage, read

REPOSITORY = Path(__file__).resolve().parent.parent
MOVED = re.compile(r"(?<![\w./])/(src|dist|opt/judge-server|var/lib/judge-server|usr/local/bin)(?![\w-])")
OF_THE_SYSTEM = ("apt-get", "useradd")
CACHE_MOUNT = re.compile(r"^(?:--mount=type=cache\S+ )+")  # a cache of downloads stays on this machine anyway
VOLUME = "var/lib/judge-server"
READ_ONLY = (
    """mount --bind "$0" "$0" && mount --bind "$0/$1" "$0/$1" && mount -o remount,bind,ro "$0" && shift && exec "$@\""""
)
PASSED_ON = re.compile(r"(PIP|UV|SSL)_\w+|\w+_proxy", re.IGNORECASE)
START_SECONDS = 150  # a first start without bytecode on a busy machine
STOP_SECONDS = 60


class Image:
    """One folder that stands for an image's file system, and the state that instructions carry along."""

    def __init__(self, root: Path, *, rehearse: bool) -> None:
        self.root = root
        self.rehearse = rehearse
        self.folder = root
        self.environment = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
        self.environment.setdefault("UV_CACHE_DIR", str(Path.home() / ".cache/uv"))  # downloads only
        self.environment |= {
            "HOME": str(root / "var/lib/judge-server"),
            "PATH": self.moved("/usr/local/bin:/usr/bin:/bin"),
        }
        (root / "var/lib/judge-server").mkdir(parents=True)
        subprocess.run([sys.executable, "-m", "venv", root / "usr/local"], check=True)

    def moved(self, text: str) -> str:
        """The text with the image's absolute paths moved under the folder."""
        return MOVED.sub(lambda match: f"{self.root}/{match[1]}", text)

    def carry_out(self, instruction: Instruction) -> None:
        """One instruction; what only describes the image (EXPOSE, USER, …) changes nothing here."""
        match instruction.keyword:
            case "WORKDIR":
                self.folder = Path(self.moved(instruction.value))
                self.folder.mkdir(parents=True, exist_ok=True)
            case "ENV":
                assignments = dict(part.split("=", 1) for part in self.moved(instruction.value).split())
                # uv's settings there make the image smaller and its start faster; here they would only cost time.
                self.environment |= {name: value for name, value in assignments.items() if not name.startswith("UV_")}
            case "COPY":
                self._copy(instruction.value.split())
            case "RUN":
                self._run(instruction)

    def _copy(self, words: list[str]) -> None:
        if words[0].startswith("--from="):
            if words[1] != words[2]:
                raise ValueError(f"COPY between stages must keep the path, or a virtual environment breaks: {words}")
            return
        *sources, target = words
        for source in sources:
            origin, destination = REPOSITORY / source, self.folder / target
            if origin.is_dir():
                shutil.copytree(origin, destination, ignore=shutil.ignore_patterns("__pycache__", "*.db"))
            else:
                shutil.copy2(origin, destination)

    def _run(self, instruction: Instruction) -> None:
        if instruction.value.startswith(OF_THE_SYSTEM):
            print(f"not run   {instruction.value}")
            return
        command = self.moved(CACHE_MOUNT.sub("", instruction.value))
        if self.rehearse and "--require-hashes" in command:
            command += " --dry-run --quiet"
        started = time.monotonic()
        subprocess.run(["sh", "-ec", command], cwd=self.folder, env=self.environment, check=True, capture_output=True)
        print(f"{time.monotonic() - started:5.1f} s   {instruction.value}")

    def keep_only(self, paths: list[str]) -> None:
        """Delete what the build left behind; `paths` are what the final stage copies."""
        kept = {self.root / path.lstrip("/") for path in [*paths, "/var/lib/judge-server", "/usr/local"]}
        for folder in [path for path in self.root.iterdir() if not any(keep.is_relative_to(path) for keep in kept)]:
            shutil.rmtree(folder)

    def command(self, words: list[str], port: int) -> list[str]:
        """An exec-form command on another port, its program looked up as the image would."""
        program = shutil.which(words[0], path=self.environment["PATH"])
        if program is None:
            raise FileNotFoundError(f"{words[0]} is not on the image's PATH {self.environment['PATH']}")
        return [program, *(word.replace("8000", str(port)) for word in words[1:])]

    def read_only(self, command: list[str]) -> list[str]:
        """The command on a read-only root, if this process may mount."""
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            return command
        return ["unshare", "--mount", "sh", "-c", READ_ONLY, str(self.root), VOLUME, *command]

    def outside_the_volume(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of every file that the command may not write."""
        files = (
            path for path in self.root.rglob("*") if path.is_file() and not path.is_relative_to(self.root / VOLUME)
        )
        return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in files}

    def run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        """A command that ends by itself, in the image's folder."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )


def prove(target: str, *, rehearse: bool) -> None:
    """Build the target in a temporary folder and run its command until its health check passes.

    Raises CalledProcessError for a failing step, TimeoutError for a command that does not get healthy or does not stop.
    """
    stages = read(REPOSITORY / "Dockerfile")
    final = lineage(stages, target)
    with tempfile.TemporaryDirectory(prefix="judge-server-image-") as folder:
        image = Image(Path(folder).resolve(), rehearse=rehearse)
        copies = [step.value.split() for step in final if step.keyword == "COPY"]
        for words in copies:
            for instruction in lineage(stages, words[0].removeprefix("--from=")):
                image.carry_out(instruction)
        image.keep_only([words[1] for words in copies])
        for instruction in final:
            image.carry_out(instruction)
        if not rehearse:
            run_until_healthy(image, final)


def run_until_healthy(image: Image, final: list[Instruction]) -> None:
    """Start the image's command with the embedded judge, wait for its health check, stop it by its signal. Before there
    is an API key in its volume, it has to refuse: everybody could reach it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = exec_form(last(final, "ENTRYPOINT")) + exec_form(last(final, "CMD")) + ["--model", "baseline"]
    check = image.command(exec_form(last(final, "HEALTHCHECK")), port)
    refused = image.run(image.command(words, port))
    if refused.returncode != 2 or "keys create" not in refused.stderr:
        raise RuntimeError(f"without an API key the image ended with {refused.returncode}: {refused.stderr}")
    image.run(
        image.command([*exec_form(last(final, "ENTRYPOINT")), "keys", "create", "proof"], port)
    ).check_returncode()
    untouched = image.outside_the_volume()
    command = image.read_only(image.command(words, port))
    started = time.monotonic()
    with subprocess.Popen(
        command, cwd=image.folder, env=image.environment | {"PYTHONDONTWRITEBYTECODE": "1"}
    ) as server:
        try:
            while subprocess.run(check, env=image.environment, capture_output=True, check=False).returncode:
                if server.poll() is not None or time.monotonic() - started > START_SECONDS:
                    raise TimeoutError(f"{' '.join(words)} did not get healthy (exit status {server.poll()})")
                time.sleep(0.2)
            print(f"{time.monotonic() - started:5.1f} s   healthy: {' '.join(words)}")
            server.send_signal(getattr(signal, last(final, "STOPSIGNAL")))
            status = server.wait(STOP_SECONDS)
        finally:
            server.kill()
    if status not in (0, -signal.SIGTERM):
        raise RuntimeError(f"the server ended with status {status} when it was told to stop")
    if image.outside_the_volume() != untouched:
        raise RuntimeError("the server wrote outside its volume")
    print(
        "root      read-only by a mount"
        if command[0] == "unshare"
        else "root      nothing outside the volume was written"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=["slim", "cuda"])
    parser.add_argument(
        "--rehearse", action="store_true", help="resolve and check the locked packages without installing them"
    )
    arguments = parser.parse_args()
    prove(arguments.target, rehearse=arguments.rehearse)
