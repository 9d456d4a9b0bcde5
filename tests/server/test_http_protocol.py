"""Heads, trailers, pipelines, bodies and unread responses without end, over a real socket."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import ClassVar

import pytest
import uvicorn

from judge_server.server.http_protocol import BoundedHttp, SmallReads
from tests.served import until
from tests.yardstick import PATIENCE_SECONDS


class Impatient(BoundedHttp):
    patience_seconds = 0.5


class Connections:
    """The headers of each request after its body was read."""

    heard: ClassVar[list[dict[bytes, bytes]]] = []
    waiting: ClassVar[int] = 0
    left: ClassVar[int] = 0  # clients that hung up while their request waited


async def echo(scope, receive, send) -> None:
    """Answers the size of the body, once it is whole; /large answers 64 MB, /early answers at once, and
    /wait never."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/early":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    if scope["path"] == "/wait":
        Connections.waiting += 1
        while (await receive())["type"] != "http.disconnect":
            pass
        Connections.waiting -= 1
        Connections.left += 1
        return
    if scope["path"] == "/large":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64000000")]})
        await send({"type": "http.response.body", "body": b"x" * 64_000_000})
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    Connections.heard.append(dict(scope["headers"]))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
    await send({"type": "http.response.body", "body": b"%8d" % size})


class ImpatientSmallReads(SmallReads):
    http = Impatient


@pytest.fixture(scope="module", params=[Impatient, ImpatientSmallReads])
def server(request) -> Iterator[uvicorn.Server]:
    config = uvicorn.Config(echo, port=0, http=request.param, ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server
    server.should_exit = True
    thread.join(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def port(server) -> int:
    return server.servers[0].sockets[0].getsockname()[1]


@pytest.fixture
def connection(port) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as open_connection:
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
    assert heard(connection) == b""


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


def send_often(connection: socket.socket, part: bytes, pause: float = 0.0) -> None:
    """32 MB of it, unless the server closes the connection."""
    for _ in range(4_000):
        connection.sendall(part)
        if pause:
            time.sleep(pause)


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_trailers_are_dropped_and_never_become_headers_of_this_or_the_next_request(connection):
    Connections.heard.clear()
    trailers = b"X-API-Key: stolen\r\nHost: b\r\nX-Request-Id: other\r\n"
    connection.sendall(CHUNKED + b"2\r\nab\r\n0\r\n" + trailers + b"\r\n")
    assert connection.recv(4_096).endswith(b"       2")
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert heard(connection).endswith(b"       0")
    first, second = Connections.heard
    assert first == {b"host": b"a", b"transfer-encoding": b"chunked"}
    assert second == {b"host": b"a", b"connection": b"close"}


@pytest.mark.parametrize(
    "part",
    [b"X-T: " + b"a" * 8_000 + b"\r\n", b"a" * 8_192],
    ids=["many trailers", "one endless trailer"],
)
@pytest.mark.parametrize("path", [b"/", b"/early"])
def test_trailers_without_end_close_the_connection(connection, path, part):
    beginning = CHUNKED.replace(b"/", path, 1) + b"0\r\n"
    connection.sendall(beginning if part.endswith(b"\n") else beginning + b"X-T: ")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        send_often(connection, part)


def test_a_chunk_extension_without_end_closes_the_connection(connection):
    connection.sendall(CHUNKED + b"2;")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        send_often(connection, b"a" * 8_192)


def test_small_chunks_are_a_body_however_many(connection):
    connection.sendall(CHUNKED.replace(b"Host: a", b"Host: a\r\nConnection: close"))
    for _ in range(40):
        connection.sendall(b"1\r\na\r\n" * 1_000)
    connection.sendall(b"0\r\n\r\n")
    assert heard(connection).endswith(b"   40000")


def test_only_so_many_requests_are_queued_on_a_connection(connection):
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1_000)
    assert heard(connection).count(b"200 OK") <= BoundedHttp.most_pipelined + 1


def test_a_few_pipelined_requests_are_answered_in_order(connection):
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
    connection.sendall(b"".join(post % (size, b"a" * size) for size in (1, 2, 3)))
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    answers = heard(connection).split(b"HTTP/1.1 200 OK")[1:]
    assert [int(answer[-8:]) for answer in answers] == [1, 2, 3, 0]


def test_a_client_that_pipelined_and_hung_up_leaves_nothing_running(port):
    """The first request waits for as long as its client stays."""
    left = Connections.left
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        until(lambda: Connections.waiting == 1)
    until(lambda: Connections.waiting == 0)
    assert Connections.left == left + 1


def test_a_pipelined_body_is_not_collected_behind_a_request_that_waits(port):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            send_often(client, b"a" * 8_192, pause=0.001)
    until(lambda: Connections.waiting == 0)


def test_a_client_that_goes_on_sending_after_its_response_is_cut_off(connection):
    connection.sendall(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000000\r\n\r\n")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        send_often(connection, b"a" * 8_192, pause=0.005)


def test_a_response_that_nobody_reads_is_given_up(connection, server):
    connection.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    until(lambda: len(server.server_state.connections) == 1)
    until(lambda: not server.server_state.connections)


def test_a_response_that_is_read_slowly_is_sent_whole(connection):
    connection.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    size = 0
    while part := connection.recv(400_000):
        size += len(part)
        time.sleep(0.01)
    assert size > 64_000_000


def test_what_is_not_http_is_answered_400_and_logged_once_a_minute(port, caplog):
    with caplog.at_level(logging.INFO, "judge_server"):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as one:
                one.sendall(b"\x16\x03\x01\x02\x00\r\n\r\n")
                assert heard(one).startswith(b"HTTP/1.1 400")
    assert sum("not valid HTTP" in record.message for record in caplog.records) <= 1


def test_an_upgrade_is_answered_as_plain_http_without_a_line_in_the_log(connection, caplog):
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert connection.recv(4_096).startswith(b"HTTP/1.1 200")
    assert not caplog.records


def _answers(connection: socket.socket, count: int) -> list[bytes]:
    """The bodies, of 8 bytes each, of so many answers."""
    read, bodies = connection.makefile("rb"), []
    for _ in range(count):
        assert read.readline().startswith(b"HTTP/1.1 200")
        while read.readline() != b"\r\n":
            pass
        bodies.append(read.read(8).strip())
    return bodies


@pytest.mark.parametrize(
    "body", [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"]
)
@pytest.mark.parametrize("pause", ["nowhere", "in the first body", "in the last body"])
def test_a_request_that_asks_for_an_upgrade_keeps_its_body_and_what_follows_is_answered(connection, body, pause):
    asked = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    none = asked + b"Content-Length: 0\r\n\r\n"
    sent = asked + body + none + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + asked + body
    place = {"nowhere": len(sent), "in the first body": len(asked + body) - 2, "in the last body": -2}[pause]
    connection.sendall(sent[:place])
    time.sleep(0.05)
    connection.sendall(sent[place:])
    assert _answers(connection, 4) == [b"5", b"0", b"0", b"5"]


def test_a_connection_that_asked_for_an_upgrade_is_not_kept_for_a_head_that_does_not_come(connection):
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert _answers(connection, 1) == [b"0"]
    connection.sendall(b"G")
    assert connection.recv(1) == b""


def test_what_follows_a_request_under_way_is_not_answered_in_its_place(connection):
    connection.sendall(CHUNKED + b"2\r\nab\r\n")
    time.sleep(0.1)
    connection.sendall(b"0\r\n\r\nnonsense\r\n\r\n")
    assert not heard(connection).startswith(b"HTTP/1.1 400")
