"""The lowest reward of a rubric, as the criterion values that give it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from math import inf

from judge_server.core.aggregation import Formula
from judge_server.core.criterion import AnyLeaf, Criterion, Group, Scale, leaves, nodes
from judge_server.core.reward import reward
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.util.lru import BoundedCache

_SINGLE_LEAVES = 64
_MOST_WORK = 20_000  # verdicts aggregated in one search: less than a second, even for the largest rubric
_known: BoundedCache[tuple[str, frozenset[str]], dict[str, float]] = BoundedCache(128)


def worst_case_values(rubric: Rubric, applicable: frozenset[str]) -> Mapping[str, float]:
    """The value of each applicable leaf. Usually the sign of the points tells which end is worse. A formula, or a gate
    that fires at the better end, may reverse that: then each leaf and component is tried at both ends."""
    key = (rubric.digest, applicable)
    return _known.get_or_make(key, lambda: _search(rubric, applicable))


def _search(rubric: Rubric, applicable: frozenset[str]) -> dict[str, float]:
    values = {leaf.id: _end(leaf, rubric.worst_values[leaf.id]) for leaf in rubric.leaves if leaf.id in applicable}
    if not values or _signs_suffice(rubric, values):
        return values
    lowest = _reward(rubric, values)
    tries = product((*_components(rubric), *_components(rubric)), (0.0, 1.0))
    for some, end in islice(tries, _MOST_WORK // len(rubric.leaves)):
        tried = values | {leaf.id: _end(leaf, end) for leaf in some if leaf.id in values}
        found = _reward(rubric, tried)
        if found < lowest:
            values, lowest = tried, found
    return values


def _signs_suffice(rubric: Rubric, values: Mapping[str, float]) -> bool:
    aggregates = [rubric.aggregate, *(node.aggregate for node in nodes(rubric.criteria) if isinstance(node, Group))]
    if any(isinstance(aggregate, Formula) for aggregate in aggregates):
        return False
    gated = [leaf for leaf in rubric.leaves if leaf.gate and leaf.id in values]
    return all(leaf.gate is None or leaf.gate.fires(values[leaf.id]) for leaf in gated)


def _components(rubric: Rubric) -> Iterator[Sequence[AnyLeaf]]:
    """Sets of leaves to change together: the leaves below each name in a formula, then single leaves."""
    yield from _named(rubric.aggregate, rubric.criteria)
    for node in nodes(rubric.criteria):
        if isinstance(node, Group):
            yield from _named(node.aggregate, node.criteria)
    if len(rubric.leaves) <= _SINGLE_LEAVES:
        yield from ([leaf] for leaf in rubric.leaves)
    else:
        yield from ([leaf] for leaf in rubric.leaves if leaf.gate)


def _named(aggregate: object, criteria: tuple[Criterion, ...]) -> Iterator[Sequence[AnyLeaf]]:
    if not isinstance(aggregate, Formula):
        return
    for name in sorted(aggregate.parsed.names):
        direct = [criterion for criterion in criteria if criterion.id == name]
        below = list(leaves(tuple(direct))) or [leaf for leaf in leaves(criteria) if name in leaf.tags]
        if below:
            yield below


def _end(leaf: AnyLeaf, value: float) -> float:
    if isinstance(leaf, Scale):
        return leaf.options[0 if value < 0.5 else -1].value
    return value


def _reward(rubric: Rubric, values: Mapping[str, float]) -> float:
    verdicts = [
        Verdict(criterion=leaf.id, status=VerdictStatus.OK, source="guard", points=leaf.points, value=values[leaf.id])
        if leaf.id in values
        else Verdict(criterion=leaf.id, status=VerdictStatus.NOT_APPLICABLE, source="guard", points=leaf.points)
        for leaf in rubric.leaves
    ]
    found = reward(rubric, verdicts).reward
    return inf if found is None else found
