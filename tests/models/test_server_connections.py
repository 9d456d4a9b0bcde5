"""The short exchange over a kept connection sends and reads what a session does."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import aiohttp
import pytest

from judge_server.models.server_connections import KeptConnections
from tests.yardstick import PATIENCE_SECONDS

_HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer key"}


@asynccontextmanager
async def _served(replies):
    """Answers with one of ``replies`` after the other; yields its address, the requests, and the connections made."""
    requests, seen = [], Counter()

    async def serve(reader, writer):
        seen["connections"] += 1
        while head := await reader.readuntil(b"\r\n\r\n"):
            size = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l")
            )
            requests.append((head, await reader.readexactly(size)))
            writer.write(replies[min(len(requests), len(replies)) - 1])
            await writer.drain()

    async def quietly(reader, writer):
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/systemone", requests, seen


@asynccontextmanager
async def _session():
    connections = KeptConnections()
    async with aiohttp.ClientSession(connector=connections, headers=_HEADERS) as session:
        yield session, connections


def _reply(body, head=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n%b" % (len(body), head, body)


async def _post_by_session(session, url, body=b"{}"):
    async with session.post(url, data=body) as response:
        return await response.read()


async def test_nothing_is_sent_without_a_kept_connection():
    async with _served([_reply(b"{}")]) as (url, requests, _), _session() as (session, connections):
        assert await connections.post(url, session.headers, b"{}", 60.0) is None
        assert not requests


async def test_the_request_has_the_head_of_a_session_and_goes_over_its_connection():
    async with _served([_reply(b"one"), _reply(b"two")]) as (url, requests, seen), _session() as (session, connections):
        assert await _post_by_session(session, url, b'{"a": 1}') == b"one"
        reply = await connections.post(url, session.headers, b'{"a": 1}', 60.0)
    assert (reply.status, reply.content, reply.kept) == (200, b"two", True)
    by_session, short = requests
    assert short[1] == by_session[1]
    fields = [{line.lower() for line in head.split(b"\r\n")} for head, _ in (by_session, short)]
    assert fields[1] <= fields[0]
    assert not {line.partition(b":")[0] for line in fields[0] - fields[1]} - {b"user-agent", b"accept-encoding"}
    assert seen["connections"] == 1


@pytest.mark.parametrize(
    ("reply", "content"),
    [
        (_reply(b"late", b"").replace(b"HTTP/1.1", b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1", 1), b"late"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (_reply(b"x" * 2_000_001), None),
    ],
    ids=["announced", "chunked", "too long"],
)
async def test_odd_but_valid_replies_are_read(reply, content):
    async with _served([_reply(b"first"), reply]) as (url, _, _), _session() as (session, connections):
        await _post_by_session(session, url)
        assert (await connections.post(url, session.headers, b"{}", 60.0)).content == content


@pytest.mark.parametrize("reply", [b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}", b"nonsense\r\n\r\n"])
async def test_what_is_no_http_is_a_fault_of_the_client(reply):
    async with _served([_reply(b"first"), reply]) as (url, _, _), _session() as (session, connections):
        await _post_by_session(session, url)
        with pytest.raises(aiohttp.ClientError):
            await connections.post(url, session.headers, b"{}", 60.0)


async def test_a_connection_that_timed_out_is_not_used_again():
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
    async with _served([_reply(b"first"), half, _reply(b"third")]) as (url, _, seen), _session() as (session, own):
        await _post_by_session(session, url)
        with pytest.raises(TimeoutError):
            await own.post(url, session.headers, b"{}", 0.05)
        assert await own.post(url, session.headers, b"{}", 60.0) is None
        assert await _post_by_session(session, url) == b"third"
        assert seen["connections"] == 2


@pytest.mark.parametrize("path", ["/a?b=c", "/a b", "/../a", "/\u00e4"])
async def test_an_address_that_needs_quoting_is_left_to_the_session(path):
    async with _served([_reply(b"first")]) as (url, requests, _), _session() as (session, connections):
        await _post_by_session(session, url)
        assert await connections.post(url.replace("/v1/systemone", path), session.headers, b"{}", 60.0) is None
        assert len(requests) == 1


@asynccontextmanager
async def _answering_twice(late):
    """Answers every request twice, with what was asked: at once, or the second time when ``late`` is set."""

    async def serve(reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"ength" in line)
                answer = _reply(await reader.readexactly(size))
                if late is None:
                    writer.write(answer * 2)
                else:
                    writer.write(answer)
                    await late.wait()
                    writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat/completions"


@pytest.mark.parametrize("late", [True, False], ids=["later", "at once"])
async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one(late, caplog):
    """It would be a false reward: a proxy that answers for a slow server, and then passes its answer on."""
    moment = asyncio.Event() if late else None
    async with _answering_twice(moment) as url, _session() as (session, connections):
        assert await _post_by_session(session, url, b"1") == b"1"
        if moment is not None:
            moment.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while connections.alive.total():  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.01)
            assert connections.breaks.total() == 2  # the first is that there was none before
            assert "nobody had asked" in caplog.text
        for body in (b"2", b"3"):
            assert await connections.post(url, session.headers, b"other", 60.0) is None
            assert await _post_by_session(session, url, body) == body


async def test_a_server_that_once_sent_what_nobody_asked_for_gets_no_second_request_on_a_connection():
    """If its second answer comes while the next request is under way, nothing tells that it is an old one."""
    moment = asyncio.Event()
    async with _answering_twice(moment) as url, _session() as (session, connections):
        assert await _post_by_session(session, url, b"1") == b"1"
        moment.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while connections.alive.total():  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        moment.clear()
        for body in (b"2", b"3"):
            assert await _post_by_session(session, url, body) == body
            assert await connections.post(url, session.headers, b"other", 60.0) is None


async def test_of_two_answers_to_the_second_request_of_a_connection_none_is_taken():
    """The first of them may be the late second answer to the first request."""
    async with (
        _served([_reply(b"first"), _reply(b"old") + _reply(b"new")]) as (url, _, _),
        _session() as (session, own),
    ):
        assert await _post_by_session(session, url) == b"first"
        with pytest.raises(aiohttp.ClientPayloadError):
            await own.post(url, session.headers, b"{}", 60.0)
        assert await own.post(url, session.headers, b"{}", 60.0) is None
        assert len(own.talkative) == 1
