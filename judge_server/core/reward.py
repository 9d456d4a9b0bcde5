"""Verdicts → reward. A pure function: the same rubric and verdicts give the same outcome, without a model call.

The rubric's policy decides about a missing verdict: ``null`` gives no reward, ``skip`` leaves the criterion out,
``worst`` takes its worst value; the last two need ``min_coverage`` of the weight. A gate that fired limits the reward
to its own, even if other verdicts are missing. A gate without a verdict leaves the reward undecided, unless it could
not lower it, or the policy is ``worst``, which counts it as fired. If nothing is decided there is no reward under any
policy.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, inf, isfinite

from judge_server.core.aggregation import (
    NOT_APPLICABLE,
    UNDECIDED,
    Aggregation,
    CriterionValue,
    Formula,
    component,
    points_score,
    score,
)
from judge_server.core.criterion import AnyLeaf, CheckCriterion, Criterion, Gate, Group, leaves
from judge_server.core.expression import UndefinedResult
from judge_server.core.outcome import (
    GATE_UNDECIDED,
    NOTHING_APPLIES,
    UNDEFINED,
    GateFired,
    JudgmentStatus,
    Outcome,
    StepReward,
    cause,
)
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Failure, Verdict


@dataclass(frozen=True, slots=True)
class Gates:
    fired: tuple[GateFired, ...]
    unread: tuple[Gate, ...]

    def ceiling(self, *, assumed: bool) -> float:
        """The upper limit set by the gates that fired; with ``assumed`` also by those that are assumed to have
        fired."""
        return min((gate.reward for gate in self.fired if assumed or not gate.assumed), default=inf)

    def might_lower(self, value: float) -> bool:
        """Whether a gate without a verdict could lower the reward below ``value``."""
        taken = [gate.reward for gate in self.fired if gate.assumed]
        return any(reward < value for reward in (*taken, *(gate.reward for gate in self.unread)))


def read_gates(rubric: Rubric, verdicts: Mapping[str, Sequence[Verdict]]) -> Gates:
    """``verdicts`` by criterion. Under the policy ``worst`` a gate without a verdict counts as fired."""
    fired: list[GateFired] = []
    unread: list[Gate] = []
    for leaf in rubric.components.gated:
        gate, found = leaf.gate, verdicts[leaf.id]
        if gate is None:
            continue
        values = [verdict.value for verdict in found if verdict.value is not None]
        absent = not found or any(verdict.missing for verdict in found)
        read = any(gate.fires(value) for value in values)
        assumed = not read and absent and rubric.missing.policy == "worst"
        if read or assumed:
            fired.append(GateFired(criterion=leaf.id, when=gate.when, reward=gate.reward, assumed=assumed))
        elif absent:
            unread.append(gate)
    return Gates(tuple(fired), tuple(unread))


_WITHOUT_POINTS = Failure(type="undefined_reward", detail="No criterion that was judged on this step has points.")


def step_rewards(rubric: Rubric, verdicts: Mapping[str, Sequence[Verdict]]) -> Iterator[StepReward]:
    """One reward for every judged step, in order, or the typed reason why it has none. ``verdicts`` by criterion. The
    rubric's policy for missing verdicts does not apply: a step with a missing verdict has no reward."""
    steps: dict[int, list[tuple[AnyLeaf, Verdict]]] = defaultdict(list)
    for leaf in rubric.leaves if rubric.components.stepwise else ():
        for verdict in verdicts[leaf.id]:
            if verdict.step is not None and (verdict.decided or verdict.missing):
                steps[verdict.step].append((leaf, verdict))
    for index, found in sorted(steps.items()):
        placed = next((verdict for _, verdict in found if verdict.span), found[0][1])
        missing = [verdict for _, verdict in found if verdict.missing]
        value = None if missing else _step_value(found)
        yield StepReward(
            index=index,
            span=placed.span,
            message=placed.message,
            field=placed.field,
            value=value,
            error=cause(missing, (), _WITHOUT_POINTS) if value is None else None,
        )


def _step_value(found: Sequence[tuple[AnyLeaf, Verdict]]) -> float | None:
    """Points earned on one step over the points possible there (over their absolute sum, if all are negative)."""
    decided = [(leaf.points, verdict.value) for leaf, verdict in found if verdict.value is not None]
    value = points_score(decided)
    if value is not None:
        return value
    total = fsum(abs(points) for points, _ in decided)
    return fsum(points * value for points, value in decided) / total if total else None


def reward(rubric: Rubric, verdicts: Sequence[Verdict], response_characters: int = 0) -> Outcome:
    """Aggregate ``verdicts`` under ``rubric``.

    ``response_characters`` is the length of the response, used by the length adjustment only. A criterion without any
    verdict counts as missing. Raises ValueError for a verdict on a criterion that the rubric does not have, and for two
    verdicts on one criterion (or on one step of it).
    """
    return _Aggregator(rubric, verdicts, response_characters).outcome()


class _Aggregator:
    def __init__(self, rubric: Rubric, verdicts: Sequence[Verdict], characters: int) -> None:
        self.rubric, self.characters = rubric, characters
        self.policy = rubric.missing.policy
        self.verdicts = _sorted_by_criterion(rubric, verdicts)
        self.missing = [verdict for verdict in verdicts if verdict.error is not None]
        self.unheard = [leaf for leaf, found in self.verdicts.items() if not found]
        self.undefined: list[str] = []  # groups without a value although none of their verdicts is missing
        self.decided_shares: dict[str, float] = {}  # of the verdicts on each leaf
        self.parts: dict[str, CriterionValue] = {leaf.id: self._read(leaf) for leaf in rubric.leaves}
        for group in reversed(rubric.components.groups):
            self.parts[group.id] = self._group(group)

    def _read(self, leaf: AnyLeaf) -> CriterionValue:
        """The value of a leaf: the mean over its verdicts, of which a step criterion has several."""
        given = self.verdicts[leaf.id]
        if len(given) == 1 and given[0].value is not None:
            self.decided_shares[leaf.id] = 1.0
            return CriterionValue(True, given[0].value)
        found = [verdict for verdict in given if verdict.decided or verdict.missing]
        self.decided_shares[leaf.id] = sum(verdict.decided for verdict in found) / len(found) if found else 0.0
        if given and not found:
            return NOT_APPLICABLE
        values = [verdict.value for verdict in found if verdict.value is not None]
        absent = len(found) - len(values) if found else 1
        if absent and self.policy == "worst":
            values += [self.rubric.worst_values[leaf.id]] * absent
        if not values or (absent and self.policy == "null"):
            return UNDECIDED
        return CriterionValue(True, fsum(values) / len(values))

    def _group(self, group: Group) -> CriterionValue:
        children = self._children(group.criteria)
        if not any(part.applicable for _, part in children):
            return NOT_APPLICABLE
        try:
            value = self._combine(group.aggregate, group.criteria)
        except UndefinedResult:
            value = None
        if value is None:
            if all(part.value is not None for _, part in children if part.applicable):
                self.undefined.append(group.id)
            return UNDECIDED
        return CriterionValue(True, min(max(value, 0.0), 1.0))

    def _children(self, criteria: Sequence[Criterion]) -> list[tuple[Criterion, CriterionValue]]:
        return [(criterion, self.parts[criterion.id]) for criterion in criteria]

    def _combine(self, aggregate: Aggregation, criteria: tuple[Criterion, ...]) -> float | None:
        children = [(criterion, part) for criterion, part in self._children(criteria) if part.applicable]
        if self.policy == "null" and any(part.value is None for _, part in children):
            return None
        # a criterion without points (a pure gate) counts only if no other criterion is decided
        weighty = [(criterion, part) for criterion, part in children if criterion.points] or children
        decided = [(one.points, _standing(one, part.value)) for one, part in weighty if part.value is not None]
        if not decided:
            return None
        if isinstance(aggregate, Formula):
            return self._formula(aggregate, criteria)
        return score(aggregate, decided, self.characters)

    def _formula(self, formula: Formula, criteria: tuple[Criterion, ...]) -> float | None:
        """None if a component that it names is undecided or does not apply."""
        values: dict[str, float] = dict(formula.parameters)
        direct = {criterion.id for criterion in criteria}
        for name in formula.parsed.names - set(values):
            value = self.parts[name].value if name in direct else component(self._tagged(name, criteria))
            if value is None:
                return None
            values[name] = value
        return formula.finish(formula.parsed.evaluate(values), self.characters)

    def _tagged(self, tag: str, criteria: tuple[Criterion, ...]) -> list[tuple[float, CriterionValue]]:
        return [(leaf.points, self.parts[leaf.id]) for leaf in leaves(criteria) if tag in leaf.tags]

    def outcome(self) -> Outcome:
        missing, unheard = self.missing, self.unheard
        coverage = self._coverage()
        gates = read_gates(self.rubric, self.verdicts)
        applicable = any(part.applicable for part in self.parts.values())
        value, failure = self._value(coverage, gates) if applicable else (None, NOTHING_APPLIES)
        if value is None and (missing or unheard):
            required = self._required_and_missing()
            failure = cause(
                [verdict for verdict in missing if verdict.criterion in required] or missing,
                [name for name in unheard if name in required] or unheard,
                failure,
            )
        if not missing and not unheard:
            status = JudgmentStatus.OK if value is not None else JudgmentStatus.FAILED
        else:
            status = JudgmentStatus.PARTIAL if self._heard(self.rubric.leaves) else JudgmentStatus.FAILED
        return Outcome(
            reward=value,
            status=status,
            coverage=coverage,
            judged_coverage=self._judged_coverage(),
            components=self._components(),
            step_rewards=tuple(step_rewards(self.rubric, self.verdicts)),
            gates=gates.fired,
            error=failure if value is None else None,
        )

    def _value(self, coverage: float, gates: Gates) -> tuple[float | None, Failure | None]:
        base, failure = self._base(coverage)
        if self.policy == "null" and coverage < 1:
            return None, failure
        if base is not None:
            value = min(base, gates.ceiling(assumed=True))
            blocked = any(gate.reward < value for gate in gates.unread)
            return (None, GATE_UNDECIDED) if blocked else (value, None)
        # a gate that fired decides the reward if nothing else could lower it
        ceiling, lowest = gates.ceiling(assumed=False), self.rubric.aggregate.floor
        if lowest is not None and ceiling <= lowest and not gates.might_lower(ceiling):
            return ceiling, None
        return None, failure

    def _base(self, coverage: float) -> tuple[float | None, Failure | None]:
        required = self._required_and_missing() if self.missing or self.unheard else ()
        if required:
            return None, Failure(type="no_verdict", detail=f"No verdict for {', '.join(sorted(required)[:5])}.")
        needed = 1.0 if self.policy == "null" else self.rubric.missing.min_coverage
        if coverage < needed - _ROUNDING:
            return None, Failure(
                type="insufficient_coverage",
                detail=f"{coverage:.0%} of the criterion weight is decided; the rubric needs {needed:.0%}.",
            )
        if self.undefined:
            detail = f"The aggregation of {', '.join(sorted(self.undefined))} has no value for these verdicts."
            return None, Failure(type="undefined_reward", detail=detail)
        try:
            value = self._combine(self.rubric.aggregate, self.rubric.criteria)
        except UndefinedResult as fault:
            return None, Failure(type="undefined_reward", detail=str(fault))
        if value is None:
            return None, UNDEFINED
        return (value, None) if isfinite(value) else (None, UNDEFINED)

    def _required_and_missing(self) -> set[str]:
        """Applicable leaves that lack a required verdict."""
        return {
            name
            for name in self.rubric.required_verdicts
            if not self.verdicts[name] or any(verdict.missing for verdict in self.verdicts[name])
        }

    def _judged_coverage(self) -> float | None:
        """Share of the weight of the applicable criteria for a judge that was decided, by the judge or by the guard in
        its place; None if there is no such criterion."""
        if not self.missing and not self.unheard:
            return 1.0 if any(self.parts[name].applicable for name in self.rubric.asked) else None
        shares = [
            (share, self.decided_shares[leaf.id])
            for leaf, share in self._shares(self.rubric.criteria, 1.0, whole=True)
            if not isinstance(leaf, CheckCriterion)
        ]
        if not shares:
            return None
        total = fsum(share for share, _ in shares)
        if all(decided == 1.0 for _, decided in shares):
            return 1.0
        if total == 0:
            return fsum(decided for _, decided in shares) / len(shares)
        return min(fsum(share * decided for share, decided in shares) / total, 1.0 - 1e-12)

    def _coverage(self) -> float:
        """Share of the applicable weight that has a verdict; exactly 1.0 when nothing is missing."""
        if not self.missing and not self.unheard:
            return 1.0 if any(self.parts[leaf.id].applicable for leaf in self.rubric.leaves) else 0.0
        shares = [(share, self.decided_shares[leaf.id]) for leaf, share in self._shares(self.rubric.criteria, 1.0)]
        if not shares:
            return 0.0
        complete = all(decided == 1.0 for _, decided in shares)
        return 1.0 if complete else min(fsum(share * decided for share, decided in shares), 1.0 - 1e-12)

    def _shares(
        self, criteria: Sequence[Criterion], share: float, *, whole: bool = False
    ) -> Iterator[tuple[AnyLeaf, float]]:
        """Each applicable leaf with its share of the whole weight; siblings share by their absolute points. Unless
        ``whole``, the leaves of a group that ``skip`` leaves out have no share, because their verdicts do not affect
        the reward."""
        children = [criterion for criterion, part in self._children(criteria) if part.applicable]
        total = fsum(abs(criterion.points) for criterion in children)
        for criterion in children:
            own = share * (abs(criterion.points) / total if total else 1 / len(children))
            if isinstance(criterion, Group):
                left_out = not whole and self.policy == "skip" and self.parts[criterion.id].value is None
                yield from self._shares(criterion.criteria, 0.0 if left_out else own, whole=whole)
            else:
                yield criterion, own

    def _components(self) -> dict[str, float | None]:
        """Scores per tag (in the rubric's own arithmetic) and values per group; None if undecided, or if none of the
        criteria below has a verdict, regardless of the policy."""
        result: dict[str, float | None] = {}
        for tag, tagged in self.rubric.components.tags.items():
            applicable = [leaf for leaf in tagged if self.parts[leaf.id].applicable]
            scored = self.rubric.aggregate.kind == "points"
            if applicable and not (scored and all(leaf.points <= 0 for leaf in applicable)):
                result[tag] = self._tag_score(applicable, scored) if self._heard(applicable) else None
        for group in self.rubric.components.groups:
            if self.parts[group.id].applicable:
                result[group.id] = self.parts[group.id].value if self._heard(leaves(group.criteria)) else None
        return result

    def _heard(self, among: Iterable[AnyLeaf]) -> bool:
        return any(verdict.decided for leaf in among for verdict in self.verdicts[leaf.id])

    def _tag_score(self, tagged: Sequence[AnyLeaf], scored: bool) -> float | None:
        parts = [(leaf.points, self.parts[leaf.id]) for leaf in tagged]
        if self.policy == "null" and any(part.value is None for _, part in parts):
            return None
        if not scored:
            return component(parts)
        return points_score([(points, part.value) for points, part in parts if part.value is not None])


def _sorted_by_criterion(rubric: Rubric, verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """The verdicts of every criterion, sorted by step; criteria in the order of the rubric."""
    found: dict[str, list[Verdict]] = {leaf.id: [] for leaf in rubric.leaves}
    for verdict in verdicts:
        same = found.get(verdict.criterion)
        if same is None:
            raise ValueError(f"a verdict on {verdict.criterion!r}, which {rubric.name} does not have")
        same.append(verdict)
    for name, same in found.items():
        if len(same) > 1:
            same.sort(key=lambda verdict: -1 if verdict.step is None else verdict.step)
            _require_one_a_step(name, same)
    return found


def _require_one_a_step(name: str, verdicts: Sequence[Verdict]) -> None:
    for one, other in pairwise(verdicts):
        if one.step == other.step:
            place = "" if one.step is None else f", step {one.step}"
            raise ValueError(f"two verdicts on {name!r}{place}; give one")


_ROUNDING = 1e-9  # 0.1 + 0.7 of the weight is 0.8 of it


def _standing(criterion: Criterion, value: float) -> float:
    """The value of a pure veto that fires when met is 1 minus its value as a criterion."""
    veto = criterion.points == 0 and not isinstance(criterion, Group) and criterion.gate
    return 1 - value if veto and veto.when == "met" else value
