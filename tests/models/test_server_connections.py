"""The short exchange over a kept connection sends and reads what a session does."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import aiohttp
import pytest

from judge_server.models.server_connections import KeptConnections

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
