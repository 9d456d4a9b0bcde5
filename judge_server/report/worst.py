"""The criterion on which a judge is furthest from people, to stand beside the mean that hides it."""

from judge_server.agreement.metric import Estimate
from judge_server.calibration.headline import NAMES, spoken
from judge_server.core.model import Frozen
from judge_server.report.model import Metrics, Side, WorstCriterion
from judge_server.report.tables import metric_of, pairwise_name


class _Candidate(Frozen):
    """``metric``: the one that speaks for the criterion."""

    criterion: str
    metric: str
    judge: Estimate
    humans: Estimate
    gap: Estimate


def worst_criterion(side: Side, humans: dict[str, Metrics], statements: dict[str, str]) -> WorstCriterion | None:
    """The criterion with the lowest difference to people; with the lowest own figure if no difference is known.

    None for a single criterion, and if no criterion has a figure.
    """
    if len(side.criteria) < 2:
        return None
    every = [candidate(name, side, humans) for name in side.criteria]
    known = [one for one in every if one.judge.value is not None]
    if not known:
        return None
    beside = [one for one in known if one.gap.value is not None]
    found = min(beside or known, key=lambda one: (one.gap if beside else one.judge).value or 0.0)
    statement = statements.get(found.criterion)
    return WorstCriterion(
        criterion=found.criterion,
        statement=statement,
        text=sentence(found, statement, len(known), len(every) - len(known)),
        judge=found.judge,
        humans=found.humans,
        gap=found.gap,
    )


def candidate(name: str, side: Side, humans: dict[str, Metrics]) -> _Candidate:
    metric = metric_of(side.details[name], side.criteria[name])
    key = pairwise_name(metric)
    return _Candidate(
        criterion=name,
        metric=metric,
        judge=side.criteria[name].get(key, Estimate()),
        humans=humans.get(name, {}).get(key, Estimate()),
        gap=side.gap.get(name, Estimate()),
    )


def sentence(found: _Candidate, statement: str | None, measured: int, unmeasured: int) -> str:
    """In words; the lowest of several figures is low partly by chance, and the sentence says so."""
    named = f"{found.criterion} ({statement})" if statement else found.criterion
    text = f"Worst of {measured:,} criteria: {named}, {NAMES.get(found.metric, found.metric)} {spoken(found.judge)}"
    if found.humans.value is not None:
        text += f"; people agree with each other at {spoken(found.humans)}"
    if not found.judge.has_interval:
        text += "; not enough evidence for an interval"
    text += ". The lowest of several figures is partly chance."
    if unmeasured:
        text += f" {unmeasured:,} more {'has' if unmeasured == 1 else 'have'} no figure at all."
    return text
