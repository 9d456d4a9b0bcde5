"""Parts of requests are read in turns of the connections' holders."""

import asyncio
import time

import uvicorn
from uvicorn.server import ServerState

from judge_server.scheduling.processor_share import TimeShare
from judge_server.server.connections import Connections
from judge_server.server.http_protocol import SmallReads
from tests.server.test_http_protocol import echo
from tests.yardstick import PATIENCE_SECONDS


async def test_what_a_busy_caller_sends_is_read_in_its_turn():
    config = uvicorn.Config(echo, lifespan="off", log_level="critical")
    config.load()
    loop = asyncio.get_running_loop()
    shares, busy, modest = Connections.of(loop).shares, TimeShare("address 127.0.0.1"), TimeShare("modest")

    def open_one() -> SmallReads:
        return SmallReads(config=config, server_state=ServerState(), app_state={})

    async with await loop.create_server(open_one, "127.0.0.1", 0) as listening:
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        for number in range(20):
            now = time.perf_counter() + 0.05  # so that what arrives meanwhile is early on any machine
            for _ in range(50):
                shares.count(busy, now, now + 0.001)
            shares.count(modest, now, now)
            body = b"a" * (number * 10_000)
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
            assert head.startswith(b"HTTP/1.1 200")
            assert int(await reader.readexactly(8)) == len(body)
        writer.close()
    assert shares.turns > 0
