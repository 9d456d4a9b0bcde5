"""The verdict cache: same judge, same question, same material. Only usable readings are remembered."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from judge_server.core.criterion import Judged
from judge_server.core.verdict import Opinion
from judge_server.judging.answer import Reading
from judge_server.judging.judge_input import JudgeInput
from judge_server.models.reserved import RESERVED_DIGEST
from judge_server.util.log_throttle import LogThrottle
from judge_server.util.lru import BoundedCache

_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class Memory(Protocol):
    """Where readings outlive the process: the store."""

    async def recall(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...

    async def remember(self, entries: Mapping[str, Mapping[str, Any]]) -> None: ...


def cache_key(fingerprint: str, criterion: Judged, material: JudgeInput) -> str:
    """What determines a reading, as 64 hexadecimal digits."""
    content = f"{fingerprint}\n{RESERVED_DIGEST}\n{criterion.question_digest}\n{material.digest}"
    return hashlib.sha256(content.encode()).hexdigest()


class VerdictCache:
    """The most recent readings in the process, the rest in the memory behind it.

    A memory that fails, or takes longer than the ``seconds`` it is given, costs a model call, never a verdict: the
    cause is logged and judging goes on. ``size``: readings kept in the process.
    """

    def __init__(self, memory: Memory | None = None, size: int = 100_000) -> None:
        self._memory = memory
        self._recent: BoundedCache[str, Reading] = BoundedCache(size)
        self._throttle = LogThrottle()

    def __len__(self) -> int:
        return len(self._recent)

    async def recall(self, keys: Sequence[str], seconds: float | None = None) -> dict[str, Reading]:
        """The known readings among ``keys``."""
        found: dict[str, Reading] = {}
        unknown: list[str] = []
        for key in keys:
            reading = self._recent.get(key)
            if reading is None:
                unknown.append(key)
            else:
                found[key] = reading
        if unknown and self._memory is not None and seconds != 0:
            recalled = await self._tolerated(self._memory.recall(unknown), seconds, "read")
            for key, content in (recalled or {}).items():
                try:
                    found[key] = reading_of(content)
                except (KeyError, TypeError, ValueError):
                    _LOG.warning("the remembered verdict %s cannot be read", key)
                else:
                    self._recent.put(key, found[key])
        return found

    async def remember(self, readings: Mapping[str, Reading], seconds: float | None = None) -> None:
        """Keep ``readings``; with 0 seconds without waiting until they are written."""
        for key, reading in readings.items():
            self._recent.put(key, reading)
        if readings and self._memory is not None:
            entries = {key: content_of(reading) for key, reading in readings.items()}
            await self._tolerated(self._memory.remember(entries), seconds, "written")

    async def _tolerated(self, work: Awaitable[T], seconds: float | None, done: str) -> T | None:
        """The result of ``work``, or None if it fails or takes too long."""
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            return None
        except Exception as fault:  # noqa: BLE001 - the cache saves work, it is not part of the truth
            more = self._throttle.of(done)
            if more is not None:
                _LOG.warning("verdicts could not be %s: %s%s", done, fault, more)
            return None


def content_of(reading: Reading) -> dict[str, Any]:
    """A reading as a JSON object."""
    content: dict[str, Any] = {"value": reading.value, "shares": reading.shares}
    if reading.reason is not None:
        content["reason"] = reading.reason
    if reading.label_mass is not None:
        content["label_mass"] = reading.label_mass
    if reading.panel:
        content["panel"] = [opinion.model_dump(mode="json", exclude_defaults=True) for opinion in reading.panel]
    return content


def reading_of(content: Mapping[str, Any]) -> Reading:
    """The reading that ``content_of`` wrote."""
    return Reading(
        value=content["value"],
        shares=tuple(content["shares"]),
        reason=content.get("reason"),
        label_mass=content.get("label_mass"),
        panel=tuple(Opinion.model_validate(opinion) for opinion in content.get("panel", ())),
    )
