"""The scopes of a policy's rules: all criteria on one scale, one criterion, or one kind of items."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from judge_server.agreement.array import Flags, Ints
from judge_server.agreement.panel import JudgeColumn, RatingPanel
from judge_server.calibration.panels import View, pooled, views
from judge_server.calibration.policy import PolicyRule
from judge_server.core.criterion import AnyLeaf
from judge_server.core.errors import BadConfiguration
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet

_POSITIVE_ONLY = ("false_positive_rate", "youden_j", "brier", "ece", "calibration_", "sensitivity", "specificity")
_WEIGHTY = 0.1  # share of the points that makes a criterion important
_MOST_TAGS = 40


@dataclass(frozen=True)
class Scope:
    """A rule's scope: one criterion, or all on one scale (``criterion`` None), on all items or those with ``tag``;
    ``note`` names it."""

    view: View
    criterion: str | None
    note: str
    tag: str | None = None


@dataclass(frozen=True)
class Material:
    """One judge's views: ``together`` by scale, ``single`` by criterion. ``important`` criteria have to pass
    individually."""

    labels: LabelSet
    together: tuple[View, ...]
    single: Mapping[str, View]
    important: frozenset[str]


def material(labels: LabelSet, judge: str, rubric: Rubric | None) -> Material:
    together = tuple(view for view in pooled(labels) if judge in view.panel.judges)
    single = {view.criteria[0]: view for view in views(labels) if judge in view.panel.judges}
    return Material(labels, together, single, important(single, rubric))


def important(criteria: Mapping[str, View], rubric: Rubric | None) -> frozenset[str]:
    """Criteria with a gate or at least a tenth of the points; without a rubric all criteria."""
    if rubric is None:
        return frozenset(criteria)
    points = {leaf.id: abs(points_of(leaf)) for leaf in rubric.leaves}
    whole = sum(points.values())
    return frozenset(
        leaf.id
        for leaf in rubric.leaves
        if leaf.id in criteria and (leaf.gate is not None or points[leaf.id] >= _WEIGHTY * whole)
    )


def points_of(leaf: AnyLeaf) -> float:
    return float(leaf.points)


def scopes(rule: PolicyRule, found: Material) -> Iterator[Scope]:
    """Raises BadConfiguration for a criterion that the judge has no labels for."""
    for scope in _all_scopes(rule, found):
        # a false-positive rate is demanded only if there is a positive label
        if not rule.metric.startswith(_POSITIVE_ONLY) or scope.view.scale.positive is not None:
            yield scope


def _all_scopes(rule: PolicyRule, found: Material) -> Iterator[Scope]:
    if rule.over == "each tag":
        yield from _kinds(found)
    elif rule.criteria or rule.over != "all criteria":
        for name in _named(rule, found):
            yield Scope(found.single[name], name, f"on the criterion {name}")
    else:
        for view in found.together:
            alone = len(found.together) == 1
            named = ", ".join(view.criteria[:5]) + ("…" if len(view.criteria) > 5 else "")
            note = "over all criteria" if alone else f"over the criteria {named}"
            yield Scope(view, view.criteria[0] if len(view.criteria) == 1 else None, note)


def _named(rule: PolicyRule, found: Material) -> Sequence[str]:
    """With a single criterion the overall scope covers it: it is not checked twice."""
    if (
        not rule.criteria
        and len(found.single) == 1
        and (rule.over == "important criteria" or rule.bar == "not shown bad")
    ):
        return ()
    names = rule.criteria or [name for name in found.single if rule.over == "each criterion" or name in found.important]
    for name in names:
        if name not in found.single:
            raise BadConfiguration(
                f"The policy has a rule for the criterion {name!r}, which this judge has no labels for.",
                remedy=f"Criteria that it has: {', '.join(found.single) or 'none'}.",
            )
    return names


def _kinds(found: Material) -> Iterator[Scope]:
    """The items of each tag, the most frequent tags first."""
    names = found.labels.table.items.names
    homes: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        for tag in found.labels.items[name].tags if name in found.labels.items else ():
            homes.setdefault(tag, []).append(place)
    for tag in sorted(homes, key=lambda each: (-len(homes[each]), each))[:_MOST_TAGS]:
        for view in found.together:
            units = np.isin(view.item, homes[tag])
            if units.any() and not units.all():
                yield Scope(replace(view, panel=view.panel.restricted(units)), None, f"on items of the kind {tag}", tag)


def missing_as_wrong(view: View, judge: str) -> View:
    """The view with each missing label of the judge replaced by the label that fewest people gave.

    These are the worst-case bounds of Manski (1990), Am. Econ. Rev. 80:319: the figure if all missing labels were
    wrong.
    """
    panel, own = view.panel, view.panel.judges[judge]
    counts = panel.humans.counts()
    lacking: Flags = (counts.sum(axis=1) > 0) & (own.codes < 0)
    if own.is_score or not lacking.any():
        return view
    wrong = furthest(panel)[lacking]
    codes, values = own.codes.copy(), own.values.copy()
    codes[lacking] = wrong
    values[lacking] = panel.scale.numbers[wrong]
    judges = {**panel.judges, judge: JudgeColumn(codes, values, own.probabilities)}
    return replace(view, panel=replace(panel, judges=judges))


def furthest(panel: RatingPanel) -> Ints:
    """(items,): the label that people's labels are furthest from; without an order, the one fewest of them gave."""
    counts = panel.humans.counts()
    if panel.scale.values is None:
        return np.asarray(counts.argmin(axis=1), dtype=np.int64)
    numbers = panel.scale.numbers
    distance = np.abs(numbers[:, np.newaxis] - numbers[np.newaxis, :])
    return np.asarray((counts @ distance).argmax(axis=1), dtype=np.int64)
