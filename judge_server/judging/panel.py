"""Ask several judges concurrently; their readings are combined by mean, majority or minimum."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from math import fsum
from typing import Literal

from judge_server.core.criterion import Choice, Judged
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import JudgeReference, Usage
from judge_server.core.verdict import Failure, Opinion
from judge_server.judging.answer import Answer, Judge, Reading, Terms
from judge_server.judging.judge_input import JudgeInput
from judge_server.judging.reading import expected
from judge_server.util.canonical import digest
from judge_server.util.concurrency import together

Combination = Literal["mean", "majority", "min"]


class PanelJudge:
    """The creator of the members starts and closes them. A panel costs as much as all its members together."""

    def __init__(self, specification: JudgeSpecification, members: Sequence[Judge]) -> None:
        self.specification = specification
        self.members = tuple(members)
        self.by_criterion = any(member.by_criterion for member in self.members)

    async def start(self) -> None:
        """Nothing to start: members are started separately."""

    async def close(self) -> None:
        """Nothing to close: members are closed separately."""

    async def healthy(self) -> bool:
        up = await together([member.healthy() for member in self.members])
        return sum(up) >= self._quorum

    def forget_model(self) -> None:
        """A member may have another model now. The members are told separately."""
        for known in ("explaining", "reference"):
            self.__dict__.pop(known, None)

    @cached_property
    def explaining(self) -> "PanelJudge":
        """A panel of the explaining members."""
        return self.with_members(lambda member: member.explaining)

    def with_members(self, change: Callable[[Judge], Judge]) -> "PanelJudge":
        """The same panel of changed members."""
        return PanelJudge(self.specification, [change(member) for member in self.members])

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

    @property
    def criteria_per_call(self) -> int:
        return max(member.criteria_per_call for member in self.members)

    async def ask(self, judge_input: JudgeInput, criteria: tuple[Judged, ...], terms: Terms) -> tuple[Answer, ...]:
        asked = await together([member.ask(judge_input, criteria, terms) for member in self.members])
        by_criterion = zip(criteria, zip(*asked, strict=True), strict=True)
        return tuple(self._combined(criterion, answers) for criterion, answers in by_criterion)

    def _combined(self, criterion: Judged, answers: tuple[Answer, ...]) -> Answer:
        usage = Usage.total(answer.usage for answer in answers)
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
        chosen = combine(criterion, readings, self.specification.combine)
        reading = Reading(chosen.value, chosen.shares, chosen.reason, chosen.label_mass, opinions)
        return Answer(reading=reading, usage=usage, model_seconds=seconds)


def combine(criterion: Judged, readings: Sequence[Reading], how: Combination) -> Reading:
    """Combine readings into one. ``min`` takes the one with the smallest value. ``majority`` counts each judge's
    likeliest label (met from 0.5 up, or an option of a scale) and takes the mean of the labels that tie for most
    votes."""
    if how == "min":
        return min(readings, key=lambda reading: reading.value)
    if how == "majority":
        shares = _votes(criterion, readings)
        value = expected(criterion.values, shares)
    else:
        shares = tuple(fsum(column) / len(readings) for column in zip(*(r.shares for r in readings), strict=True))
        value = fsum(reading.value for reading in readings) / len(readings)
        if criterion.if_absent == "skip":
            value = expected(criterion.values, shares)
    masses = [reading.label_mass for reading in readings if reading.label_mass is not None]
    nearest = min(readings, key=lambda reading: abs(reading.value - value))
    return Reading(value, shares, nearest.reason, min(masses) if masses else None)


def _votes(criterion: Judged, readings: Sequence[Reading]) -> tuple[float, ...]:
    """Assign the whole share to the label with the most votes, divided equally on a tie."""
    if isinstance(criterion, Choice) or criterion.if_absent == "skip":
        choices = [reading.shares.index(max(reading.shares)) for reading in readings]
    else:
        choices = [0 if reading.value >= 0.5 else 1 for reading in readings]
    counted = Counter(choices)
    most = max(counted.values())
    winners = {choice for choice, votes in counted.items() if votes == most}
    return tuple(1 / len(winners) if place in winners else 0.0 for place in range(len(readings[0].shares)))


def _absence(opinions: Sequence[Opinion], quorum: int) -> Failure:
    silent = [opinion for opinion in opinions if opinion.error]
    first = silent[0].error
    kind = first.type if first else "judge_unavailable"
    names = ", ".join(opinion.judge for opinion in silent)
    heard = len(opinions) - len(silent)
    detail = f"{heard} of {len(opinions)} judges have a verdict, {quorum} are needed; without: {names}."
    if first is None:
        return Failure(type=kind, detail=detail)
    return first.model_copy(update={"detail": f"{detail} {first.detail}"})
