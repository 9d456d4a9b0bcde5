"""What a perfect server would be to a hostile client: it takes what is sent, forgets it, and answers.

    python -m tests.end_to_end.sink [--answer-seconds 0.2]

prints its address as soon as it listens. A request is answered after ``--answer-seconds``, so that a client that waits
for answers sends as much as the server let it send that it attacked before. A body of unknown length is never answered,
and its connection is closed once it is longer than a request's head may be.
"""

import argparse
import asyncio
import sys
from typing import Any

import uvloop

_BODY = b'{"id": "job_000000000000000000000000"}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
_MOST_BYTES = 65_536


class Sink(asyncio.BufferedProtocol):
    """One connection. Bodies are not kept; all connections are read into one buffer."""

    _buffer = bytearray(262_144)

    def __init__(self, answer_seconds: float) -> None:
        self._answer_seconds = answer_seconds
        self._head = b""
        self._left = 0  # bytes of the body under way
        self._endless = False
        self._read = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._read += nbytes
        if self._endless:
            if self._read > _MOST_BYTES:
                self._transport.close()
        elif nbytes < self._left:
            self._left -= nbytes
        else:
            self._begin(bytes(self._buffer[self._left : nbytes]))

    def _begin(self, data: bytes) -> None:
        """A body ended before ``data``, or a head goes on with it."""
        if self._left:
            self._answer()
            self._left = 0
        self._head += data
        while (end := self._head.find(b"\r\n\r\n")) >= 0:
            head, data = self._head[:end].lower(), self._head[end + 4 :]
            self._head = b""
            at = head.find(b"\r\ncontent-length:")
            if at < 0:
                self._endless = True
                return
            length = int(head[at + 17 :].split(b"\r\n", 1)[0])
            if len(data) < length:
                self._left = length - len(data)
                return
            self._answer()
            self._head = data[length:]

    def _answer(self) -> None:
        if self._answer_seconds:
            asyncio.get_running_loop().call_later(self._answer_seconds, self._write)
        else:
            self._write()

    def _write(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)


async def serve(answer_seconds: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Sink(answer_seconds), "127.0.0.1", 0, backlog=1_024)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="Forgets what is sent to it, and answers.")
    parser.add_argument("--answer-seconds", type=float, default=0.0)
    uvloop.run(serve(parser.parse_args().answer_seconds))


if __name__ == "__main__":
    main()
