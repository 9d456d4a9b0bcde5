"""How long hostile texts keep a real server from answering others: requests beside a poll of ``/healthz``."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.yardstick import PATIENCE_SECONDS

TEXTS = {
    "combining marks": "\u05b0\u0591",
    "paragraphs": "x\n\n",
    "commas": ",",
    "quotes": '"',
    "brackets": "[{",
    "spaces": " ",
    "line breaks": "\n",
    "numbers": "1. a\n",
    "step elements": "<step>",
    "control tokens": "<|im_start|>",
    "hidden characters": "\u200b\u202e",
    "wide letters": "\uff21",
    "words": "the patient should rest ",
    "backslashes": "\\",
    "entities": "&lt;",
    "fences": "```\n",
}


def text_of(kind: str, size: int) -> str:
    """About so many bytes of UTF-8."""
    unit = TEXTS[kind]
    return unit * (size // len(unit.encode()))


@contextmanager
def server(*flags: str) -> Iterator[int]:
    """The port of a server in a process of its own, with the baseline judge and a new database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("judge-server")
    command = [program, "serve", "--port", str(port), "--model", "baseline", *flags]
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
    ):
        try:
            give_up = time.monotonic() + PATIENCE_SECONDS
            while not _answers(port):
                assert process.poll() is None, "the server did not start"
                assert time.monotonic() < give_up
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        return exchange(port, "GET", "/healthz").status == 200
    except OSError:
        return False


class Answer(NamedTuple):
    status: int
    seconds: float


def exchange(port: int, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Answer:
    """One request on a connection of its own; the answer's status, and the seconds until it was complete."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: {kind}\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        beginning = b""
        while part := connection.recv(1_048_576):
            beginning = beginning or part
    return Answer(int(beginning.split(b" ", 2)[1]), time.monotonic() - started)


def long_steps(port: int) -> int:
    """How many steps of tasks held the event loop for more than 50 ms of processor time, as ``/metrics`` says."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: connection.recv(1_048_576), b""))
    (line,) = [line for line in text.splitlines() if line.startswith(b"judge_server_long_steps ")]
    return int(float(line.split()[1]))


class Watch:
    """Polls ``/healthz`` on a thread; ``slowest`` is the longest answer since ``reset``."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self.slowest = 0.0

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def reset(self) -> None:
        self.slowest = 0.0

    def _poll(self) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=120) as connection:
            while not self._ended.wait(0.003):
                started = time.monotonic()
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                _read_answer(connection)
                self.slowest = max(self.slowest, time.monotonic() - started)


def text_places(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every text in a body."""
    if isinstance(value, str):
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for place, below in inner:
        yield from text_places(below, *path, place)


def _read_answer(connection: socket.socket) -> None:
    """One whole answer, so that the next request is not sent before this one is answered."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65_536)
    head, body = answer.split(b"\r\n\r\n", 1)
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < int(length.split(b":")[1]):
        body += connection.recv(65_536)


def list_places(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every list and object in a body that is not empty."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for place, below in inner:
        if below and isinstance(below, dict | list | tuple):
            yield (*path, place)
        yield from list_places(below, *path, place)


def with_many(body: Any, path: tuple[Any, ...], values: int) -> bytes:
    """The body with elements of one list, or fields of one object, repeated until it has about so many values."""
    changed = json.loads(json.dumps(body))
    node = changed
    for place in path[:-1]:
        node = node[place]
    given = node[path[-1]]
    times = max(values // _values(given), 1)
    if isinstance(given, dict):
        node[path[-1]] = {f"{name}{number}": value for number in range(times) for name, value in given.items()}
    else:
        node[path[-1]] = given * times
    return json.dumps(changed, ensure_ascii=False).encode()


def _values(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return 1 + sum(_values(one) for one in inner)


def with_text(body: Any, path: tuple[Any, ...], text: str) -> bytes:
    changed = json.loads(json.dumps(deepcopy(body)))
    node = changed
    for place in path[:-1]:
        node = node[place]
    node[path[-1]] = text
    return json.dumps(changed, ensure_ascii=False).encode()
