"""Readings that are known already: the most recent ones in the process, the others in the store.

A key says what was shown, then who was asked what; see ``cache_key``.
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from judge_server.core.criterion import Judged
from judge_server.core.erasure import NO_SOURCES, Sources
from judge_server.core.verdict import Opinion
from judge_server.judging.answer import Reading
from judge_server.judging.judge_input import JudgeInput
from judge_server.models.reserved import RESERVED_DIGEST
from judge_server.util.log_throttle import LogThrottle
from judge_server.util.lru import BoundedCache

_LOG = logging.getLogger(__name__)
SHOWN_DIGITS = 32


class Memory(Protocol):
    """Persistent storage of readings: the store."""

    async def recall(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...

    def keep(self, entries: Mapping[str, Mapping[str, Any]], sources: Sources) -> "asyncio.Future[None]":
        """Queue ``entries`` to be written; the future says how it went."""


def cache_key(fingerprint: str, criterion: Judged, material: JudgeInput) -> str:
    """Everything that determines a reading, in 64 hexadecimal digits: what was shown, then who was asked what."""
    return material.digest[:SHOWN_DIGITS] + _asked_digits(fingerprint, criterion.question_digest)


@lru_cache(maxsize=8_192)  # the questions of a rubric are asked about every response
def _asked_digits(fingerprint: str, question: str) -> str:
    asked = f"{fingerprint}\n{RESERVED_DIGEST}\n{question}"
    return hashlib.sha256(asked.encode()).hexdigest()[:-SHOWN_DIGITS]


class VerdictCache:
    """The most recent readings in the process, the rest in the memory behind it.

    If the memory fails or takes longer than ``seconds``, the cause is logged and the judge is asked. ``size``: readings
    kept in the process."""

    def __init__(self, memory: Memory | None = None, size: int = 100_000) -> None:
        self._memory = memory
        self._recent: BoundedCache[str, Reading] = BoundedCache(size)
        self._throttle = LogThrottle()

    def __len__(self) -> int:
        return len(self._recent)

    def contents(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The readings that are in this process, as JSON objects."""
        found = {key: self._recent.get(key) for key in keys}
        return {key: content_of(reading) for key, reading in found.items() if reading is not None}

    def forget(self, keys: Iterable[str]) -> None:
        """Drop all readings of what was shown under ``keys`` from the process; the owner of the memory erases that."""
        shown = {key[:SHOWN_DIGITS] for key in keys}
        for key in [one for one in self._recent if one[:SHOWN_DIGITS] in shown]:
            self._recent.discard(key)

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
        if unknown:
            for key, content in (await self._recalled(unknown, seconds)).items():
                try:
                    found[key] = reading_of(content)
                except (KeyError, TypeError, ValueError):
                    _LOG.warning("the remembered verdict %s cannot be read", key)
                else:
                    self._recent.put(key, found[key])
        return found

    def remember(self, readings: Mapping[str, Reading], sources: Sources = NO_SOURCES) -> None:
        """Keep ``readings``. Nobody waits until they are written: the judgment that is saved after them goes into the
        same commit or a later one."""
        for key, reading in readings.items():
            self._recent.put(key, reading)
        if readings and self._memory is not None:
            entries = {key: content_of(reading) for key, reading in readings.items()}
            try:
                self._memory.keep(entries, sources).add_done_callback(self._written)
            except Exception as fault:  # noqa: BLE001 - a cache that fails costs work, not correctness
                self._failed("written", fault)

    def _written(self, done: "asyncio.Future[None]") -> None:
        fault = None if done.cancelled() else done.exception()
        if fault is not None:
            self._failed("written", fault)

    async def _recalled(self, keys: Sequence[str], seconds: float | None) -> Mapping[str, Mapping[str, Any]]:
        """What the memory knows; nothing if it fails or takes too long."""
        if self._memory is None or seconds == 0:
            return {}
        try:
            async with asyncio.timeout(seconds):
                return await self._memory.recall(keys)
        except TimeoutError:
            return {}
        except Exception as fault:  # noqa: BLE001 - a cache that fails costs work, not correctness
            self._failed("read", fault)
            return {}

    def _failed(self, done: str, fault: BaseException) -> None:
        more = self._throttle.of(done)
        if more is not None:
            _LOG.warning("verdicts could not be %s: %s%s", done, fault, more)


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
