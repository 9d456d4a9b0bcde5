"""Fits a judge's values to people's labels, cross-validated by prompt; refuses if there are too few labels.

The locked test split is never read: everything here works on the dev split.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from pydantic import Field

from judge_server.agreement.array import Floats, ratio
from judge_server.agreement.evidence import sums
from judge_server.agreement.interval import estimate
from judge_server.agreement.metric import Metric
from judge_server.agreement.probability import brier, expected_calibration_error, probability_evidence
from judge_server.agreement.resampling import Resampling
from judge_server.calibration import curve_fitting
from judge_server.calibration.curve_fitting import METHODS, Method, thresholds_for
from judge_server.calibration.matching import Match, match
from judge_server.calibration.pairing import Pairs, joined, pairs_of
from judge_server.core.calibration import RULES
from judge_server.core.criterion import CheckCriterion
from judge_server.core.fitted_map import FittedMap, MapSet, Quality
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet

GAIN = Metric("gain", lambda totals: ratio(totals[:, 1], totals[:, 0]), "there are no labels")


class Demands(Frozen):
    """The data that a curve needs: ``labels`` of people, from ``clusters`` different prompts, ``rarer`` of them other
    than the most common label. ``false_positive_rates``: the targets for thresholds."""

    labels: int = Field(default=50, ge=10)
    clusters: int = Field(default=20, ge=2)
    rarer: int = Field(default=10, ge=2)
    folds: int = Field(default=5, ge=2)
    false_positive_rates: tuple[float, ...] = (0.05,)


class MethodTrial(Frozen):
    """One method on held-out labels; without figures if the curve would not rise."""

    method: Method
    brier: float | None = None
    ece: float | None = None


class CriterionFit(Frozen):
    """The result for one criterion. ``pool``: the labels used (``criterion``, ``tag NAME``, ``rubric``). ``brier`` and
    ``ece`` are those of the raw values, on the same labels as the trials'."""

    criterion: str
    outcome: Literal["fitted", "kept raw", "too few labels"]
    pool: str = "criterion"
    labels: int = 0
    clusters: int = 0
    brier: float | None = None
    ece: float | None = None
    trials: tuple[MethodTrial, ...] = ()
    fitted: FittedMap | None = None
    reason: str | None = None
    needed: dict[str, int] = Field(default_factory=dict)


def fit(
    labels: LabelSet, judge: str, rubric: Rubric, demands: Demands | None = None, *, partial: bool = False
) -> tuple[CriterionFit, ...]:
    """One result for each criterion, in the rubric's order. Raises BadInput if labels, judge and rubric do not match,
    MissingDependency without scikit-learn."""
    wanted = demands or Demands()
    matches = match(rubric, labels, partial=partial)
    pairs = pairs_of(labels.split("dev"), judge, matches)
    judged = {name: one for name, one in matches.items() if not isinstance(one.criterion, CheckCriterion)}
    return tuple(_fit_criterion(name, judged, pairs, wanted) for name in judged)


def map_set(
    fits: Sequence[CriterionFit], *, judge: str, fingerprint: str, rubric: Rubric, labels: LabelSet
) -> MapSet | None:
    """The artefact; None if every criterion stays raw."""
    maps = {one.criterion: one.fitted for one in fits if one.fitted is not None}
    if not maps:
        return None
    return MapSet(
        judge=judge,
        fingerprint=fingerprint,
        rubric=rubric.reference,
        labels=labels.digest,
        maps=maps,
        items=_fitted_items(labels, judge, maps),
        rules=RULES,
        created_at=datetime.now(UTC),
    )


def _fitted_items(labels: LabelSet, judge: str, maps: Mapping[str, FittedMap]) -> tuple[str, ...]:
    """The items whose labels chose the curves: all items of the dev split with a value by the judge."""
    table = labels.split("dev").table
    own = table.annotators.codes == table.annotators.index(judge)
    return tuple(sorted({table.items.names[code] for code in table.items.codes[own]})) if maps else ()


def _fit_criterion(
    name: str, matches: Mapping[str, Match], pairs: Mapping[str, Pairs], demands: Demands
) -> CriterionFit:
    """Fit on the criterion's own labels, else on those of its first tag that has enough, else on the rubric's."""
    own = matches[name]
    alike = [other for other, match_ in matches.items() if match_.binary == own.binary]
    pools = [("criterion", [name])]
    pools += [(f"tag {tag}", [o for o in alike if tag in matches[o].criterion.tags]) for tag in own.criterion.tags]
    pools.append(("rubric", alike))
    pool, gathered, lacking = "criterion", pairs[name], dict[str, tuple[int, int]]()
    for pool, members in pools:
        gathered = pairs[name] if members == [name] else joined(pairs[member] for member in members)
        lacking = _missing(gathered, demands)
        if not lacking:
            return _fit_pool(name, pool, gathered, demands, binary=own.binary)
    return CriterionFit(  # of the widest pool
        criterion=name,
        outcome="too few labels",
        pool=pool,
        labels=len(gathered),
        clusters=gathered.clusters,
        reason=", ".join(f"{found} of the {needed} {what} needed" for what, (found, needed) in lacking.items()),
        needed={what: needed for what, (_, needed) in lacking.items()},
    )


def _missing(pairs: Pairs, demands: Demands) -> dict[str, tuple[int, int]]:
    """The shortages: the number found and the number needed."""
    present = {
        "labels": (len(pairs), demands.labels),
        "prompts": (pairs.clusters, demands.clusters),
        "labels of the rarer kind": (pairs.rarer, demands.rarer),
    }
    return {what: (found, needed) for what, (found, needed) in present.items() if found < needed}


def _fit_pool(name: str, pool: str, pairs: Pairs, demands: Demands, *, binary: bool) -> CriterionFit:
    before, error_before = _scores(pairs.raw, pairs)
    held_out = {method: _held_out(method, pairs, demands.folds) for method in METHODS}
    trials = {method: _trial(method, values, pairs) for method, values in held_out.items()}
    raw = CriterionFit(
        criterion=name,
        outcome="kept raw",
        pool=pool,
        labels=len(pairs),
        clusters=pairs.clusters,
        brier=before,
        ece=error_before,
        trials=tuple(trials.values()),
        reason="the judge's values do not rise with people's labels",
    )
    if all(values is None for values in held_out.values()):
        return raw
    values = _chosen_outside(pairs, demands.folds)
    after, error_after = _scores(values, pairs)
    if not lowers_brier(values, pairs):
        return raw.model_copy(update={"reason": "no curve lowers the Brier score on held-out labels significantly"})
    best = min((trial for trial in trials.values() if trial.brier is not None), key=lambda one: one.brier or 0.0)
    curve = curve_fitting.fit(best.method, pairs.raw, pairs.target)
    if curve is None:
        return raw
    quality = Quality(
        labels=len(pairs),
        items=pairs.items,
        clusters=pairs.clusters,
        folds=demands.folds,
        brier_before=before,
        brier_after=after,
        ece_before=error_before,
        ece_after=error_after,
    )
    thresholds = thresholds_for(values, pairs, demands.false_positive_rates) if binary else ()
    fitted = FittedMap(curve=curve, pool=pool, quality=quality, thresholds=thresholds)
    return raw.model_copy(update={"outcome": "fitted", "fitted": fitted, "reason": None})


def _held_out(method: Method, pairs: Pairs, most_folds: int) -> Floats | None:
    """Each label's fitted value from a curve fitted without its prompt; None if a curve would not rise."""
    values = np.full(len(pairs), np.nan)
    for train, test in curve_fitting.folds(pairs.cluster, most_folds):
        curve = curve_fitting.fit(method, pairs.raw[train], pairs.target[train])
        if curve is None:
            return None
        values[test] = curve_fitting.applied(curve, pairs.raw[test])
    return values


def _chosen_outside(pairs: Pairs, most_folds: int) -> Floats:
    """Each label's value from the whole procedure without its prompt. The method is also chosen on the other prompts,
    so that the choice biases no figure. Raw values if no curve rises."""
    values = pairs.raw.copy()
    for train, test in curve_fitting.folds(pairs.cluster, most_folds):
        inner = Pairs(pairs.raw[train], pairs.target[train], pairs.item[train], pairs.cluster[train])
        scored = [
            (_scores(held, inner)[0], method)
            for method in METHODS
            if (held := _held_out(method, inner, most_folds)) is not None
        ]
        if not scored:
            continue
        curve = curve_fitting.fit(min(scored)[1], inner.raw, inner.target)
        if curve is not None:
            values[test] = curve_fitting.applied(curve, pairs.raw[test])
    return values


def lowers_brier(values: Floats, pairs: Pairs) -> bool:
    """Whether the 95 % interval of the gain in squared error, paired by label and clustered by prompt, excludes 0."""
    gain = (pairs.raw - pairs.target) ** 2 - (values - pairs.target) ** 2
    found = estimate(sums([np.ones(len(gain)), gain], pairs.cluster), [GAIN], Resampling(min_clusters=2, min_items=2))
    return found["gain"].low is not None and found["gain"].low > 0


def _trial(method: Method, values: Floats | None, pairs: Pairs) -> MethodTrial:
    if values is None:
        return MethodTrial(method=method)
    score, error = _scores(values, pairs)
    return MethodTrial(method=method, brier=score, ece=error)


def _scores(values: Floats, pairs: Pairs) -> tuple[float, float]:
    """Brier score and expected calibration error in 10 bins."""
    total = probability_evidence(values, pairs.target, pairs.cluster).total()
    return float(brier(total)[0]), float(expected_calibration_error(total)[0])
