"""Verdicts already known: same judge, same question, same material. Only usable readings are remembered."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from judge_server.core.criterion import Judged
from judge_server.core.verdict import Opinion
from judge_server.judging.answer import Reading
from judge_server.judging.material import Material


class Memory(Protocol):
    """Where readings outlive the process: the store."""

    async def recall(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...

    async def remember(self, entries: Mapping[str, Mapping[str, Any]]) -> None: ...


def cache_key(fingerprint: str, criterion: Judged, material: Material) -> str:
    """What determines a reading, as 64 hexadecimal digits."""
    return hashlib.sha256(f"{fingerprint}\n{criterion.question_digest}\n{material.digest}".encode()).hexdigest()


class VerdictCache:
    """The most recent readings in the process, the rest in the memory behind it."""

    def __init__(self, memory: Memory | None = None, size: int = 100_000) -> None:
        self._memory = memory
        self._size = size
        self._recent: OrderedDict[str, Reading] = OrderedDict()

    async def recall(self, keys: Sequence[str]) -> dict[str, Reading]:
        """The known readings among ``keys``."""
        found = {key: self._recent[key] for key in keys if key in self._recent}
        unknown = [key for key in keys if key not in found]
        if unknown and self._memory is not None:
            for key, content in (await self._memory.recall(unknown)).items():
                found[key] = reading_of(content)
                self._keep(key, found[key])
        return found

    async def remember(self, readings: Mapping[str, Reading]) -> None:
        for key, reading in readings.items():
            self._keep(key, reading)
        if readings and self._memory is not None:
            await self._memory.remember({key: content_of(reading) for key, reading in readings.items()})

    def _keep(self, key: str, reading: Reading) -> None:
        self._recent[key] = reading
        self._recent.move_to_end(key)
        if len(self._recent) > self._size:
            self._recent.popitem(last=False)


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
