"""Request lines and headers that never end, or never come, over a real socket."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from judge_server.server.middleware.bounded_head import BoundedHead


class Impatient(BoundedHead):
    patience_seconds = 0.5


async def echo(scope, receive, send) -> None:
    """Answers the size of the body, once it is whole."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
    await send({"type": "http.response.body", "body": b"%8d" % size})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(echo, port=0, http=Impatient, ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def connection(port) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as open_connection:
        yield open_connection


def heard(connection: socket.socket) -> bytes:
    """Everything until the server hangs up."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def sent_in_parts(connection: socket.socket, part: bytes, most: int) -> None:
    """As much of it as the server takes."""
    try:
        for _ in range(most):
            connection.sendall(part)
    except (BrokenPipeError, ConnectionResetError):
        return


@pytest.mark.parametrize(
    "beginning",
    [b"GET /", b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: ", b"GET / HTTP/1.1\r\nHost: a\r\nX-Name-", b"POST /?"],
    ids=["path", "value", "name", "query"],
)
def test_a_head_without_end_is_answered_431(connection, beginning):
    connection.sendall(beginning)
    sent_in_parts(connection, b"a" * 8_192, 40)
    answer = heard(connection)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")


def test_many_headers_in_one_piece_are_too_many(connection):
    lines = b"".join(b"X-%d: a\r\n" % number for number in range(12_000))
    sent_in_parts(connection, b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n", 1)
    answer = heard(connection)
    assert b"200 OK" not in answer
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")


def test_a_large_but_bounded_head_is_read(connection):
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 60_000 + b"\r\nConnection: close\r\n\r\n")
    assert heard(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("beginning", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(connection, beginning):
    connection.sendall(beginning)
    begun = time.monotonic()
    assert heard(connection) == b""
    assert time.monotonic() - begun < 8


def test_a_second_request_may_come_late_and_its_head_is_waited_for_no_longer(connection):
    for _ in range(2):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(4_096).startswith(b"HTTP/1.1 200")
        time.sleep(1.0)
    connection.sendall(b"GET / HTTP/1.1\r\n")
    assert heard(connection) == b""


def test_a_body_is_not_counted_as_head(connection):
    connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n")
    for _ in range(3):
        connection.sendall(b"a" * 100_000)
        time.sleep(0.3)
    assert heard(connection).endswith(b"  300000")
