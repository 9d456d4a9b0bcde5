"""What the workers of one server ask each other, over Unix sockets in a folder that only they may read.

A message is a pickled object behind its length in eight bytes. A worker that stops, or a caller that leaves, ends the
exchange: the other side's work is cancelled.
"""

import asyncio
import pickle
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from judge_server.core.errors import JudgeServerError, Overloaded
from judge_server.server.processes.place import WorkerPlace
from judge_server.server.processes.sharing import Answer
from judge_server.util.time_limit import within

_LENGTH: Final = 8
_AGAIN_SECONDS: Final = 0.05


class Peers:
    """``answers``: how this worker answers each kind of question. Questions to itself are answered at once."""

    def __init__(self, place: WorkerPlace) -> None:
        self.place = place
        self.answers: dict[str, Answer] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        path = self.place.socket_of(self.place.number)
        path.unlink(missing_ok=True)  # of a worker that was killed
        self._server = await asyncio.start_unix_server(self._serve, path)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self.place.socket_of(self.place.number).unlink(missing_ok=True)

    async def ask(self, number: int, kind: str, question: Any, *, patience_seconds: float = 5.0) -> Any:
        """The answer of a worker, which may have to be started first. Raises what it raised, and Overloaded if it does
        not listen in time or stops."""
        if number == self.place.number:
            return await self.answers[kind](question)
        reader, writer = await self._connected(number, patience_seconds)
        try:
            await _send(writer, (kind, question))
            raised, answer = await _receive(reader)
        except (OSError, EOFError, asyncio.IncompleteReadError):
            raise Overloaded(
                f"Worker {number} stopped before it answered.", remedy="Send it again.", retry_after_seconds=1.0
            ) from None
        finally:
            writer.close()
        if raised:
            raise answer
        return answer

    async def listens(self, number: int) -> bool:
        """Whether that worker's process is there, busy or not."""
        try:
            _, writer = await asyncio.open_unix_connection(self.place.socket_of(number))
        except OSError:
            return False
        writer.close()
        return True

    async def ask_others(self, kind: str, question: Any, seconds: float) -> Mapping[int, Any]:
        """The answers of the other workers that give one in time, by their number."""

        async def one(number: int) -> tuple[int, Any] | None:
            try:
                with within(seconds):
                    return number, await self.ask(number, kind, question, patience_seconds=0.0)
            except (TimeoutError, JudgeServerError):
                return None

        found = await asyncio.gather(*(one(number) for number in self.place.others))
        return dict(pair for pair in found if pair is not None)

    async def _connected(self, number: int, seconds: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        give_up = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                return await asyncio.open_unix_connection(self.place.socket_of(number))
            except OSError:
                if asyncio.get_running_loop().time() >= give_up:
                    raise Overloaded(
                        f"Worker {number} of the server does not listen yet.",
                        remedy="Send it again.",
                        retry_after_seconds=1.0,
                    ) from None
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, asyncio.IncompleteReadError):
            kind, question = await _receive(reader)
            answering = asyncio.ensure_future(self._answered(kind, question))
            leaving = asyncio.ensure_future(reader.read())
            try:
                await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
                if answering.done():
                    await _send(writer, answering.result())
            finally:
                answering.cancel()
                leaving.cancel()
        writer.close()

    async def _answered(self, kind: str, question: Any) -> tuple[bool, Any]:
        """Whether something was raised, and the answer or what was raised."""
        try:
            return False, await self.answers[kind](question)
        except JudgeServerError as fault:
            return True, fault


async def _send(writer: asyncio.StreamWriter, message: Any) -> None:
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    writer.write(len(content).to_bytes(_LENGTH, "big") + content)
    await writer.drain()


async def _receive(reader: asyncio.StreamReader) -> Any:
    length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
    return pickle.loads(await reader.readexactly(length))  # noqa: S301 - only our own processes can write there
