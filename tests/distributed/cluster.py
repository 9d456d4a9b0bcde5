"""``judge-server serve --on ray`` as a real command with a real cluster of this machine, and its processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 420
"""A cluster and its replicas import everything anew, ten processes on a busy machine."""


@dataclass
class Serving:
    """``process``: the command, whose descendants are the cluster."""

    process: "subprocess.Popen[bytes]"
    address: str
    log: Path

    def replicas(self, deployment: str) -> list[int]:
        """The processes of a deployment's replicas."""
        wanted = f"ray::ServeReplica:judge-server:{deployment}"
        return [pid for pid, command in descendants(self.process.pid) if command.startswith(wanted)]

    def kill(self, pid: int) -> None:
        """One process of this cluster."""
        assert pid in [one for one, _ in descendants(self.process.pid)]
        os.kill(pid, signal.SIGKILL)


def descendants(root: int) -> list[tuple[int, str]]:
    """Processes under ``root`` with their command lines."""
    parents, commands = {}, {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            status = (folder / "stat").read_text()
            commands[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        parents[int(folder.name)] = int(status.rpartition(")")[2].split()[1])
    found = []
    for pid, command in commands.items():
        above = pid
        while above in parents and above != root:
            above = parents[above]
        if above == root and pid != root:
            found.append((pid, command))
    return found


@contextmanager
def serving(folder: Path, configuration: str) -> Iterator[Serving]:
    """The command with these settings, ready. Ends it with SIGTERM, and asserts that it ends well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "judge-server.toml").write_text(configuration)
    log = folder / "serve.log"
    command = [Path(sys.executable).with_name("judge-server"), "serve", "--on", "ray"]
    command += ["--config", folder / "judge-server.toml", "--port", str(port)]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=folder, stdout=sink, stderr=sink, start_new_session=True)
    made = Serving(process, f"http://127.0.0.1:{port}", log)
    try:
        _wait_until_ready(made)
        yield made
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(180)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert status == 0, log.read_text()[-4000:]


def _wait_until_ready(made: Serving) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        assert made.process.poll() is None, made.log.read_text()[-4000:]
        assert time.monotonic() < give_up, made.log.read_text()[-4000:]
        try:
            if httpx.get(f"{made.address}/readyz", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(1)
