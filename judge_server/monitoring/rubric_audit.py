"""Which criteria of a rubric earn their place: from stored judgments, and from asking the judge again.

A remark is made only on what the interval shows, at a level shared by all criteria of its kind, so that a rubric
without faults gets any remark of a kind in at most one audit of twenty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

from judge_server.core.model import Frozen
from judge_server.monitoring.alike import AlikePair, alike_pairs
from judge_server.monitoring.clustered import MeanEstimate, Sample, above, estimate, sample, share
from judge_server.monitoring.reward_signal import RewardSignal, reward_signal
from judge_server.store.observation import Observed

LEAST: Final = 100
LEAST_PROMPTS: Final = 20
SATURATED: Final = 0.97
UNSTABLE: Final = 0.05
IDLE: Final = 0.01
_LEVEL: Final = 0.05
RemarkKind = Literal[
    "always_met",
    "never_met",
    "redundant",
    "opposite",
    "idle",
    "unstable",
    "order",
    "wording",
    "people_disagree",
    "judge_disagrees",
]


class AuditRemark(Frozen):
    """``evidence`` in numbers, ``advice`` as what to do."""

    kind: RemarkKind
    criteria: tuple[str, ...]
    evidence: str
    advice: str


class ObservedShare(Frozen):
    """A share with its 95 % interval, clustered on prompts."""

    value: float
    low: float
    high: float
    n: int
    prompts: int

    @staticmethod
    def of(found: MeanEstimate) -> "ObservedShare":
        return ObservedShare(value=found.value, low=found.low, high=found.high, n=found.n, prompts=found.clusters)


class CriterionAudit(Frozen):
    """``met``: the share of responses that meet it, or the mean of a scale; None if it was never decided. ``carried``:
    its share of the reward's variance; None if rewards do not differ. ``repeated`` and ``reordered``: how often the
    judge decided otherwise when it was asked again, in the same order and in the opposite one; ``reworded``: in other
    words, of all wordings that were tried."""

    criterion: str
    points: float
    met: ObservedShare | None
    carried: ObservedShare | None = None
    repeated: ObservedShare | None = None
    reordered: ObservedShare | None = None
    reworded: ObservedShare | None = None


class OtherWording(Frozen):
    """How a criterion was worded when it was asked again. ``guidance``: None if it stayed."""

    criterion: str
    statement: str
    guidance: str | None = None


@dataclass(frozen=True, slots=True)
class AskedTwice:
    """Decisions that a judge took twice about the response of one ``judgment``: ``first`` and ``second`` by
    criterion."""

    judgment: str
    cluster: str
    first: Mapping[str, float]
    second: Mapping[str, float]


class RubricAudit(Frozen):
    """``judgments`` of ``prompts``, ``refused`` by the guard and left out. ``rest``: the share of the reward's variance
    that no criterion carries; ``within``: whether rewards were compared within prompts. ``enough``: whether there are
    judgments enough for remarks. ``wordings``: those that were tried."""

    rubric: str
    judge: str
    judgments: int
    prompts: int
    refused: int
    criteria: tuple[CriterionAudit, ...]
    rest: float
    within: bool
    enough: bool
    remarks: tuple[AuditRemark, ...]
    wordings: tuple[OtherWording, ...] = ()


def audit(
    rubric: str,
    judge: str,
    rows: Sequence[Observed],
    again: Sequence[AskedTwice] = (),
    turned: Sequence[AskedTwice] = (),
    reworded: Sequence[AskedTwice] = (),
) -> RubricAudit:
    """``again``: asked twice in the same order; ``turned``: the second time in the opposite order; ``reworded``: the
    second time in other words, perhaps several times."""
    judged = [one for one in rows if one.asked or not one.flags]
    points = {name: value for one in judged for name, value in one.points.items()}
    signal = reward_signal(judged)
    asked = {"repeated": again, "reordered": turned, "reworded": reworded}
    criteria = tuple(_criterion(name, points[name], judged, signal, asked) for name in points)
    prompts = len({one.cluster for one in judged})
    enough = len(judged) >= LEAST and prompts >= LEAST_PROMPTS
    remarks = [*_saturated(criteria, judged), *_alike(judged, criteria)] if enough else []
    remarks += _idle(criteria, signal, {one.criteria[0] for one in remarks}) if enough else []
    return RubricAudit(
        rubric=rubric,
        judge=judge,
        judgments=len(judged),
        prompts=prompts,
        refused=len(rows) - len(judged),
        criteria=criteria,
        rest=signal.rest,
        within=signal.within,
        enough=enough,
        remarks=(*remarks, *_unstable(criteria, again), *_led_by_form(criteria, asked)),
    )


def _criterion(
    name: str,
    points: float,
    rows: Sequence[Observed],
    signal: RewardSignal,
    asked: Mapping[str, Sequence[AskedTwice]],
) -> CriterionAudit:
    met = _met(rows, name)
    return CriterionAudit(
        criterion=name,
        points=points,
        met=ObservedShare.of(share(met)) if met.n else None,
        carried=ObservedShare.of(estimate(signal.shares[name])) if name in signal.shares else None,
        **{
            field: ObservedShare.of(share(changed)) if (changed := _changed(pairs, name)).n else None
            for field, pairs in asked.items()
        },
    )


def _met(rows: Sequence[Observed], name: str) -> Sample:
    own = [one for one in rows if name in one.scores]
    return sample([one.scores[name] for one in own], [one.cluster for one in own])


def _changed(pairs: Sequence[AskedTwice], name: str) -> Sample:
    own = [one for one in pairs if name in one.first and name in one.second]
    return sample([float(one.first[name] != one.second[name]) for one in own], [one.cluster for one in own])


def _turned(of: Sample) -> Sample:
    return Sample(of.weight - of.total, of.weight, of.n)


def _shown(of: Sample, limit: float, number: int) -> bool:
    """Whether the share is above the limit, at a level shared by ``number`` questions."""
    enough = of.n >= LEAST and of.clusters >= LEAST_PROMPTS
    return enough and above(of, limit, _LEVEL / max(number, 1), bounded=True)


def _saturated(criteria: Sequence[CriterionAudit], rows: Sequence[Observed]) -> list[AuditRemark]:
    remarks = []
    for one in criteria:
        met, bad = _met(rows, one.criterion), one.points < 0
        if one.met is None:
            continue
        told = f"met by {_percent(one.met)}"
        if _shown(met, SATURATED, 2 * len(criteria)):
            advice = (
                "it marks every response down alike: narrow it"
                if bad
                else "nothing is left to learn from it: make it more demanding, or give its points to others"
            )
            remarks.append(AuditRemark(kind="always_met", criteria=(one.criterion,), evidence=told, advice=advice))
        elif not bad and _shown(_turned(met), SATURATED, 2 * len(criteria)):
            advice = "hardly any response earns it: split it into steps that some responses reach"
            remarks.append(AuditRemark(kind="never_met", criteria=(one.criterion,), evidence=told, advice=advice))
    return remarks


def _alike(rows: Sequence[Observed], criteria: Sequence[CriterionAudit]) -> list[AuditRemark]:
    return [_remark_on(pair) for pair in alike_pairs(rows, [one.criterion for one in criteria])]


def _remark_on(pair: AlikePair) -> AuditRemark:
    verb = "differ" if pair.opposite else "agree"
    count = pair.n - pair.agreed if pair.opposite else pair.agreed
    kappa = pair.kappa
    return AuditRemark(
        kind="opposite" if pair.opposite else "redundant",
        criteria=(pair.first, pair.second),
        evidence=f"they {verb} on {count} of {pair.n} responses (κ {kappa.value:.2f}, at least {kappa.low:.2f})",
        advice="one thing counts twice: merge them, drop one, or say what sets them apart",
    )


def _idle(criteria: Sequence[CriterionAudit], signal: RewardSignal, named: set[str]) -> list[AuditRemark]:
    """``named``: criteria with a remark that says more. Something bad that hardly ever happens is as it should be."""
    remarks = []
    where = "within prompts" if signal.within else "among all responses"
    quantile = NormalDist().inv_cdf(1 - _LEVEL / (2 * max(len(criteria), 1)))
    for one in criteria:
        rare = one.points < 0 and one.met is not None and one.met.value < 1 - SATURATED
        if one.carried is None or not one.points or one.criterion in named or rare:
            continue
        widened = estimate(signal.shares[one.criterion], quantile)
        if max(abs(widened.low), abs(widened.high)) < IDLE:
            told = f"it carries {_percent(one.carried)} of the reward's variance {where}"
            told += f", met by {_percent(one.met)}" if one.met is not None else ""
            advice = "it does not tell responses apart: raise its points, or drop it"
            remarks.append(AuditRemark(kind="idle", criteria=(one.criterion,), evidence=told, advice=advice))
    return remarks


def _unstable(criteria: Sequence[CriterionAudit], again: Sequence[AskedTwice]) -> list[AuditRemark]:
    remarks = []
    for one in criteria:
        if one.repeated is not None and _shown(_changed(again, one.criterion), UNSTABLE, len(criteria)):
            told = f"asked again the judge decided otherwise on {_percent(one.repeated)} of {one.repeated.n} responses"
            advice = "its verdicts are partly chance: word it so that one reading is possible, or take several votes"
            remarks.append(AuditRemark(kind="unstable", criteria=(one.criterion,), evidence=told, advice=advice))
    return remarks


_FORMS: Final[Mapping[str, tuple[RemarkKind, str, str]]] = {
    "reordered": (
        "order",
        "in the opposite order of labels",
        "it answers the form and not the question: take a panel of both orders, or another judge",
    ),
    "reworded": (
        "wording",
        "in other words",
        "its verdicts hang on the wording: say what counts and what does not, in its guidance or by examples",
    ),
}


def _led_by_form(criteria: Sequence[CriterionAudit], asked: Mapping[str, Sequence[AskedTwice]]) -> list[AuditRemark]:
    """Criteria whose verdicts change with the order of labels or the wording, and more often than by chance."""
    remarks = []
    for field, (kind, told, advice) in _FORMS.items():
        for one in criteria:
            found: ObservedShare | None = getattr(one, field)
            changed = _changed(asked[field], one.criterion)
            if found is None or not _shown(changed, UNSTABLE, len(criteria)):
                continue
            beyond = _beyond_chance(asked["repeated"], asked[field], one.criterion)
            if above(beyond, 0.0, _LEVEL / len(criteria), bounded=False):
                evidence = f"{told} the judge decided otherwise on {_percent(found)} of {found.n} responses"
                remarks.append(AuditRemark(kind=kind, criteria=(one.criterion,), evidence=evidence, advice=advice))
    return remarks


def _beyond_chance(again: Sequence[AskedTwice], turned: Sequence[AskedTwice], name: str) -> Sample:
    """Whether the other form changed the verdict, less whether asking in the same order did."""
    chance = {one.judgment: one.first[name] != one.second.get(name) for one in again if name in one.second}
    own = [one for one in turned if name in one.second]
    values = [float(one.first[name] != one.second[name]) - chance.get(one.judgment, False) for one in own]
    return sample(values, [one.cluster for one in own])


def _percent(found: ObservedShare) -> str:
    return f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})"
