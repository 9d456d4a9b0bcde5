"""Verdicts → reward. A pure function: the same rubric and verdicts give the same outcome, with no model asked.

A missing verdict never becomes a number by itself. The rubric's policy says what happens: ``null`` gives no reward,
``skip`` leaves the criterion out, ``worst`` takes its worst value; the last two need ``min_coverage`` of the weight.
A gate that fired lowers the reward to at most its own, whatever else is missing; a gate that could not be read
leaves the reward undecided unless the policy is ``worst``.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum, isfinite

from judge_server.core.aggregate import NOT_APPLICABLE, UNDECIDED, Part, combine, component, points_score
from judge_server.core.aggregation import Aggregation, Formula
from judge_server.core.criterion import AnyLeaf, Criterion, Gate, Group, leaves, nodes
from judge_server.core.expression import UndefinedResult
from judge_server.core.outcome import GateFired, JudgmentStatus, Outcome, StepReward
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Failure, Verdict


def reward(rubric: Rubric, verdicts: Sequence[Verdict], response_characters: int = 0) -> Outcome:
    """Aggregate ``verdicts`` under ``rubric``.

    ``response_characters`` is the length of the response, read by length adjustment only. A criterion without any
    verdict counts as missing. Raises ValueError for a verdict on a criterion that the rubric does not have.
    """
    return _Aggregator(rubric, verdicts, response_characters).outcome()


@dataclass(frozen=True, slots=True)
class _Gates:
    fired: tuple[GateFired, ...]
    unread: tuple[Gate, ...]

    @property
    def ceiling(self) -> float | None:
        return min((gate.reward for gate in self.fired), default=None)


class _Aggregator:
    def __init__(self, rubric: Rubric, verdicts: Sequence[Verdict], characters: int) -> None:
        self.rubric, self.characters = rubric, characters
        self.policy = rubric.missing.policy
        self.verdicts: dict[str, list[Verdict]] = defaultdict(list)
        for verdict in verdicts:
            if verdict.criterion not in rubric.by_id:
                raise ValueError(f"a verdict on {verdict.criterion!r}, which {rubric.name} does not have")
            self.verdicts[verdict.criterion].append(verdict)
        self.parts: dict[str, Part] = {leaf.id: self._read(leaf) for leaf in rubric.leaves}
        for node in reversed(list(nodes(rubric.criteria))):
            if isinstance(node, Group):
                self.parts[node.id] = self._group(node)

    def _read(self, leaf: AnyLeaf) -> Part:
        """What is known of a leaf: the mean over its verdicts, which are several for step criteria."""
        found = [verdict for verdict in self.verdicts[leaf.id] if verdict.decided or verdict.missing]
        if self.verdicts[leaf.id] and not found:
            return NOT_APPLICABLE
        values = [verdict.value for verdict in found if verdict.value is not None]
        absent = len(found) - len(values) if found else 1
        if absent and self.policy == "worst":
            values += [leaf.worst_value] * absent
        if not values or (absent and self.policy == "null"):
            return UNDECIDED
        return Part(True, fsum(values) / len(values))

    def _group(self, group: Group) -> Part:
        children = self._children(group.criteria)
        if not any(part.applicable for _, part in children):
            return NOT_APPLICABLE
        try:
            value = self._combine(group.aggregate, group.criteria)
        except UndefinedResult:
            value = None
        if value is None:
            return UNDECIDED
        return Part(True, min(max(group.aggregate.finish(value, self.characters), 0.0), 1.0))

    def _children(self, criteria: Sequence[Criterion]) -> list[tuple[Criterion, Part]]:
        return [(criterion, self.parts[criterion.id]) for criterion in criteria]

    def _combine(self, aggregate: Aggregation, criteria: tuple[Criterion, ...]) -> float | None:
        children = [(criterion, part) for criterion, part in self._children(criteria) if part.applicable]
        if self.policy == "null" and any(part.value is None for _, part in children):
            return None
        decided = [(criterion.points, part.value) for criterion, part in children if part.value is not None]
        if not decided:
            return None
        if isinstance(aggregate, Formula):
            return self._formula(aggregate, criteria)
        return combine(aggregate, decided)

    def _formula(self, formula: Formula, criteria: tuple[Criterion, ...]) -> float | None:
        """None where a name it reads is undecided or does not apply here."""
        values: dict[str, float] = dict(formula.parameters)
        direct = {criterion.id for criterion in criteria}
        for name in formula.parsed.names - set(values):
            value = self.parts[name].value if name in direct else component(self._tagged(name, criteria))
            if value is None:
                return None
            values[name] = value
        return formula.parsed.evaluate(values)

    def _tagged(self, tag: str, criteria: tuple[Criterion, ...]) -> list[tuple[float, Part]]:
        return [(leaf.points, self.parts[leaf.id]) for leaf in leaves(criteria) if tag in leaf.tags]

    def outcome(self) -> Outcome:
        missing = [verdict for found in self.verdicts.values() for verdict in found if verdict.missing]
        unheard = [leaf.id for leaf in self.rubric.leaves if not self.verdicts[leaf.id]]
        coverage = self._coverage()
        gates = self._gates()
        applicable = any(part.applicable for part in self.parts.values())
        value, failure = self._value(coverage, gates) if applicable else (None, _NOTHING_APPLIES)
        if value is None and (missing or unheard):
            failure = _cause(missing, unheard, failure)
        decided = any(verdict.decided for found in self.verdicts.values() for verdict in found)
        complete = not missing and not unheard
        if complete:
            status = JudgmentStatus.OK if value is not None else JudgmentStatus.FAILED
        else:
            status = JudgmentStatus.PARTIAL if decided else JudgmentStatus.FAILED
        return Outcome(
            reward=value,
            status=status,
            coverage=coverage,
            components=self._components(),
            step_rewards=tuple(self._step_rewards()),
            gates=gates.fired,
            error=failure if value is None else None,
        )

    def _value(self, coverage: float, gates: _Gates) -> tuple[float | None, Failure | None]:
        base, failure = self._base(coverage)
        if self.policy == "null" and coverage < 1:
            return None, failure
        ceiling = gates.ceiling
        if ceiling is not None and base is None:
            lowest = self.rubric.aggregate.floor
            return (ceiling, None) if lowest is not None and lowest >= ceiling else (None, failure)
        value = base if ceiling is None or base is None else min(base, ceiling)
        if value is not None and any(gate.reward < value for gate in gates.unread):
            return None, Failure(type="gate_undecided", detail="A gate could not be read, and it might have fired.")
        return value, failure

    def _base(self, coverage: float) -> tuple[float | None, Failure | None]:
        needed = 1.0 if self.policy == "null" else self.rubric.missing.min_coverage
        if coverage < needed:
            return None, Failure(
                type="insufficient_coverage",
                detail=f"{coverage:.0%} of the criterion weight is decided; the rubric needs {needed:.0%}.",
            )
        try:
            value = self._combine(self.rubric.aggregate, self.rubric.criteria)
        except UndefinedResult as fault:
            return None, Failure(type="undefined_reward", detail=str(fault))
        if value is None:
            return None, _UNDEFINED
        value = self.rubric.aggregate.finish(value, self.characters)
        return (value, None) if isfinite(value) else (None, _UNDEFINED)

    def _gates(self) -> _Gates:
        fired: list[GateFired] = []
        unread: list[Gate] = []
        for leaf in self.rubric.leaves:
            if leaf.gate is None:
                continue
            found = self.verdicts[leaf.id]
            values = [verdict.value for verdict in found if verdict.value is not None]
            absent = not found or any(verdict.missing for verdict in found)
            if absent and self.policy == "worst":
                values.append(1.0 if leaf.gate.when == "met" else 0.0)
            if any(leaf.gate.fires(value) for value in values):
                fired.append(GateFired(criterion=leaf.id, when=leaf.gate.when, reward=leaf.gate.reward))
            elif absent:
                unread.append(leaf.gate)
        return _Gates(tuple(fired), tuple(unread))

    def _coverage(self) -> float:
        """Share of the applicable weight that has a verdict; exactly 1.0 when nothing is missing."""
        shares = list(self._shares(self.rubric.criteria, 1.0))
        if not shares:
            return 0.0
        decided = [share * self._decided_share(leaf) for leaf, share in shares]
        complete = all(self._decided_share(leaf) == 1.0 for leaf, _ in shares)
        return 1.0 if complete else min(fsum(decided), 1.0 - 1e-12)

    def _decided_share(self, leaf: AnyLeaf) -> float:
        found = [verdict for verdict in self.verdicts[leaf.id] if verdict.decided or verdict.missing]
        return sum(verdict.decided for verdict in found) / len(found) if found else 0.0

    def _shares(self, criteria: Sequence[Criterion], share: float) -> Iterator[tuple[AnyLeaf, float]]:
        """Each applicable leaf with its share of the whole weight; siblings share by their absolute points."""
        children = [criterion for criterion, part in self._children(criteria) if part.applicable]
        total = fsum(abs(criterion.points) for criterion in children)
        for criterion in children:
            own = share * (abs(criterion.points) / total if total else 1 / len(children))
            if isinstance(criterion, Group):
                yield from self._shares(criterion.criteria, own)
            else:
                yield criterion, own

    def _components(self) -> dict[str, float | None]:
        """Scores per tag (in the rubric's own arithmetic) and values per group; None where undecided."""
        tags: dict[str, list[tuple[float, Part]]] = defaultdict(list)
        for leaf in self.rubric.leaves:
            for tag in leaf.tags:
                tags[tag].append((leaf.points, self.parts[leaf.id]))
        scored = self.rubric.aggregate.kind == "points"
        result: dict[str, float | None] = {}
        for tag, parts in tags.items():
            applicable = [(points, part) for points, part in parts if part.applicable]
            if not applicable or (scored and not any(points > 0 for points, _ in applicable)):
                continue
            if self.policy == "null" and any(part.value is None for _, part in applicable):
                result[tag] = None
                continue
            decided = [(points, part.value) for points, part in applicable if part.value is not None]
            result[tag] = points_score(decided) if scored else component(applicable)
        for node in nodes(self.rubric.criteria):
            if isinstance(node, Group) and self.parts[node.id].applicable:
                result[node.id] = self.parts[node.id].value
        return result

    def _step_rewards(self) -> Iterator[StepReward]:
        steps: dict[int, list[tuple[AnyLeaf, Verdict]]] = defaultdict(list)
        for leaf in self.rubric.leaves:
            for verdict in self.verdicts[leaf.id]:
                if verdict.step is not None and (verdict.decided or verdict.missing):
                    steps[verdict.step].append((leaf, verdict))
        for index, found in sorted(steps.items()):
            span = next((verdict.span for _, verdict in found if verdict.span), None)
            yield StepReward(index=index, span=span, value=_step_value(found))


_NOTHING_APPLIES = Failure(type="nothing_applicable", detail="No criterion of the rubric applies to this submission.")
_UNDEFINED = Failure(
    type="undefined_reward",
    detail="The aggregation has no value for these verdicts: no positive points, or an undecided component.",
)


def _step_value(found: Sequence[tuple[AnyLeaf, Verdict]]) -> float | None:
    """Points earned on one step over the points to be had there (over their absolute sum, where all are negative)."""
    if any(verdict.missing for _, verdict in found):
        return None
    decided = [(leaf.points, verdict.value) for leaf, verdict in found if verdict.value is not None]
    value = points_score(decided)
    if value is not None:
        return value
    total = fsum(abs(points) for points, _ in decided)
    return fsum(points * value for points, value in decided) / total if total else None


def _cause(missing: Sequence[Verdict], unheard: Sequence[str], otherwise: Failure | None) -> Failure:
    """The commonest reason among the missing verdicts, with how many criteria are concerned."""
    kinds = Counter(verdict.error.type for verdict in missing if verdict.error)
    if not kinds:
        detail = f"No verdict for {', '.join(unheard[:5])}."
        return otherwise if otherwise and not unheard else Failure(type="no_verdict", detail=detail)
    kind, _ = kinds.most_common(1)[0]
    example = next(verdict.error for verdict in missing if verdict.error and verdict.error.type == kind)
    names = sorted({verdict.criterion for verdict in missing})
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return Failure(type=kind, detail=f"{len(names)} criteria have no verdict ({shown}): {example.detail}")
