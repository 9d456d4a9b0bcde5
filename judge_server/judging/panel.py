"""Several judges asked at once, combined by mean, majority or minimum."""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from math import fsum
from typing import Literal

from judge_server.core.canonical import digest
from judge_server.core.criterion import Judged
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import JudgeReference, Usage
from judge_server.core.verdict import Failure, Opinion
from judge_server.judging.answer import Answer, Judge, Reading, Terms
from judge_server.judging.material import Material

Combination = Literal["mean", "majority", "min"]


class Panel:
    """Members are started and closed by whoever made them; a panel of judges costs what its members cost."""

    def __init__(self, specification: JudgeSpecification, members: Sequence[Judge]) -> None:
        self.specification = specification
        self.members = tuple(members)

    async def start(self) -> None:
        """Members start on their own."""

    async def close(self) -> None:
        """Members close on their own."""

    async def healthy(self) -> bool:
        up = await asyncio.gather(*(member.healthy() for member in self.members))
        return sum(up) >= self._quorum

    @property
    def _quorum(self) -> int:
        return self.specification.quorum or len(self.members)

    @cached_property
    def reference(self) -> JudgeReference:
        references = [member.reference for member in self.members]
        notices = [reference.notice for reference in references if reference.notice]
        combined = {
            "members": [reference.fingerprint for reference in references],
            "combine": self.specification.combine,
            "quorum": self._quorum,
        }
        return JudgeReference(
            name=self.specification.name,
            model=" + ".join(reference.model for reference in references),
            mode="panel",
            fingerprint=digest(combined),
            notice=" ".join(dict.fromkeys(notices)) or None,
        )

    async def ask(self, material: Material, criteria: tuple[Judged, ...], terms: Terms) -> tuple[Answer, ...]:
        asked = await asyncio.gather(*(member.ask(material, criteria, terms) for member in self.members))
        return tuple(self._combined(answers) for answers in zip(*asked, strict=True))

    def _combined(self, answers: tuple[Answer, ...]) -> Answer:
        usage = sum((answer.usage for answer in answers), Usage())
        seconds = fsum(answer.model_seconds for answer in answers)
        opinions = tuple(
            Opinion(
                judge=member.reference.name,
                status=answer.status,
                value=answer.reading.value if answer.reading else None,
                reason=answer.reading.reason if answer.reading else None,
                error=answer.failure,
            )
            for member, answer in zip(self.members, answers, strict=True)
        )
        readings = [answer.reading for answer in answers if answer.reading]
        if len(readings) < self._quorum:
            return Answer(
                failure=_absence(opinions, self._quorum),
                status=next(answer.status for answer in answers if answer.failure),
                panel=opinions,
                usage=usage,
                model_seconds=seconds,
            )
        chosen = combine(readings, self.specification.combine)
        reading = Reading(chosen.value, chosen.shares, chosen.reason, chosen.label_mass, opinions)
        return Answer(reading=reading, usage=usage, model_seconds=seconds)


def combine(readings: Sequence[Reading], how: Combination) -> Reading:
    """One reading out of several. ``majority`` counts a value from 0.5 up as met and gives 0, 1, or 0.5 for a tie."""
    if how == "min":
        return min(readings, key=lambda reading: reading.value)
    shares = tuple(fsum(column) / len(readings) for column in zip(*(r.shares for r in readings), strict=True))
    masses = [reading.label_mass for reading in readings if reading.label_mass is not None]
    mass = min(masses) if masses else None
    if how == "majority":
        met = sum(reading.value >= 0.5 for reading in readings)
        value = 0.5 if met * 2 == len(readings) else float(met * 2 > len(readings))
    else:
        value = fsum(reading.value for reading in readings) / len(readings)
    nearest = min(readings, key=lambda reading: abs(reading.value - value))
    return Reading(value, shares, nearest.reason, mass)


def _absence(opinions: Sequence[Opinion], quorum: int) -> Failure:
    silent = [opinion for opinion in opinions if opinion.error]
    first = silent[0].error
    kind = first.type if first else "judge_unavailable"
    names = ", ".join(opinion.judge for opinion in silent)
    heard = len(opinions) - len(silent)
    detail = f"{heard} of {len(opinions)} judges have a verdict, {quorum} are needed; without: {names}."
    return Failure(type=kind, detail=detail if first is None else f"{detail} {first.detail}")
