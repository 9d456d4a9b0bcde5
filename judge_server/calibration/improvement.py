"""The record of an attempt to make a judge agree better with people: every candidate, kept or not, with its test."""

from datetime import datetime
from typing import Literal

from judge_server.core.model import Frozen
from judge_server.core.rubric import RubricReference

Outcome = Literal["improved", "not confirmed", "nothing better was found"]
Rung = Literal["map", "wording"]


class PairedTest(Frozen):
    """The candidate beside what stood before, on the same ratings: ``fixed`` only the candidate got right, ``broken``
    only the other. ``p``: of the exact sign-flip test by prompt; None if no prompt favours either side."""

    ratings: int
    prompts: int
    before: int
    after: int
    fixed: int
    broken: int
    p: float | None = None

    @property
    def better(self) -> bool:
        return self.fixed > self.broken

    def __str__(self) -> str:
        p = "nothing to test" if self.p is None else "p < .001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return (
            f"agrees on {self.after} instead of {self.before} of {self.ratings} ratings from {self.prompts} prompts: "
            f"corrects {self.fixed}, breaks {self.broken} ({p})"
        )


class Clarity(Frozen):
    """How often two people disagreed on a criterion: an unclear criterion looks like a bad judge."""

    criterion: str
    statement: str
    items: int
    disagreed: int
    low: float | None = None
    high: float | None = None
    examples: tuple[str, ...] = ()


class TriedChange(Frozen):
    """``refused``: why it was not measured. ``adjusted_p``: for all candidates of the rung (Holm)."""

    rung: Rung
    criterion: str
    name: str
    diff: tuple[str, ...] = ()
    refused: str | None = None
    test: PairedTest | None = None
    adjusted_p: float | None = None
    kept: bool = False


class PartSize(Frozen):
    """``half_width``: of the 95 % interval of the share of ratings agreed on, if that is .85; ``fewest``: the least
    number of prompts that must favour a candidate, none the other side, for a test at .05."""

    name: str
    prompts: int
    ratings: int
    half_width: float
    fewest: int = 6


class Improvement(Frozen):
    """``questions``: ratings asked of the judge. ``final``: on the locked test split, read once at the end, only if
    something was kept."""

    label_set: str
    labels: str
    rubric: RubricReference
    judge: str
    proposer: str | None
    seed: int
    parts: tuple[PartSize, ...]
    clarity: tuple[Clarity, ...]
    candidates: tuple[TriedChange, ...]
    notes: tuple[str, ...] = ()
    final: PairedTest | None = None
    outcome: Outcome
    version: str | None = None
    maps: tuple[str, ...] = ()
    questions: int
    created_at: datetime

    @property
    def text(self) -> str:
        kept = [one.name for one in self.candidates if one.kept]
        if self.outcome == "nothing better was found":
            tried = len(self.candidates)
            return f"Nothing better was found: {tried} candidates were tried, and the test split stays unread."
        found = f"{', '.join(kept)}: on the locked test split it {self.final}"
        if self.outcome == "improved":
            return f"The judge agrees better with {found}."
        return f"Chosen on the select part, but not confirmed on the test split: {found}."
