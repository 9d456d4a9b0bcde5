"""Biases of a judge: generosity, length, position, language, writer, and self-preference.

Every figure compares the judge with the humans on the same items, both rescaled to 0 (worst) to 1 (best): a gap of 0.1
on a scale of 1 to 5 is 0.4 steps. Intervals are clustered by prompt. No figure proves a cause.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from judge_server.agreement.array import Flags, Floats, Ints, ratio
from judge_server.agreement.evidence import sums
from judge_server.agreement.interval import estimate
from judge_server.agreement.metric import Estimate, Metric
from judge_server.agreement.rank import rank_evidence
from judge_server.agreement.resampling import Resampling
from judge_server.calibration.panels import View
from judge_server.core.model import Frozen
from judge_server.labels.label_set import LabelSet

Trait = Literal["length", "tag", "language", "writer"]
LENGTHS = ("short", "medium", "long")
MOST_SLICES = 40
LEAST_NAME = 3  # fewest letters that identify a model's name
EMPTY = "no item was rated by both sides"
UNRANKED = "the labels have no order: name the positive one"


class Slice(Frozen):
    """Items that share a trait. ``judge`` and ``humans``: mean ratings between 0 and 1; ``gap``: judge less humans."""

    trait: Trait
    name: str
    judge: float | None
    humans: float | None
    gap: Estimate


class BiasPanel(Frozen):
    """One judge's biases. ``rate_gap``: judge less humans over all items. ``length``: Spearman's ρ of the response's
    length with the ``judge``, the ``humans`` and the ``excess`` of the judge over the humans. ``self_preference``: the
    gap on responses it wrote itself, less the gap on others'. ``position``: from pairs shown in both orders.
    """

    rate_gap: Estimate
    length: dict[str, Estimate]
    slices: tuple[Slice, ...]
    self_preference: Estimate
    position: dict[str, Estimate]


@dataclass(frozen=True, eq=False)
class Gaps:
    """The units that both sides rated: (units,) columns; ``item`` indexes the table's names."""

    judge: Floats
    humans: Floats
    cluster: Ints
    item: Ints

    @property
    def excess(self) -> Floats:
        return self.judge - self.humans

    def mean(self, chosen: Flags, resampling: Resampling) -> Estimate:
        evidence = sums([np.ones(int(chosen.sum())), self.excess[chosen]], self.cluster[chosen])
        return estimate(evidence, [MEAN], resampling)["gap"]


MEAN = Metric("gap", lambda totals: ratio(totals[:, 1], totals[:, 0]), EMPTY)
CONTRAST = Metric(
    "contrast",
    lambda totals: ratio(totals[:, 1], totals[:, 0]) - ratio(totals[:, 3], totals[:, 2]),
    "all rated responses are its own, or none is",
)


def bias_panel(
    labels: LabelSet, views: Sequence[View], judge: str, position: dict[str, Estimate], resampling: Resampling
) -> BiasPanel:
    """``views``: the criteria pooled by scale; scales without an order or a positive label are left out."""
    ranked = [view for view in views if view.numbered and judge in view.panel.judges]
    if not ranked:
        nothing = Estimate(note=UNRANKED)
        none = dict.fromkeys(("judge", "humans", "excess"), nothing)
        return BiasPanel(rate_gap=nothing, length=none, slices=(), self_preference=nothing, position=position)
    gaps = gathered(ranked, judge)
    every = np.ones(len(gaps.judge), dtype=np.bool_)
    return BiasPanel(
        rate_gap=gaps.mean(every, resampling),
        length=length_effects(labels, gaps, resampling),
        slices=tuple(sliced(labels, gaps, resampling)),
        self_preference=self_preference(labels, gaps, judge, resampling),
        position=position,
    )


def gathered(views: Sequence[View], judge: str) -> Gaps:
    columns: list[tuple[Floats, Floats, Ints, Ints]] = []
    for view in views:
        own, people = view.judged(judge), view.mean_human()
        both = np.isfinite(own) & np.isfinite(people)
        columns.append((own[both], people[both], view.panel.cluster[both], view.item[both]))
    if not columns:
        none = np.empty(0, dtype=np.int64)
        return Gaps(np.empty(0), np.empty(0), none, none)
    judged, humans, cluster, item = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return Gaps(judged, humans, cluster, item)


def lengths(labels: LabelSet, gaps: Gaps) -> Floats:
    """(units,): characters of the response, nan if its text is not in the set."""
    known = np.full(len(labels.table.items.names), np.nan)
    for place, name in enumerate(labels.table.items.names):
        item = labels.items.get(name)
        if item is not None and item.response is not None:
            known[place] = len(item.response)
    return known[gaps.item]


def length_effects(labels: LabelSet, gaps: Gaps, resampling: Resampling) -> dict[str, Estimate]:
    size = lengths(labels, gaps)
    if not np.isfinite(size).any():
        note = "the label set has no response texts: add a column response"
        return {side: Estimate(note=note) for side in ("judge", "humans", "excess")}
    found = {}
    for side, values in (("judge", gaps.judge), ("humans", gaps.humans), ("excess", gaps.excess)):
        evidence, metrics = rank_evidence(np.round(values, 9), size, gaps.cluster)
        spearman = [metric for metric in metrics if metric.name == "spearman"]
        found[side] = estimate(evidence, spearman, resampling)["spearman"]
    return found


def sliced(labels: LabelSet, gaps: Gaps, resampling: Resampling) -> Iterator[Slice]:
    for trait, name, chosen in traits(labels, gaps):
        if chosen.any():
            yield Slice(
                trait=trait,
                name=name,
                judge=float(gaps.judge[chosen].mean()),
                humans=float(gaps.humans[chosen].mean()),
                gap=gaps.mean(chosen, resampling),
            )


def traits(labels: LabelSet, gaps: Gaps) -> Iterator[tuple[Trait, str, Flags]]:
    size = lengths(labels, gaps)
    if np.isfinite(size).any():
        edges = np.nanquantile(size, [1 / 3, 2 / 3])
        third = np.where(np.isfinite(size), np.searchsorted(edges, size), -1)
        for place, name in enumerate(LENGTHS):
            yield "length", name, third == place
    items = [labels.items.get(name) for name in labels.table.items.names]
    yield from named("tag", [item.tags if item else () for item in items], gaps)
    yield from named("language", [(item.language,) if item and item.language else () for item in items], gaps)
    yield from named("writer", [(item.writer,) if item and item.writer else () for item in items], gaps)


def named(trait: Trait, names: Sequence[Iterable[str]], gaps: Gaps) -> Iterator[tuple[Trait, str, Flags]]:
    """The items of each name, the most frequent names first."""
    homes: dict[str, list[int]] = {}
    for place, own in enumerate(names):
        for name in own:
            homes.setdefault(name, []).append(place)
    for name in sorted(homes, key=lambda each: (-len(homes[each]), each))[:MOST_SLICES]:
        chosen = np.zeros(len(names), dtype=np.bool_)
        chosen[homes[name]] = True
        yield trait, name, chosen[gaps.item]


def self_preference(labels: LabelSet, gaps: Gaps, judge: str, resampling: Resampling) -> Estimate:
    items = [labels.items.get(name) for name in labels.table.items.names]
    known = np.array([bool(item and item.writer) for item in items], dtype=np.bool_)
    if not known.any():
        return Estimate(note="the label set does not say who wrote the responses: add a column writer")
    wrote = np.array([bool(item and item.writer and same_model(item.writer, judge)) for item in items], dtype=np.bool_)
    own, others = wrote[gaps.item], (known & ~wrote)[gaps.item]
    if not own.any() or not others.any():
        return Estimate(note=f"no rated response is known to be written by {judge!r} itself, or none by another")
    flags = [side.astype(np.float64) for side in (own, others)]
    columns = [flags[0], flags[0] * gaps.excess, flags[1], flags[1] * gaps.excess]
    used = own | others
    return estimate(sums([column[used] for column in columns], gaps.cluster[used]), [CONTRAST], resampling)["contrast"]


def same_model(writer: str, judge: str) -> bool:
    """Whether both names mean one model, like gpt-4 and judge_GPT4."""
    short, long = sorted((re.sub(r"[^a-z0-9]", "", name.lower()) for name in (writer, judge)), key=len)
    return len(short) >= LEAST_NAME and short in long
