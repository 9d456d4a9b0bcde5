"""The application behind a real HTTP server on the loopback, in a thread of the test's own process."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from judge_server.core.judge import JudgeSpecification
from judge_server.server.app import create_app
from judge_server.settings.settings import Settings
from tests.stub_judge import Behaviour, StubJudge
from tests.yardstick import PATIENCE_SECONDS


def settings_of(
    model: str = "baseline", *, database: str = "sqlite://", judge: Any = None, **settings: Any
) -> Settings:
    """Settings with one judge named ``default``; ``judge``: more fields of it."""
    specification = JudgeSpecification(name="default", model=model, **(judge or {}))
    quiet = {"canary": "off", "database_url": database, "log_level": "error", "reask": 0.0}
    return Settings(judges={"default": specification}, **(quiet | settings))


@contextmanager
def served(settings: Settings) -> Iterator[httpx.Client]:
    """A client of a server with these settings, which ends with the block."""
    config = uvicorn.Config(
        create_app(settings), host="127.0.0.1", port=0, lifespan="on", log_level="error", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < give_up
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


@contextmanager
def judged_by(behave: Behaviour, **settings: Any) -> Iterator[tuple[httpx.Client, StubJudge]]:
    """A server whose judge behaves so and is asked no second time after a fault of transport."""
    with StubJudge(behave) as judge:
        specified = settings_of(judge.specification, judge={"engine": {"transport_attempts": 1}}, **settings)
        with served(specified) as client:
            yield client, judge


class HangsUp:
    """A caller on a bare socket, so that nothing but its closing tells the server that it left."""

    def __init__(self, client: httpx.Client, path: str, body: Any) -> None:
        content = client.build_request("POST", path, json=body).read()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._socket = socket.create_connection((client.base_url.host, client.base_url.port))
        self._socket.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)

    def leave(self) -> None:
        self._socket.close()


def until(condition: Any, seconds: float = PATIENCE_SECONDS) -> None:
    """Waits for a condition; fails if it does not come true in time."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "this did not happen in time"
        time.sleep(0.01)
