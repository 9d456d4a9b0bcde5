"""A cascade: a cheap judge is asked about every criterion, and a strong one about those that it leaves uncertain.

Both answers stand in the verdict's ``panel``, so a judgment says who decided what.
"""

from collections.abc import Callable
from functools import cached_property

from judge_server.core.criterion import Choice, Judged
from judge_server.core.judge import Band, CascadeRule, JudgeSpecification
from judge_server.core.judgment import JudgeReference
from judge_server.core.verdict import Opinion
from judge_server.judging.answer import Answer, Judge, Reading, Terms
from judge_server.judging.judge_input import JudgeInput
from judge_server.util.canonical import digest


class CascadeJudge:
    """Two judges, asked one after the other. Neither is started or closed here."""

    def __init__(self, specification: JudgeSpecification, first: Judge, then: Judge) -> None:
        if specification.cascade is None:
            raise ValueError(f"{specification.name!r} is no cascade")
        self.specification = specification
        self.rule: CascadeRule = specification.cascade
        self.first = first
        self.then = then
        self.by_criterion = self.rule.by_criterion or first.by_criterion or then.by_criterion

    @property
    def members(self) -> tuple[Judge, Judge]:
        return self.first, self.then

    def with_members(self, change: Callable[[Judge], Judge]) -> "CascadeJudge":
        """The same cascade of changed members."""
        return CascadeJudge(self.specification, change(self.first), change(self.then))

    async def start(self) -> None:
        """Nothing to start: members are started separately."""

    async def close(self) -> None:
        """Nothing to close: members are closed separately."""

    async def healthy(self) -> bool:
        return await self.first.healthy() and await self.then.healthy()

    @property
    def criteria_per_call(self) -> int:
        return max(self.first.criteria_per_call, self.then.criteria_per_call)

    @property
    def explaining(self) -> Judge:
        """The second judge: one that says its reason first has no probabilities to be uncertain by."""
        return self.then.explaining

    def forget_model(self) -> None:
        """Either judge may have another model now. They are told separately."""
        for known in ("certain", "reference"):
            self.__dict__.pop(known, None)

    @cached_property
    def certain(self) -> bool:
        """Whether the first judge gives only whole verdicts, which are never in a band: then the second decides all."""
        return self.first.reference.mode == "reason" and self.first.specification.votes == 1

    @cached_property
    def reference(self) -> JudgeReference:
        first, then = self.first.reference, self.then.reference
        combined = {
            "first": first.fingerprint,
            "then": then.fingerprint,
            "band": self.rule.model_dump(mode="json", include={"band"}),
        }
        notices = [first.notice, then.notice]
        if self.certain:
            notices.append(f"{first.name} gives no probabilities, so {then.name} decided every criterion.")
        return JudgeReference(
            name=self.specification.name,
            model=f"{first.model} > {then.model}",
            mode="cascade",
            fingerprint=digest(combined),
            notice=" ".join(dict.fromkeys(notice for notice in notices if notice)) or None,
        )

    async def ask(self, judge_input: JudgeInput, criteria: tuple[Judged, ...], terms: Terms) -> tuple[Answer, ...]:
        if self.certain:
            return await self.then.ask(judge_input, criteria, terms)
        cheap = await self.first.ask(judge_input, criteria, terms)
        left = [place for place, answer in enumerate(cheap) if self._uncertain(answer, criteria[place])]
        answers = [_by(answer, self.first, answer) for answer in cheap]
        if left:
            strong = await self.then.ask(judge_input, tuple(criteria[place] for place in left), terms)
            for place, answer in zip(left, strong, strict=True):
                both = answer._replace(
                    usage=cheap[place].usage + answer.usage,
                    model_seconds=cheap[place].model_seconds + answer.model_seconds,
                )
                answers[place] = _by(both, self.first, cheap[place], self.then, answer)
        return tuple(answers)

    def _uncertain(self, answer: Answer, criterion: Judged) -> bool:
        """Whether the first judge has no verdict, or one within the criterion's band."""
        band = self.rule.band_of(criterion.id)
        return answer.reading is None or band is None or within(answer.reading, band, criterion)


def within(reading: Reading, band: Band, criterion: Judged) -> bool:
    """Whether P(met) lies in the band, ends included. Of options, the likeliest one's share must reach what P(met) or
    P(unmet) would need to lie above or below the band."""
    low, high = band
    if not isinstance(criterion, Choice) and len(reading.shares) == 2:
        return low <= reading.value <= high
    return max(reading.shares) <= max(high, 1 - low)


def _by(answer: Answer, first: Judge, cheap: Answer, then: Judge | None = None, strong: Answer | None = None) -> Answer:
    """``answer`` with the opinions of the judges that were asked."""
    opinions = [_opinion(first, cheap, decided=strong is None)]
    if then is not None and strong is not None:
        opinions.append(_opinion(then, strong, decided=True))
    if answer.reading is None:
        return answer._replace(panel=tuple(opinions))
    return answer._replace(reading=answer.reading._replace(panel=tuple(opinions)))


def _opinion(judge: Judge, answer: Answer, *, decided: bool) -> Opinion:
    return Opinion(
        judge=judge.reference.name,
        status=answer.status,
        value=answer.reading.value if answer.reading else None,
        reason=answer.reading.reason if answer.reading else None,
        error=answer.failure,
        decided=decided and answer.reading is not None,
        tokens=answer.usage.prompt_tokens + answer.usage.completion_tokens,
    )
