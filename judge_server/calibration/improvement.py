"""The record of an attempt to make a judge agree better with people: every candidate, kept or not, with its test."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from judge_server.calibration.balanced_test import BalancedTest, claim
from judge_server.core.judge import Band, ExampleRule
from judge_server.core.model import Frozen
from judge_server.core.rubric import RubricReference
from judge_server.util.wording import many, p_value

Outcome = Literal["improved", "not confirmed", "nothing better was found"]
Search = Literal["once", "gepa"]
Rung = Literal["map", "wording", "examples", "cascade", "adapter"]


class JudgeSetup(Frozen):
    """How the judge is asked, beside its rubric: with labelled ``examples`` of the revise part, before a second judge
    that decides within ``band``, or only the ``second`` judge. ``tuned``: with the adapter that was trained on
    revise."""

    examples: ExampleRule | None = None
    band: Band | None = None
    second: bool = False
    tuned: bool = False


AS_IT_IS = JudgeSetup()


class Limits(Frozen):
    """What an attempt may spend: ``questions`` are ratings before the test split; the others count everything, the
    proposer and the test split too. None: no limit."""

    questions: int | None = Field(default=None, ge=1)
    calls: int | None = Field(default=None, ge=1)
    tokens: int | None = Field(default=None, ge=1)
    dollars: float | None = Field(default=None, gt=0)
    seconds: float | None = Field(default=None, gt=0)


NO_LIMITS = Limits()


class Spend(Frozen):
    """What was spent, over all runs that continued one another. ``ratings``: verdicts that were judged, and neither
    read from a journal nor remembered."""

    ratings: int = 0
    calls: int = 0
    tokens: int = 0
    dollars: float = 0.0
    seconds: float = 0.0

    def plus(self, other: "Spend") -> "Spend":
        return Spend(
            ratings=self.ratings + other.ratings,
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            dollars=self.dollars + other.dollars,
            seconds=self.seconds + other.seconds,
        )

    def __str__(self) -> str:
        money = f", {self.dollars:.4f} dollars" if self.dollars else ""
        told = f"{many(self.ratings, 'rating')} judged, {many(self.calls, 'call')}, {many(self.tokens, 'token')}"
        return f"{told}{money}"


NOTHING = Spend()


class PairedTest(Frozen):
    """The candidate beside what stood before, on the same ratings: ``fixed`` only the candidate got right, ``broken``
    only the other. ``p``: of the exact sign-flip test by prompt; None if no prompt favours either side. ``balanced``:
    the same with every label counted alike; None if there are no ratings. ``alike``: criteria on which the candidate
    gives every item one label although people do not; ``worse``: criteria on which it is shown to agree less, every
    label counted alike. Agreeing more often by saying the commoner label is no better judge."""

    ratings: int
    prompts: int
    before: int
    after: int
    fixed: int
    broken: int
    p: float | None = None
    balanced: BalancedTest | None = None
    alike: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()

    @property
    def better(self) -> bool:
        """In both ways of counting, on these ratings; nothing is said about chance."""
        gained = self.balanced is None or self.balanced.after > self.balanced.before
        return self.fixed > self.broken and gained and not self.alike and not self.worse

    @property
    def claim(self) -> float | None:
        """The p-value of agreeing better, or less, in both ways of counting; None if nothing can be tested."""
        return claim(self.fixed, self.broken, self.p, self.balanced)

    def __str__(self) -> str:
        p = "nothing to test" if self.p is None else p_value(self.p)
        balanced = "" if self.balanced is None else f"; {self.balanced}"
        return (
            f"agrees on {self.after} instead of {self.before} of {many(self.ratings, 'rating')} from "
            f"{many(self.prompts, 'prompt')}: "
            f"corrects {self.fixed}, breaks {self.broken} ({p}){balanced}{self._objection}"
        )

    @property
    def _objection(self) -> str:
        told = f", but gives every item the same label on {', '.join(self.alike)}" if self.alike else ""
        less = [name for name in self.worse if name not in self.alike]
        return told + (f", but agrees less on {', '.join(less)}" if less else "")


class Clarity(Frozen):
    """How often two people disagreed on a criterion: an unclear criterion looks like a bad judge."""

    criterion: str
    statement: str
    items: int
    disagreed: int
    low: float | None = None
    high: float | None = None
    examples: tuple[str, ...] = ()


class TurnedScale(Frozen):
    """A criterion on which the judge agrees less with people than chance would, beyond doubt. ``value``, ``high``: κ
    (weighted for steps) on the revise part and its upper bound."""

    criterion: str
    statement: str
    value: float
    high: float

    def __str__(self) -> str:
        return (
            f"{self.criterion}: κ {self.value:.2f}, at most {self.high:.2f}: below chance, so the scale may be turned "
            "round. Say which class means met (--positive), or mend the order of the options, before anything else"
        )


class TriedChange(Frozen):
    """``criterion``: empty for a change of the whole judge. ``refused``: why it was not measured. ``seen``: on the
    revise part, which drove it; only what is better there is tried on select (``test``). ``adjusted_p``: for all
    candidates of the rung (Holm)."""

    rung: Rung
    criterion: str
    name: str
    diff: tuple[str, ...] = ()
    refused: str | None = None
    seen: PairedTest | None = None
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

    def __str__(self) -> str:
        return (
            f"{self.name}: {many(self.ratings, 'rating')} from {many(self.prompts, 'prompt')}; at 85 % agreement the "
            f"interval is ± {100 * self.half_width:.0f} points; a difference shows from {self.fewest} prompts on that "
            "all favour one side"
        )


class Improvement(Frozen):
    """``questions``: ratings asked of the judge. ``final``: on the locked test split, read once at the end, only if
    something was kept; ``adjusted_p``: for all ``looks`` at that split so far (Holm). ``setup``: how the judge is asked
    with all that was kept; ``second``: the judge of the cascade rung, if one was named; ``tuned``: that of the adapter
    rung."""

    label_set: str
    labels: str
    rubric: RubricReference
    judge: str
    proposer: str | None
    second: str | None = None
    tuned: str | None = None
    seed: int
    parts: tuple[PartSize, ...]
    clarity: tuple[Clarity, ...]
    turned: tuple[TurnedScale, ...] = ()
    candidates: tuple[TriedChange, ...]
    notes: tuple[str, ...] = ()
    final: PairedTest | None = None
    looks: int = 1
    adjusted_p: float | None = None
    outcome: Outcome
    version: str | None = None
    maps: tuple[str, ...] = ()
    setup: JudgeSetup = AS_IT_IS
    questions: int
    limits: Limits = NO_LIMITS
    spent: Spend = NOTHING
    created_at: datetime

    @property
    def _adjusted(self) -> str:
        if self.looks == 1 or self.adjusted_p is None:
            return ""
        return f"; adjusted for {self.looks} looks at this split (Holm) {p_value(self.adjusted_p)}"

    @property
    def text(self) -> str:
        kept = [one.name for one in self.candidates if one.kept]
        if self.outcome == "nothing better was found":
            tried = len(self.candidates)
            verb = "was" if tried == 1 else "were"
            return f"Nothing better was found: {many(tried, 'candidate')} {verb} tried; the test split stays unread."
        if self.final is None:
            return f"Chosen on the select part, and not confirmed by any test split: {', '.join(kept)}."
        found = f"{', '.join(kept)}: on the locked test split it {self.final}{self._adjusted}"
        if self.outcome == "improved":
            return f"The judge agrees better with {found}."
        return f"Chosen on the select part, but not confirmed on the test split: {found}."
