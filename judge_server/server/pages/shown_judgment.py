"""A judgment as a page shows it: a row for each verdict, with its statement and what was decided, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Opinion, QuotedStep, Verdict, VerdictStatus
from judge_server.server.pages.shown_text import visible

_MOST_CHARACTERS: Final = 300  # of a quoted passage

_WORDS = {
    VerdictStatus.NOT_APPLICABLE: "does not apply",
    VerdictStatus.ABSTAINED: "abstained",
    VerdictStatus.UNUSABLE: "unreadable answer",
    VerdictStatus.UNAVAILABLE: "no answer",
}


@dataclass(frozen=True)
class ShownQuotes:
    """Passages of the response that a reason quotes, in one step of it. ``step``: from 1."""

    step: int
    passages: tuple[str, ...]


@dataclass(frozen=True)
class ShownVerdict:
    """``value``: in [0, 1], None without a verdict; ``told``: the answer in words; ``earned``: points times value;
    ``by``: who decided, and whether the verdict was known before; ``members``: what each judge of a panel or cascade
    said; ``evidence``: what the reason quotes, if the response is stored."""

    criterion: str
    statement: str
    points: float
    value: float | None
    told: str
    reason: str
    by: str
    earned: float | None
    members: tuple[str, ...] = ()
    evidence: tuple[ShownQuotes, ...] = ()


@dataclass(frozen=True)
class ShownJudgment:
    """``rows``: of the criteria that apply; ``idle``: of those that do not. ``why``: a sentence about a missing reward;
    ``notes``: gates, flags of the guard and warnings, in words."""

    judgment: Judgment
    submission: Submission | None
    rows: tuple[ShownVerdict, ...]
    idle: tuple[ShownVerdict, ...]
    why: str | None
    notes: tuple[str, ...]

    @property
    def reward(self) -> str:
        return "no reward" if self.judgment.reward is None else f"{self.judgment.reward:.3f}"


def shown(judgment: Judgment, submission: Submission | None, rubric: Rubric | None) -> ShownJudgment:
    """``rubric``: as it was when it was judged; None if the store does not have it."""
    statements = {} if rubric is None else {leaf.id: leaf.statement for leaf in rubric.leaves}
    gates = [f"{gate.criterion} is a gate and fired: the reward is at most {gate.reward:g}." for gate in judgment.gates]
    flags = [f"The guard flagged the response: {flag.replace('_', ' ')}." for flag in judgment.flags]
    return ShownJudgment(
        judgment=judgment,
        submission=submission,
        rows=tuple(_row(one, statements, submission) for one in judgment.verdicts if not _left_out(one)),
        idle=tuple(_row(one, statements, submission) for one in judgment.verdicts if _left_out(one)),
        why=None if judgment.error is None else f"{judgment.error.type}: {judgment.error.detail}",
        notes=(*gates, *flags, *judgment.notices),
    )


def _left_out(verdict: Verdict) -> bool:
    """Whether the criterion does not apply."""
    return verdict.status is VerdictStatus.NOT_APPLICABLE


def _row(verdict: Verdict, statements: dict[str, str], submission: Submission | None) -> ShownVerdict:
    step = "" if verdict.step is None else f", step {verdict.step + 1}"
    return ShownVerdict(
        criterion=f"{verdict.criterion}{step}",
        statement=statements.get(verdict.criterion, ""),
        points=verdict.points,
        value=verdict.value,
        told=_told(verdict),
        reason=verdict.reason or (verdict.error.detail if verdict.error else ""),
        by=origin(verdict),
        earned=None if verdict.value is None else verdict.points * verdict.value,
        members=tuple(map(_member, verdict.panel)),
        evidence=() if submission is None else tuple(_quoted(verdict.evidence, submission)),
    )


def _quoted(steps: tuple[QuotedStep, ...], submission: Submission) -> Iterator[ShownQuotes]:
    for one in steps:
        text = _text_of(one, submission)
        passages = dict.fromkeys(visible(_short(text[first:after])) for first, after in one.quotes)
        if told := tuple(filter(None, passages)):
            yield ShownQuotes(one.step + 1, told)


def _text_of(step: QuotedStep, submission: Submission) -> str:
    """The text that the step's spans count in."""
    response = submission.response
    if isinstance(response, str):
        return response
    return getattr(response[step.message or 0], step.field or "content") or ""


def _short(passage: str) -> str:
    return passage if len(passage) <= _MOST_CHARACTERS else f"{passage[:_MOST_CHARACTERS]} …"


def origin(verdict: Verdict) -> str:
    """Such as ``cascade, known before``."""
    return f"{decider(verdict)}, known before" if verdict.cached else decider(verdict)


def decider(verdict: Verdict) -> str:
    """``judge``, ``panel``, ``cascade``, ``program`` or ``guard``."""
    several = "cascade" if any(one.decided is not None for one in verdict.panel) else "panel"
    return {"check": "program", "guard": "guard"}.get(verdict.source, several if verdict.panel else "judge")


def why_missing(verdict: Verdict) -> str:
    """Of a verdict without a value, in words."""
    cause = f": {verdict.error.type.replace('_', ' ')}" if verdict.error else ""
    return _WORDS.get(verdict.status, str(verdict.status)) + cause


def _member(one: Opinion) -> str:
    said = f"{one.value:.2f}" if one.value is not None else _WORDS.get(one.status, str(one.status))
    return f"{one.judge}: {said}{' (decided)' if one.decided else ''}{f', {one.reason}' if one.reason else ''}"


def _told(verdict: Verdict) -> str:
    if verdict.value is None:
        return why_missing(verdict)
    return verdict.option if verdict.option is not None else ("met" if verdict.value >= 0.5 else "not met")
