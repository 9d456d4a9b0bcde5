"""The result of an exam: how many contrast pairs of each family a judge passed, and which it failed."""

import secrets
from datetime import datetime
from typing import Literal

from pydantic import Field

from judge_server.core.judgment import JudgeReference
from judge_server.core.model import Frozen

Family = Literal[
    "lists", "polarity", "turn", "reference", "not_applicable", "numbers", "implied", "contradicted", "languages",
    "length", "label_order", "options", "no_content", "long_context", "orders", "steps", "facts",
]  # fmt: skip


class FailedPair(Frozen):
    """A pair that the judge did not pass, as it was asked. ``said``: its answers, null for none."""

    variant: str
    statement: str
    responses: tuple[str, str]
    expected: tuple[bool | str, bool | str]
    said: tuple[bool | str | None, bool | str | None]
    error: str | None = None


class FamilyResult(Frozen):
    """``passed`` of ``pairs``: both questions of a pair were answered rightly. ``low`` and ``high``: Wilson's 95 %
    interval. ``unanswered``: questions without an answer, which pass no pair."""

    family: Family
    about: str
    pairs: int
    passed: int
    low: float
    high: float
    unanswered: int = 0
    failed: tuple[FailedPair, ...] = ()

    @property
    def share(self) -> float:
        return self.passed / self.pairs


class ExamResult(Frozen):
    """``bias``: what the judge says almost whatever it is asked; then the families cannot be read. ``met``: share of
    answers met among questions whose right answer is met, and among the others. ``first``: share of answers that are
    the label shown first."""

    judge: JudgeReference
    prompt: str
    seed: int
    questions: int
    unanswered: int
    bias: str | None = None
    met: tuple[float, float] | None = None
    first: float | None = None
    families: tuple[FamilyResult, ...] = Field(default=())
    skipped: dict[str, str] = Field(default_factory=dict)

    @property
    def pairs(self) -> int:
        return sum(one.pairs for one in self.families)

    @property
    def passed(self) -> int:
        return sum(one.passed for one in self.families)


def new_exam_id() -> str:
    return f"exam_{secrets.token_hex(8)}"


class ExamRecord(Frozen):
    """A result as it is kept. ``created_at``: when the exam began."""

    id: str
    created_at: datetime
    result: ExamResult
