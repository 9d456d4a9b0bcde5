"""How wrong the reward is: under one rubric, from the judge's verdicts beside people's on the same items."""

from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean

import numpy as np

from judge_server.agreement.interval import estimate
from judge_server.agreement.metric import Estimate
from judge_server.agreement.moment import MOMENT_METRICS, moments
from judge_server.agreement.resampling import Resampling
from judge_server.calibration.matching import Match, match
from judge_server.calibration.pairing import raw_value
from judge_server.core.model import Frozen
from judge_server.core.reward import reward
from judge_server.core.rubric import Missing, Rubric
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.labels.label_set import LabelSet

ANY_COVERAGE = Missing(policy="skip", min_coverage=1e-9)
Values = dict[int, dict[str, list[float]]]  # by item and criterion


class RewardError(Frozen):
    """``error``: the standard error of the reward from the judge's errors, the root mean squared difference from the
    reward that people's labels give, of which ``bias`` is the mean (positive if the judge is generous). ``correlation``
    of the two rewards; ``spread``: the standard deviation of people's reward among the items. On the criteria that both
    labelled of an item; people's value of a criterion is the mean of theirs."""

    rubric: str
    items: int
    clusters: int
    error: Estimate
    bias: Estimate
    correlation: Estimate
    spread: float

    @property
    def sentence(self) -> str:
        if self.error.value is None:
            return f"The error of the reward is unknown: {self.error.note}."
        return (
            f"The reward of {self.rubric} is off by {self.error.value:.3f} (root mean square over {self.items} items; "
            f"people's reward has a standard deviation of {self.spread:.3f} among them), on average by "
            f"{self.bias.value or 0.0:+.3f}."
        )


def reward_error(labels: LabelSet, judge: str, rubric: Rubric) -> RewardError | None:
    """None if judge and people share no criterion of an item. Raises BadInput if labels and rubric do not match."""
    lenient = rubric.model_copy(update={"missing": ANY_COVERAGE})
    table, own, people = labels.table, *_values(labels, judge, match(rubric, labels, partial=True))
    cluster = dict(zip(table.items.codes.tolist(), table.clusters.codes.tolist(), strict=True))
    rows: list[tuple[float, float, int]] = []
    for item, said in own.items():
        shared = said.keys() & people[item].keys()
        rewards = [
            reward(lenient, [_verdict(rubric, name, fmean(one[item][name])) for name in sorted(shared)]).reward
            for one in (own, people)
        ]
        if shared and rewards[0] is not None and rewards[1] is not None:
            rows.append((rewards[0], rewards[1], cluster[item]))
    if not rows:
        return None
    judged, wanted, home = (np.array(column) for column in zip(*rows, strict=True))
    found = estimate(moments(judged, wanted, home), MOMENT_METRICS, Resampling())
    return RewardError(
        rubric=rubric.name,
        items=len(rows),
        clusters=len(np.unique(home)),
        error=found["rmse"],
        bias=found["mean_difference"],
        correlation=found["pearson"],
        spread=float(wanted.std()),
    )


def _values(labels: LabelSet, judge: str, matches: Mapping[str, Match]) -> tuple[Values, Values]:
    """The judge's and the people's values in [0, 1]."""
    table = labels.table
    own: Values = defaultdict(lambda: defaultdict(list))
    people: Values = defaultdict(lambda: defaultdict(list))
    known = {one.scale.criterion: (name, one) for name, one in matches.items()}
    for row in np.flatnonzero((table.labels.codes >= 0) & table.counted):
        found = known.get(table.criteria.names[table.criteria.codes[row]])
        annotator = int(table.annotators.codes[row])
        human = table.roles[annotator] == "human"
        if found is None or not (human or table.annotators.names[annotator] == judge):
            continue
        name, matched = found
        value = float("nan") if human else raw_value(table, int(row), matched)
        if np.isnan(value):
            value = matched.value_of(table.labels.names[table.labels.codes[row]])
        (people if human else own)[int(table.items.codes[row])][name].append(value)
    return own, people


def _verdict(rubric: Rubric, criterion: str, value: float) -> Verdict:
    leaf = rubric.by_id[criterion]
    return Verdict(criterion=criterion, status=VerdictStatus.OK, source="judge", points=float(leaf.points), value=value)
