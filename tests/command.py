"""The installed ``judge-server`` command as a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.yardstick import PATIENCE_SECONDS

PROGRAM = Path(sys.executable).with_name("judge-server")
_LISTENING = re.compile(r"running on (http://\S+)")


def judge_server(
    *arguments: object, stdin: str = "", cwd: Path | None = None, timeout: float = PATIENCE_SECONDS, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Runs a command to its end, in the shape of a pipe: nothing is a terminal."""
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        timeout=timeout,
        env=os.environ | environment,
        check=False,
    )


def start(*arguments: object, cwd: Path | None = None, **pipes: Any) -> "subprocess.Popen[bytes]":
    """Starts a command and leaves it running, ready for Ctrl-C: background jobs inherit that it is ignored."""
    return subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - nothing else runs before exec
        **pipes,
    )


@dataclass
class Server:
    """``judge-server serve`` as a child process. ``log``: the lines of its standard error so far."""

    process: "subprocess.Popen[bytes]"
    log: list[str] = field(default_factory=list)
    address: str = ""

    def wait_until_it_listens(self, seconds: float) -> None:
        threading.Thread(target=self._follow, daemon=True).start()
        give_up = time.monotonic() + seconds
        while not self.address:
            assert self.process.poll() is None, "".join(self.log)
            assert time.monotonic() < give_up, "".join(self.log)
            time.sleep(0.02)

    def stop(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Ends it as an orchestrator would; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _follow(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self.log.append(line.decode())
                found = _LISTENING.search(self.log[-1])
                if found:
                    self.address = found[1]


@contextmanager
def serving(*flags: object, cwd: Path, seconds: float = PATIENCE_SECONDS) -> Iterator[tuple[httpx.Client, Server]]:
    """A client of ``judge-server serve`` with these flags, which is stopped at the end."""
    process = subprocess.Popen(
        [PROGRAM, "serve", "--port", "0", *map(str, flags)],
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    server = Server(process)
    try:
        server.wait_until_it_listens(seconds)
        with httpx.Client(base_url=server.address, timeout=PATIENCE_SECONDS) as client:
            yield client, server
    finally:
        server.stop()
