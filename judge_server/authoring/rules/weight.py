"""Rules on points and on what the aggregation makes of them."""

from collections.abc import Iterable, Iterator
from itertools import islice, product
from math import fsum

from judge_server.authoring.finding import Path, Severity
from judge_server.authoring.rule import Remark, leaves_of, located, rule
from judge_server.core.aggregation import AggregationBase, AllOf, AnyOf, Formula, Points
from judge_server.core.criterion import Criterion, Group, leaves
from judge_server.core.expression import UndefinedResult
from judge_server.core.rubric import Rubric

_DOMINANT = 0.5
_MOST_CORNERS = 4_096


def aggregations(rubric: Rubric) -> Iterator[tuple[Path, AggregationBase, tuple[Criterion, ...]]]:
    """The rubric's aggregation and those of its groups, each with its criteria."""
    yield ("aggregate",), rubric.aggregate, rubric.criteria
    for path, node in located(rubric):
        if isinstance(node, Group):
            yield (*path, "aggregate"), node.aggregate, node.criteria


@rule("no-positive-points", Severity.ERROR)
def no_positive_points(rubric: Rubric) -> Iterable[Remark]:
    """``points`` divides by the sum of the positive points. Without any the reward is always null."""
    for path, aggregate, criteria in aggregations(rubric):
        if isinstance(aggregate, Points) and not any(criterion.points > 0 for criterion in criteria):
            yield Remark(path, "no criterion has positive points: the score is undefined", "reward something")


@rule("only-conditional-points", Severity.WARNING)
def only_conditional_points(rubric: Rubric) -> Iterable[Remark]:
    """Every positive criterion is conditional: a submission that meets none of the conditions has no reward."""
    if not isinstance(rubric.aggregate, Formula) and all(criterion.when for criterion in rubric.criteria):
        yield Remark(("criteria",), "every criterion is conditional", "keep one that applies to every submission")
    elif isinstance(rubric.aggregate, Points):
        earning = [criterion for criterion in rubric.criteria if criterion.points > 0]
        if earning and all(criterion.when for criterion in earning):
            message = "every criterion with positive points is conditional"
            yield Remark(("criteria",), message, "keep one that applies to every submission")


@rule("unreachable-full-reward", Severity.WARNING)
def unreachable_full_reward(rubric: Rubric) -> Iterable[Remark]:
    """The best possible response does not reach 1: scores of different rubrics cannot be compared."""
    if rubric.aggregate.scale is not None:
        return
    best = _best(rubric)
    if best is not None and best < 1 - 1e-9:
        message = f"the best possible response gets {best:.3g}, not 1"
        yield Remark(("aggregate",), message, "let the weights sum to 1 at best, or declare the range with scale:")


def _best(rubric: Rubric) -> float | None:
    aggregate = rubric.aggregate
    if isinstance(aggregate, Formula):
        values = list(_corner_values(aggregate))
        highest = max(values, default=None)
    else:
        highest = 1.0
    if highest is None:
        return None
    return min(highest, aggregate.clip[1]) if aggregate.clip else highest


def _corner_values(formula: Formula) -> Iterator[float]:
    """The expression where each component is 0 or 1 (all components between, too, for few of them)."""
    names = sorted(formula.parsed.names - set(formula.parameters))
    grid = (0.0, 0.5, 1.0) if len(names) <= 7 else (0.0, 1.0)
    for corner in islice(product(grid, repeat=len(names)), _MOST_CORNERS):
        try:
            yield formula.parsed.evaluate({**formula.parameters, **dict(zip(names, corner, strict=True))})
        except UndefinedResult:
            continue


@rule("undefined-expression", Severity.WARNING)
def undefined_expression(rubric: Rubric) -> Iterable[Remark]:
    """The expression has no finite value for some components in [0, 1] (a division by zero, the logarithm of 0):
    such responses get no reward."""
    for path, aggregate, _ in aggregations(rubric):
        if not isinstance(aggregate, Formula):
            continue
        names = sorted(aggregate.parsed.names - set(aggregate.parameters))
        for corner in islice(product((0.0, 1.0), repeat=len(names)), _MOST_CORNERS):
            try:
                aggregate.parsed.evaluate({**aggregate.parameters, **dict(zip(names, corner, strict=True))})
            except UndefinedResult:
                where = ", ".join(f"{name}={value:g}" for name, value in zip(names, corner, strict=True))
                message = f"the expression has no value at {where}"
                yield Remark((*path, "expression"), message, "guard it with max(...)")
                break


@rule("clip-hides-differences", Severity.WARNING)
def clip_hides_differences(rubric: Rubric) -> Iterable[Remark]:
    """The clip begins above 0 or ends below 1: responses that differ get the same reward."""
    for path, aggregate, _ in aggregations(rubric):
        if aggregate.clip is None:
            continue
        low, high = aggregate.clip
        if low > 0 or high < 1:
            message = f"clip [{low:g}, {high:g}] gives different responses the same reward"
            yield Remark((*path, "clip"), message, "clip to [0, 1] or wider; use scale: to map onto another range")


@rule("clip-without-effect", Severity.INFO)
def clip_without_effect(rubric: Rubric) -> Iterable[Remark]:
    """Every value lies inside the clip already: it suggests a safety that is not needed."""
    for path, aggregate, criteria in aggregations(rubric):
        if aggregate.clip is None or aggregate.length_adjustment or isinstance(aggregate, Formula):
            continue
        low = _lowest(criteria) if isinstance(aggregate, Points) else 0.0
        if aggregate.clip[0] < low and aggregate.clip[1] > 1:
            yield Remark((*path, "clip"), "the clip lies outside of every possible value", "remove it")


def _lowest(criteria: tuple[Criterion, ...]) -> float:
    possible = fsum(max(criterion.points, 0) for criterion in criteria)
    return fsum(min(criterion.points, 0) for criterion in criteria) / possible if possible else 0.0


@rule("zero-points", Severity.WARNING)
def zero_points(rubric: Rubric) -> Iterable[Remark]:
    """A criterion worth nothing, without a gate and not read by an expression: it costs a judge call for nothing."""
    for _, aggregate, criteria in aggregations(rubric):
        if isinstance(aggregate, Formula | AllOf | AnyOf):
            continue
        weightless = [criterion for criterion in criteria if criterion.points == 0]
        for path, node in located(rubric):
            if any(node is criterion for criterion in weightless) and not _gated(node):
                yield Remark((*path, "points"), f"{node.id!r} is worth 0 points and has no gate", "give it points")


def _gated(node: Criterion) -> bool:
    return any(leaf.gate is not None for leaf in leaves((node,)))


@rule("points-without-effect", Severity.INFO)
def points_without_effect(rubric: Rubric) -> Iterable[Remark]:
    """``all`` and ``any`` read only the sign of points; different sizes suggest that another aggregation was meant."""
    for path, aggregate, criteria in aggregations(rubric):
        if isinstance(aggregate, AllOf | AnyOf) and len({abs(criterion.points) for criterion in criteria}) > 1:
            message = f"the size of points has no effect under kind: {aggregate.kind}"
            yield Remark(path, message, "use points or weighted_mean if the sizes matter")


@rule("dominant-criterion", Severity.INFO)
def dominant_criterion(rubric: Rubric) -> Iterable[Remark]:
    """One criterion carries more than half of the positive points of four or more: the rest hardly matters."""
    for _, aggregate, criteria in aggregations(rubric):
        earning = [criterion for criterion in criteria if criterion.points > 0]
        total = fsum(criterion.points for criterion in earning)
        if isinstance(aggregate, Formula | AllOf | AnyOf) or len(earning) < 4:
            continue
        for path, node in located(rubric):
            if any(node is criterion for criterion in earning) and node.points > _DOMINANT * total:
                share = node.points / total
                yield Remark((*path, "points"), f"{node.id!r} has {share:.0%} of the positive points", "split it")


@rule("not-in-expression", Severity.WARNING)
def not_in_expression(rubric: Rubric) -> Iterable[Remark]:
    """A criterion that the expression reads neither by id nor by tag, and that has no gate, changes nothing."""
    for path, aggregate, criteria in aggregations(rubric):
        if not isinstance(aggregate, Formula):
            continue
        names = aggregate.parsed.names
        for index, criterion in enumerate(criteria):
            tags = {tag for leaf in leaves((criterion,)) for tag in leaf.tags}
            if criterion.id not in names and not tags & names and not _gated(criterion):
                where = (*path[:-1], "criteria", index)
                yield Remark(
                    where, f"the expression reads neither {criterion.id!r} nor its tags", "name it, or drop it"
                )


@rule("unused-parameter", Severity.WARNING)
def unused_parameter(rubric: Rubric) -> Iterable[Remark]:
    """A parameter that the expression does not read is usually a misspelt one."""
    for path, aggregate, _ in aggregations(rubric):
        if isinstance(aggregate, Formula):
            for name in sorted(set(aggregate.parameters) - aggregate.parsed.names):
                message = f"the expression does not read the parameter {name!r}"
                yield Remark((*path, "parameters", name), message, "use it or remove it")


@rule("all-negative-tag", Severity.INFO)
def all_negative_tag(rubric: Rubric) -> Iterable[Remark]:
    """Under ``points`` a tag whose criteria (two or more) all have negative points has no score of its own in the
    components: there is nothing positive to divide by."""
    if not isinstance(rubric.aggregate, Points):
        return
    seen: dict[str, list[tuple[Path, float]]] = {}
    for path, leaf in leaves_of(rubric):
        for tag in leaf.tags:
            seen.setdefault(tag, []).append((path, leaf.points))
    for tag, found in seen.items():
        if len(found) > 1 and all(points <= 0 for _, points in found) and any(points < 0 for _, points in found):
            message = f"every criterion tagged {tag!r} has negative points: the tag gets no score"
            yield Remark((*found[0][0], "tags"), message, "tag a positive criterion too")


RULES = (
    no_positive_points,
    only_conditional_points,
    unreachable_full_reward,
    undefined_expression,
    clip_hides_differences,
    clip_without_effect,
    zero_points,
    points_without_effect,
    dominant_criterion,
    not_in_expression,
    unused_parameter,
    all_negative_tag,
)
