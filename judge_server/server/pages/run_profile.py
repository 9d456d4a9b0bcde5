"""How a run's criteria, components, lengths and audits moved over its steps, from a sample of its judgments."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Final

from judge_server.core.judgment import Judgment
from judge_server.store.run_step_records import RunStep
from judge_server.wiring.service import Service

_STEPS: Final = 12
_AT_EACH: Final = 16
_AUDITS: Final = 100
_MET: Final = 0.5


@dataclass
class RunProfile:
    """Means by step, of the newest judgments of some steps. ``criteria``: the share that meets each, or its mean value
    on a scale; ``components``: of the reward; ``length``: characters of the response; ``audits``: the share of criteria
    on which the judge and an audit decided alike."""

    judgments: int = 0
    audited: int = 0
    criteria: dict[str, dict[int, float]] = field(default_factory=dict)
    components: dict[str, dict[int, float]] = field(default_factory=dict)
    length: dict[int, float] = field(default_factory=dict)
    audits: dict[int, float] = field(default_factory=dict)


def sampled(steps: Sequence[RunStep]) -> tuple[RunStep, ...]:
    """At most 12 of the steps, evenly, with the first and the last."""
    if len(steps) <= _STEPS:
        return tuple(steps)
    places = sorted({round(place * (len(steps) - 1) / (_STEPS - 1)) for place in range(_STEPS)})
    return tuple(steps[place] for place in places)


async def profile(service: Service, run: str, steps: Sequence[RunStep]) -> RunProfile:
    """``steps``: of one rubric and policy, as ``sampled`` gives them; of each at most 16 judgments are read."""
    found = RunProfile()
    values: dict[str, dict[str, dict[int, list[float]]]] = {
        kind: defaultdict(lambda: defaultdict(list)) for kind in ("criteria", "components")
    }
    for step in steps:
        page = await service.store.judgments(limit=_AT_EACH, run=run, step=step.step, rubric=step.rubric or None)
        own = [one for one in page.items if _belongs(service, one, step)]
        found.judgments += len(own)
        for kind, name, value in (each for one in own for each in _values(one)):
            values[kind][name][step.step].append(value)
        lengths = [one.response_characters for one in own]
        if lengths:
            found.length[step.step] = fmean(lengths)
    found.criteria, found.components = (
        {name: {step: fmean(some) for step, some in by_step.items()} for name, by_step in values[kind].items()}
        for kind in ("criteria", "components")
    )
    return found


async def with_audits(service: Service, run: str, profiles: Mapping[tuple[str, str], RunProfile]) -> None:
    """Add the audits of the run to the ``profiles``, by rubric and policy; the newest hundred."""
    agreed: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for audited_id, audit_id in await service.store.run_steps.audits(run, _AUDITS):
        judged, audit = await service.store.judgment(audited_id), await service.store.judgment(audit_id)
        if judged is None or audit is None or judged.submission.step is None:
            continue
        key = (judged.rubric.id if judged.rubric else "", judged.submission.policy or "")
        agreed[key][judged.submission.step] += _alike(judged, audit)
    for key, by_step in agreed.items():
        if key in profiles:
            known = {step: some for step, some in by_step.items() if some}
            profiles[key].audits = {step: fmean(known[step]) for step in sorted(known)}
            profiles[key].audited = sum(map(len, known.values()))


def _belongs(service: Service, judgment: Judgment, step: RunStep) -> bool:
    """Whether it is of the step's policy and no audit."""
    judge = None if judgment.judge is None else judgment.judge.name
    audit = judge is not None and judge == service.settings.audit_judge
    return not audit and (judgment.submission.policy or "") == step.policy


def _values(judgment: Judgment) -> Iterator[tuple[str, str, float]]:
    for verdict in judgment.verdicts:
        if verdict.value is not None:
            scale = verdict.option is not None
            yield "criteria", verdict.criterion, verdict.value if scale else float(verdict.value >= _MET)
    for name, value in judgment.components.items():
        if value is not None:
            yield "components", name, value


def _alike(judged: Judgment, audit: Judgment) -> list[float]:
    """For each criterion that both decided: 1 if they say the same."""
    own, other = (
        {
            one.criterion: one.value >= _MET
            for one in judgment.verdicts
            if one.source == "judge" and one.value is not None
        }
        for judgment in (judged, audit)
    )
    return [float(own[name] == other[name]) for name in own if name in other]
