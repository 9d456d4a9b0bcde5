"""How often the 95 % intervals hold the truth, which is exact: the figure of every possible rating by its
probability."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from benchmarks.simulation.cell import COVERED, Cell, Outcome, Random
from benchmarks.simulation.draw import Raters, Steps, Sure
from judge_server.agreement.array import Floats
from judge_server.agreement.contingency import pair_counts, pair_table
from judge_server.agreement.evidence import Evidence, joined
from judge_server.agreement.human import evidence_of as human_tasks
from judge_server.agreement.interval import estimate_all
from judge_server.agreement.judge import Measurement, difference, judge_tasks
from judge_server.agreement.kappa import cohen_metrics
from judge_server.agreement.metric import Metric
from judge_server.agreement.panel import RatingPanel
from judge_server.agreement.resampling import Resampling, Task

HOW = Measurement(resampling=Resampling(replicates=100, min_clusters=15))
MANY = 1e9  # items of the exact truth
ONE_PERSON = (
    "accuracy", "balanced_accuracy", "f1_macro", "cohen_kappa", "gwet_ac1", "false_positive_rate", "sensitivity",
    "youden_j", "krippendorff_alpha_nominal",
)  # fmt: skip
SEVERAL = ("cohen_kappa_pairwise", "accuracy_pairwise", "false_positive_rate_pairwise", "cohen_kappa")
PEOPLE = ("fleiss_kappa", "gwet_ac1", "krippendorff_alpha_nominal", "cohen_kappa_pairwise", "icc_1_1")
STEP_FIGURES = ("cohen_kappa_quadratic", "krippendorff_alpha_interval", "icc", "pearson", "mae")


class Design(Protocol):
    """Draws panels, and lists every possible item with its probability."""

    def panel(self, random: Random) -> RatingPanel: ...

    def patterns(self) -> tuple[RatingPanel, Floats]: ...


@dataclass(frozen=True)
class Coverage:
    """``judged``: figures of the judge, ``human``: those among the people, ``gap``: κ of the judge with each person
    less that of people with each other. ``taken``: the tasks of the figures in ``judged``, if not those of one judge.
    """

    design: Design
    judged: Sequence[str] = ()
    human: Sequence[str] = ()
    gap: bool = False
    taken: Callable[[RatingPanel], Iterable[Task]] | None = None

    def tasks(self, panel: RatingPanel) -> Iterator[Task]:
        if self.taken is not None:
            yield from self.taken(panel)
        elif self.judged:
            yield from named(judge_tasks(panel, "judge", HOW), self.judged, "")
        if self.human:
            yield from named(human_tasks(panel), self.human, "people: ")
        if self.gap:
            yield gap_task(panel)

    @cached_property
    def truth(self) -> Mapping[str, float]:
        panel, chance = self.design.patterns()
        found: dict[str, float] = {}
        for evidence, metrics in self.tasks(panel):
            ids = np.arange(evidence.clusters) if evidence.ids is None else evidence.ids.astype(np.int64)
            total = evidence.totals(chance[ids][np.newaxis] * MANY)
            found |= {metric.name: float(metric.value(total)[0]) for metric in metrics}
        return found

    def __call__(self, random: Random) -> dict[str, Outcome]:
        found = estimate_all(list(self.tasks(self.design.panel(random))), HOW.resampling)
        outcomes = {}
        for name, one in found.items():
            if one.low is None or one.high is None:
                outcomes[name] = Outcome(None)
            else:
                held = one.low - 1e-9 <= self.truth[name] <= one.high + 1e-9
                outcomes[name] = Outcome(float(held), one.high - one.low)
        return outcomes

    def cell(self, name: str) -> Cell:
        names = [*self.judged, *(f"people: {one}" for one in self.human), *(["gap to people"] if self.gap else [])]
        return Cell(name, dict.fromkeys(names, COVERED), self)


def named(tasks: Iterator[Task], names: Sequence[str], prefix: str) -> Iterator[Task]:
    seen: set[str] = set()
    for evidence, metrics in tasks:
        own = [metric.renamed(prefix + metric.name) for metric in metrics if metric.name in names]
        own = [metric for metric in own if metric.name not in seen]
        seen |= {metric.name for metric in own}
        if own:
            yield evidence, own


def gap_task(panel: RatingPanel) -> tuple[Evidence, Sequence[Metric]]:
    """The gap as the gate takes it: on items that the judge and two people rated."""
    codes, counts = panel.judges["judge"].codes, panel.humans.counts()
    usable = (codes >= 0) & (counts.sum(axis=1) >= 2)
    rating = usable[panel.humans.item]
    item = panel.humans.item[rating]
    judged = pair_table(panel.humans.code[rating], codes[item], panel.cluster[item], panel.scale.size)
    people = pair_counts(counts[usable], panel.cluster[usable])
    gap = difference(cohen_metrics(panel.scale)[0], (panel.scale.size, panel.scale.size))
    return joined(people, judged), [replace(gap, name="gap to people")]


PLAIN = {
    "40 prompts x 5-8, correlation .3": Raters(40, (5, 8), 0.5, 0.15, 0.3),
    "20 prompts x 5-8, correlation .3": Raters(20, (5, 8), 0.5, 0.15, 0.3),
    "40 prompts x 5-8, 3 % errors": Raters(40, (5, 8), 0.5, 0.03, 0.3),
    "200 independent, 5 % positives": Raters(200, (1, 1), 0.05, 0.1),
    "40 prompts x 5-8, 5 % positives": Raters(40, (5, 8), 0.05, 0.1, 0.3),
    "100 independent, 3 % errors": Raters(100, (1, 1), 0.4, 0.03),
    "60 prompts x 3, correlation .6": Raters(60, (3, 3), 0.3, 0.2, 0.6),
    "25 prompts x 10, correlation .1": Raters(25, (10, 10), 0.2, 0.25, 0.1),
    "20 prompts x 5-8, correlation .6": Raters(20, (5, 8), 0.5, 0.15, 0.6),
    "30 prompts x 10, correlation .6": Raters(30, (10, 10), 0.3, 0.2, 0.6),
    "20 prompts x 1-20, correlation .3": Raters(20, (1, 20), 0.4, 0.2, 0.3),
    "30 prompts x 5, 10 % positives, correlation .3": Raters(30, (5, 5), 0.1, 0.15, 0.3),
    "200 prompts x 5, 5 % positives, correlation .3": Raters(200, (5, 5), 0.05, 0.05, 0.3),
    "40 prompts x 2, correlation .9": Raters(40, (2, 2), 0.4, 0.15, 0.9),
    "60 prompts x 3, 40 % errors, correlation .6": Raters(60, (3, 3), 0.3, 0.4, 0.6),
    "40 independent, 20 % positives": Raters(40, (1, 1), 0.2, 0.2),
    "60 prompts x 4, 10 % positives, 3 % errors": Raters(60, (4, 4), 0.1, 0.03, 0.3),
}
PANELS = {
    "3 people, 40 prompts x 3, correlation .3": Raters(40, (3, 3), 0.4, 0.15, 0.3, 3, 0.12),
    "5 people, half of ratings missing, 40 prompts x 4": Raters(40, (4, 4), 0.5, 0.1, 0.3, 5, 0.15, 0.5),
    "2 people, 100 independent, 10 % positives": Raters(100, (1, 1), 0.1, 0.08, 0.0, 2, 0.05),
    "3 people, 20 prompts x 5, correlation .6": Raters(20, (5, 5), 0.5, 0.2, 0.6, 3, 0.15),
}
GRADED = {
    "skewed five steps, 100 prompts x 1": Steps(100, 1),
    "skewed five steps, 40 prompts x 6": Steps(40, 6),
    "skewed five steps, 30 prompts x 3": Steps(30, 3),
    "even five steps, 60 prompts x 2": Steps(60, 2, (0.2, 0.2, 0.2, 0.2, 0.2)),
}
PROBABILITY_FIGURES = ("brier", "calibration_error", "calibration_slope", "calibration_intercept", "auc")
SURE = {
    "calibrated probabilities, 100 independent": Sure(100, 1, 1.0, 0.0),
    "calibrated probabilities, 60 prompts x 4": Sure(60, 4),
    "log-odds twice too large, 40 prompts x 5": Sure(40, 5, 2.0),
    "log-odds 4 times too large, 200 independent": Sure(200, 1, 4.0, 0.0),
}
CELLS: tuple[Cell, ...] = (
    *(Coverage(design, ONE_PERSON).cell(name) for name, design in PLAIN.items()),
    *(Coverage(design, SEVERAL, PEOPLE, gap=True).cell(name) for name, design in PANELS.items()),
    *(Coverage(design, STEP_FIGURES).cell(name) for name, design in GRADED.items()),
    *(Coverage(design, PROBABILITY_FIGURES).cell(name) for name, design in SURE.items()),
)
