"""Many readers, one question: keys that were asked for while the last question ran go into the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from judge_server.core.errors import StoreUnavailable

Found = dict[str, dict[str, Any]]
_MOST_KEYS: Final = 2000


class GroupRecall:
    """``ask`` gets distinct keys and gives those that are known. One question runs at a time: one for hundreds of
    keys costs little more than one for ten."""

    def __init__(self, ask: Callable[[Sequence[str]], Awaitable[Found]]) -> None:
        self._ask = ask
        self._waiting: deque[tuple[Sequence[str], asyncio.Future[Mapping[str, dict[str, Any]]]]] = deque()
        self._asking: asyncio.Task[None] | None = None

    async def recall(self, keys: Sequence[str]) -> Found:
        """Those of ``keys`` that are known; raises what ``ask`` raised."""
        answer: asyncio.Future[Mapping[str, dict[str, Any]]] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_for_all(), name="store-group-recall")
        found = await answer
        return {key: found[key] for key in keys if key in found}

    async def _ask_for_all(self) -> None:
        while self._waiting:
            wanted: dict[str, None] = {}
            answers = []
            while self._waiting and len(wanted) < _MOST_KEYS:
                keys, answer = self._waiting.popleft()
                wanted.update(dict.fromkeys(keys))
                answers.append(answer)
            try:
                found = await self._ask(list(wanted))
            except Exception as fault:  # noqa: BLE001 nobody else would tell the waiters
                _fail(answers, fault)
            except BaseException:
                _fail(answers, StoreUnavailable("The store stopped before it answered."))
                raise
            else:
                for answer in answers:
                    if not answer.done():
                        answer.set_result(found)


def _fail(answers: Sequence["asyncio.Future[Mapping[str, dict[str, Any]]]"], fault: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(fault)
