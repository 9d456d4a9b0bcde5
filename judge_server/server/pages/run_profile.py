"""How a run's criteria, components, lengths and audits moved over its steps, from a sample of its judgments."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import fmean
from typing import Final

from judge_server.store import Store
from judge_server.store.observation import Audited
from judge_server.store.run_step_records import RunStep

_STEPS: Final = 16
_AT_EACH: Final = 32
_AUDITS: Final = 400


@dataclass
class RunProfile:
    """Means by step, of the newest judgments of some steps. ``criteria``: the share that meets each, or its mean value
    on a scale; ``components``: of the reward; ``length``: characters of the response; ``audits``: the share of criteria
    on which the judge and an audit decided alike."""

    judgments: int = 0
    steps: int = 0
    audited: int = 0
    criteria: dict[str, dict[int, float]] = field(default_factory=dict)
    components: dict[str, dict[int, float]] = field(default_factory=dict)
    length: dict[int, float] = field(default_factory=dict)
    audits: dict[int, float] = field(default_factory=dict)

    @property
    def at_each(self) -> int:
        """Judgments that are read of a step at most."""
        return _AT_EACH

    @property
    def margin(self) -> float:
        """Half the width of a 95 % interval around a share of one half, at a step of the mean size; the widest."""
        return min(0.5, 0.98 / sqrt(max(1.0, self.judgments / max(1, self.steps))))


def sampled(steps: Sequence[RunStep]) -> tuple[RunStep, ...]:
    """At most 16 of the steps, evenly, with the first and the last."""
    if len(steps) <= _STEPS:
        return tuple(steps)
    places = sorted({round(place * (len(steps) - 1) / (_STEPS - 1)) for place in range(_STEPS)})
    return tuple(steps[place] for place in places)


async def profile(store: Store, run: str, steps: Sequence[RunStep], caller: str | None) -> RunProfile:
    """``steps``: of one rubric and policy, as ``sampled`` gives them; of each at most 32 judgments are read."""
    found = await store.run_steps.values(run, steps, _AT_EACH, caller)
    return RunProfile(
        judgments=len(found),
        steps=len({one.step for one in found}),
        criteria=_means((name, one.step, value) for one in found for name, value in one.criteria.items()),
        components=_means((name, one.step, value) for one in found for name, value in one.components.items()),
        length=_means(("", one.step, one.characters) for one in found).get("", {}),
    )


async def with_audits(
    store: Store, run: str, profiles: Mapping[tuple[str, str], RunProfile], caller: str | None
) -> None:
    """Add the audits of the run to the ``profiles``, by rubric and policy; the newest few hundred."""
    agreed: dict[tuple[str, str], dict[int, list[Audited]]] = defaultdict(lambda: defaultdict(list))
    for one in await store.run_steps.audits(run, _AUDITS, caller):
        agreed[one.rubric, one.policy][one.step].append(one.pair)
    for key in agreed.keys() & profiles.keys():
        compared = {step: sum(pair.compared for pair in pairs) for step, pairs in sorted(agreed[key].items())}
        differing = {step: sum(pair.disagreed for pair in pairs) for step, pairs in agreed[key].items()}
        profiles[key].audits = {step: 1 - differing[step] / count for step, count in compared.items()}
        profiles[key].audited = sum(compared.values())


def _means(values: Iterable[tuple[str, int, float]]) -> dict[str, dict[int, float]]:
    """By name and step."""
    known: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for name, step, value in values:
        known[name][step].append(value)
    return {name: {step: fmean(some) for step, some in by_step.items()} for name, by_step in known.items()}
