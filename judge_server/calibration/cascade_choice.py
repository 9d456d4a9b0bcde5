"""Choose the band of a cascade on labels, by replaying two judges' stored values.

The band is chosen on the dev split. What it is worth is reported on the locked test split only: on the items that chose
it, a band looks better than it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from judge_server.agreement.array import Flags, Floats, Ints
from judge_server.agreement.interval import share_interval
from judge_server.calibration.matching import Match, match
from judge_server.calibration.pairing import paired, rows_of, values_of
from judge_server.core.criterion import CheckCriterion
from judge_server.core.errors import BadInput
from judge_server.core.judge import Band
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet
from judge_server.labels.table import LabelTable

STEPS = tuple(round(place * 0.05, 2) for place in range(21))
LEAST_LABELS = 30


class CascadePoint(Frozen):
    """One band on some labels. ``asked``: share of the questions that go to the second judge; ``agreement``: share of
    people's labels that the cascade's verdict equals."""

    band: Band
    asked: float
    agreement: float


class HeldOut(Frozen):
    """The chosen band on labels that chose nothing, with a clustered interval of ``agreement``."""

    labels: int
    clusters: int
    asked: float
    agreement: float
    low: float
    high: float
    first: float
    then: float


class CascadeChoice(Frozen):
    """``curve``: the bands that no other beats in both figures, on the dev split, from never to always asking twice.
    ``chosen``: None if no band reaches what is wanted; ``reason`` then says so. ``held_out``: None without a test
    split."""

    criterion: str | None = None
    labels: int
    clusters: int
    first: float
    then: float
    curve: tuple[CascadePoint, ...] = ()
    chosen: CascadePoint | None = None
    held_out: HeldOut | None = None
    reason: str | None = None


class Wanted(Frozen):
    """At least this ``agreement`` at the least cost, or the best agreement within this ``budget``, the share of
    questions that may go to the second judge."""

    agreement: float | None = Field(default=None, ge=0, le=1)
    budget: float | None = Field(default=None, ge=0, le=1)


@dataclass(frozen=True, eq=False)
class JudgePair:
    """Stored values of both judges beside people's labels: arrays of shape (labels,). ``value``: the first judge's
    P(met), nan if it gave no verdict; ``first_right`` and ``then_right``: whether a judge's verdict, met from 0.5 up,
    equals the label. No verdict equals none."""

    value: Floats
    first_right: Flags
    then_right: Flags
    cluster: Ints

    def __len__(self) -> int:
        return len(self.value)

    def asked(self, band: Band) -> Flags:
        """Which questions go to the second judge: also those without a verdict of the first, as in judging."""
        return np.isnan(self.value) | (self.value >= band[0]) & (self.value <= band[1])

    def right(self, band: Band) -> Flags:
        return np.where(self.asked(band), self.then_right, self.first_right)

    def point(self, band: Band) -> CascadePoint:
        return CascadePoint(band=band, asked=float(self.asked(band).mean()), agreement=float(self.right(band).mean()))


def choose_cascade(
    dev: LabelSet,
    test: LabelSet | None,
    judges: tuple[str, str],
    rubric: Rubric,
    wanted: Wanted,
    *,
    by_criterion: bool = False,
    partial: bool = False,
) -> tuple[CascadeChoice, ...]:
    """One choice for the binary criteria of the rubric together, or one for each. ``judges``: the first and the second;
    ``test``: the locked split, if its reading was recorded; ``partial``: labels and rubric may share only some
    criteria. Raises BadInput if judges, labels and rubric do not
    match."""
    if (wanted.agreement is None) == (wanted.budget is None):
        raise BadInput("A cascade is chosen for an agreement or for a budget.", remedy="Give one of the two.")
    if judges[0] == judges[1]:
        raise BadInput(f"Both judges of the cascade are {judges[0]!r}.", remedy="Name two different ones.")
    matches = {name: one for name, one in match(rubric, dev, partial=partial).items() if one.binary}
    asked = {name: one for name, one in matches.items() if not isinstance(one.criterion, CheckCriterion)}
    chosen_on, held_out = _replays(dev, judges, asked), {} if test is None else _replays(test, judges, asked)
    if by_criterion:
        return tuple(_choice(name, chosen_on[name], held_out.get(name), wanted) for name in chosen_on)
    kept = _joined(list(held_out.values())) if held_out else None
    return (_choice(None, _joined(list(chosen_on.values())), kept, wanted),)


def _replays(labels: LabelSet, judges: tuple[str, str], matches: Mapping[str, Match]) -> dict[str, JudgePair]:
    return {name: _replay(labels.table, judges, one) for name, one in matches.items()}


def _replay(table: LabelTable, judges: tuple[str, str], match: Match) -> JudgePair:
    """The labels of items that both judges were asked about."""
    asked = np.ones(len(table.items.names), dtype=np.bool_)
    for judge in judges:
        asked &= np.isin(np.arange(len(asked)), table.items.codes[rows_of(table, judge, match)])
    cheap, strong = (paired(table, match, _verdicts(table, judge, match), asked) for judge in judges)
    target = cheap.target >= 0.5
    first_right, then_right = (np.isfinite(one.raw) & ((one.raw >= 0.5) == target) for one in (cheap, strong))
    return JudgePair(cheap.raw, first_right, then_right, cheap.cluster)


def _verdicts(table: LabelTable, judge: str, match: Match) -> Floats:
    """P(met) of each item, or 1 or 0 if only the label is known; nan without a verdict."""
    found = values_of(table, judge, match)
    for row in rows_of(table, judge, match):
        item, code = table.items.codes[row], int(table.labels.codes[row])
        if np.isnan(found[item]) and code >= 0:
            found[item] = match.value_of(table.labels.names[code])
    return found


def _joined(replays: Sequence[JudgePair]) -> JudgePair:
    def all_of(name: str) -> Floats:
        return np.concatenate([getattr(one, name) for one in replays]) if replays else np.zeros(0)

    return JudgePair(
        all_of("value"),
        all_of("first_right").astype(np.bool_),
        all_of("then_right").astype(np.bool_),
        all_of("cluster").astype(np.int64),
    )


def _choice(criterion: str | None, dev: JudgePair, test: JudgePair | None, wanted: Wanted) -> CascadeChoice:
    count = len(dev)
    if count < LEAST_LABELS:
        return CascadeChoice(
            criterion=criterion,
            labels=count,
            clusters=len(np.unique(dev.cluster)),
            first=0.0,
            then=0.0,
            reason=f"{count} labels of questions that both judges were asked, at least {LEAST_LABELS} are needed",
        )
    curve = frontier(dev)
    chosen = _chosen(curve, wanted)
    return CascadeChoice(
        criterion=criterion,
        labels=count,
        clusters=len(np.unique(dev.cluster)),
        first=float(dev.first_right.mean()),
        then=float(dev.then_right.mean()),
        curve=curve,
        chosen=chosen,
        held_out=_held_out(test, chosen.band) if chosen and test is not None and len(test) else None,
        reason=None if chosen else _unreached(wanted),
    )


def _unreached(wanted: Wanted) -> str:
    if wanted.agreement is not None:
        return f"no band reaches an agreement of {wanted.agreement:g} on the dev split"
    return f"the first judge leaves more than {wanted.budget:g} of the questions without a verdict"


def frontier(replay: JudgePair) -> tuple[CascadePoint, ...]:
    """The bands that no other beats in both figures, cheapest first."""
    below = [step for step in STEPS if step <= 0.5]
    above = [step for step in STEPS if step >= 0.5]
    points = [replay.point((low, high)) for low in below for high in above]
    best: list[CascadePoint] = []
    for point in sorted(points, key=lambda one: (one.asked, -one.agreement, one.band[1] - one.band[0])):
        if not best or point.agreement > best[-1].agreement:
            best.append(point)
    return tuple(best)


def _chosen(curve: Sequence[CascadePoint], wanted: Wanted) -> CascadePoint | None:
    if wanted.agreement is not None:
        return next((point for point in curve if point.agreement >= wanted.agreement), None)
    within = [point for point in curve if wanted.budget is not None and point.asked <= wanted.budget]
    return within[-1] if within else None


def _held_out(test: JudgePair, band: Band) -> HeldOut:
    right = test.right(band)
    _, cluster = np.unique(test.cluster, return_inverse=True)
    trials = np.bincount(cluster).astype(np.float64)
    hits = np.bincount(cluster, weights=right.astype(np.float64)).astype(np.float64)
    low, high = share_interval(hits, trials, 0.95)
    return HeldOut(
        labels=len(test),
        clusters=len(trials),
        asked=float(test.asked(band).mean()),
        agreement=float(right.mean()),
        low=low,
        high=high,
        first=float(test.first_right.mean()),
        then=float(test.then_right.mean()),
    )
