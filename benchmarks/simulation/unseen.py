"""Coverage in cells on which no method was chosen: other sizes, prevalences, correlations, raters, and errors of
another kind in each direction. They were added after the methods stood, and are never used to choose between methods.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.simulation.cell import COVERED, Cell, Outcome, Random
from benchmarks.simulation.coverage import (
    HOW,
    ONE_PERSON,
    PEOPLE,
    PROBABILITY_FIGURES,
    SEVERAL,
    STEP_FIGURES,
    Coverage,
    named,
)
from benchmarks.simulation.draw import BINARY, Raters, Steps, Sure, correlated, panel
from judge_server.agreement.array import Floats, floats
from judge_server.agreement.judge import difference_tasks, judge_tasks
from judge_server.agreement.panel import RatingPanel
from judge_server.agreement.resampling import Task
from judge_server.monitoring.clustered import Sample, share


@dataclass(frozen=True)
class OneSided:
    """One person and a judge that ``misses`` what is there and ``invents`` what is not, with correlated errors, and is
    silent on a share of the items. A tenth of the prompts is ``large`` times as large as the others."""

    prompts: int
    size: int
    prevalence: float
    misses: float
    invents: float
    correlation: float = 0.3
    silent: float = 0.0
    large: int = 1

    def panel(self, random: Random) -> RatingPanel:
        sizes = np.where(np.arange(self.prompts) % 10 == 0, self.size * self.large, self.size)
        cluster = np.repeat(np.arange(self.prompts), sizes)
        truth = correlated(random, cluster, self.prevalence, self.correlation)
        missed = correlated(random, cluster, self.misses, self.correlation)
        invented = correlated(random, cluster, self.invents, self.correlation)
        said = np.where(truth == 1, truth ^ missed, truth ^ invented)
        said[random.random(len(said)) < self.silent] = -1
        return panel(cluster, np.stack([truth, said]), BINARY)

    def patterns(self) -> tuple[RatingPanel, Floats]:
        codes = np.array(list(product((0, 1), repeat=2))).T
        wrong = np.where(codes[0] == 1, self.misses, self.invents)
        prior = np.where(codes[0] == 1, self.prevalence, 1 - self.prevalence)
        chance = prior * np.where(codes[0] == codes[1], 1 - wrong, wrong)
        return panel(np.arange(4), codes, BINARY), floats(chance)


@dataclass(frozen=True)
class Stratified:
    """The mean κ over criteria of other rates and errors, on the same prompts: the headline."""

    prompts: int
    size: int
    rates: tuple[float, ...]
    errors: tuple[float, ...]
    correlation: float = 0.3

    def tasks(self, own: RatingPanel) -> list[Task]:
        units = np.arange(len(own.cluster)) // (len(own.cluster) // len(self.rates))
        strata = [units == place for place in range(len(self.rates))]
        return list(named(judge_tasks(own, "judge", HOW, strata), STRATIFIED, ""))

    def panel(self, random: Random) -> RatingPanel:
        cluster = np.repeat(np.arange(self.prompts), self.size)
        codes = []
        for rate, wrong in zip(self.rates, self.errors, strict=True):
            truth = correlated(random, cluster, rate, self.correlation)
            codes.append(np.stack([truth, truth ^ correlated(random, cluster, wrong, self.correlation)]))
        return panel(np.tile(cluster, len(self.rates)), np.hstack(codes), BINARY)

    def patterns(self) -> tuple[RatingPanel, Floats]:
        each = [Raters(1, (1, 1), rate, wrong).patterns() for rate, wrong in zip(self.rates, self.errors, strict=True)]
        codes = np.hstack([np.array([[0, 0, 1, 1], [0, 1, 0, 1]])] * len(each))
        return panel(np.arange(codes.shape[1]), codes, BINARY), floats(np.concatenate([chance for _, chance in each]))


@dataclass(frozen=True)
class TwoJudges:
    """The difference of two judges, the second of which errs at ``other``; a share of their errors is the same."""

    prompts: int
    size: int
    prevalence: float
    errors: float
    other: float
    correlation: float = 0.3

    def tasks(self, own: RatingPanel) -> list[Task]:
        return list(named(iter(difference_tasks(own, "judge", "second")), DIFFERENCES, ""))

    def panel(self, random: Random) -> RatingPanel:
        cluster = np.repeat(np.arange(self.prompts), self.size)
        rates = (self.prevalence, self.other, self.errors)
        truth, second, first = (correlated(random, cluster, rate, self.correlation) for rate in rates)
        return panel(cluster, np.stack([truth, truth ^ second, truth ^ first]), BINARY, second=True)

    def patterns(self) -> tuple[RatingPanel, Floats]:
        codes = np.array(list(product((0, 1), repeat=3))).T
        chance = np.where(codes[0] == 1, self.prevalence, 1 - self.prevalence)
        for place, wrong in ((1, self.other), (2, self.errors)):
            chance = chance * np.where(codes[place] == codes[0], 1 - wrong, wrong)
        return panel(np.arange(8), codes, BINARY, second=True), floats(chance)


@dataclass(frozen=True)
class MonitorShare:
    """The share of rows of a monitor's window that hold, ``size`` rows to a prompt."""

    prompts: int
    size: int
    rate: float
    correlation: float

    def __call__(self, random: Random) -> dict[str, Outcome]:
        cluster = np.repeat(np.arange(self.prompts), self.size)
        held = correlated(random, cluster, self.rate, self.correlation)
        total = floats(np.bincount(cluster, weights=held, minlength=self.prompts))
        found = share(Sample(total, np.full(self.prompts, float(self.size)), len(cluster)))
        return {"share": Outcome(float(found.low <= self.rate <= found.high), found.high - found.low)}


STRATIFIED = ("cohen_kappa", "gwet_ac1", "youden_j", "krippendorff_alpha_nominal")
DIFFERENCES = ("accuracy", "cohen_kappa", "false_positive_rate", "youden_j")
RATES = (0.05, 0.95, 0.5, 0.2)
CRITERIA = {
    "mean of 4 criteria, 100 prompts x 1": Stratified(100, 1, RATES, (0.05, 0.05, 0.2, 0.1)),
    "mean of 4 criteria, 40 prompts x 3, correlation .3": Stratified(40, 3, RATES, (0.05, 0.05, 0.2, 0.1)),
    "mean of 12 criteria, 30 prompts x 2, correlation .6": Stratified(30, 2, RATES * 3, (0.1,) * 12, 0.6),
}
COMPARED = {
    "two judges, 100 prompts x 1": TwoJudges(100, 1, 0.5, 0.1, 0.2),
    "two judges, 40 prompts x 5, correlation .3": TwoJudges(40, 5, 0.3, 0.15, 0.15),
    "two judges, 25 prompts x 4, correlation .6": TwoJudges(25, 4, 0.5, 0.1, 0.3, 0.6),
    "two judges, 500 prompts x 1, 5 % positives": TwoJudges(500, 1, 0.05, 0.05, 0.08),
}
MONITORED = {
    "monitor: 2 % of 100 prompts x 4, correlation .3": MonitorShare(100, 4, 0.02, 0.3),
    "monitor: 2 % of 500 prompts x 4, correlation .6": MonitorShare(500, 4, 0.02, 0.6),
    "monitor: 30 % of 30 prompts x 8, correlation .3": MonitorShare(30, 8, 0.3, 0.3),
}
PLAIN: dict[str, Raters | OneSided] = {
    "30 independent, 15 % errors": Raters(30, (1, 1), 0.5, 0.15),
    "60 independent, 5 % errors": Raters(60, (1, 1), 0.5, 0.05),
    "500 independent, 2 % positives": Raters(500, (1, 1), 0.02, 0.05),
    "100 prompts x 5, 2 % positives, correlation .6": Raters(100, (5, 5), 0.02, 0.1, 0.6),
    "100 prompts x 5, correlation .05": Raters(100, (5, 5), 0.5, 0.2, 0.05),
    "30 prompts x 2, correlation .05": Raters(30, (2, 2), 0.5, 0.1, 0.05),
    "30 prompts x 2, correlation .6": Raters(30, (2, 2), 0.5, 0.15, 0.6),
    "15 prompts x 4, correlation .6": Raters(15, (4, 4), 0.5, 0.2, 0.6),
    "25 prompts x 1-60, correlation .3": Raters(25, (1, 60), 0.3, 0.15, 0.3),
    "50 prompts x 2, a tenth of them x 20, correlation .3": OneSided(50, 2, 0.4, 0.15, 0.15, large=10),
    "40 prompts x 3, misses 40 %, invents 2 %": OneSided(40, 3, 0.3, 0.4, 0.02),
    "60 prompts x 5, misses 5 %, invents 30 %, correlation .6": OneSided(60, 5, 0.2, 0.05, 0.3, 0.6),
    "80 prompts x 2, silent on 15 %": OneSided(80, 2, 0.5, 0.2, 0.1, silent=0.15),
    "500 independent, never wrong but on 1 %": Raters(500, (1, 1), 0.3, 0.01),
}
PANELS = {
    "2 people, 60 independent": Raters(60, (1, 1), 0.5, 0.2, 0.0, 2, 0.2),
    "2 people, 30 prompts x 2, correlation .6": Raters(30, (2, 2), 0.5, 0.15, 0.6, 2, 0.1),
    "3 people, 500 independent, 2 % positives": Raters(500, (1, 1), 0.02, 0.03, 0.0, 3, 0.02),
    "5 people, 30 independent, 30 % of ratings missing": Raters(30, (1, 1), 0.5, 0.15, 0.0, 5, 0.15, 0.7),
    "3 people, 25 prompts x 1-20, 40 % missing, correlation .3": Raters(25, (1, 20), 0.3, 0.15, 0.3, 3, 0.2, 0.6),
}
GRADED = {
    "skewed five steps, 500 prompts x 1": Steps(500, 1),
    "even five steps, 20 prompts x 3": Steps(20, 3, (0.2, 0.2, 0.2, 0.2, 0.2)),
    "two of five steps nearly always, 60 prompts x 1": Steps(60, 1, (0.01, 0.02, 0.07, 0.5, 0.4)),
    "even seven steps, 60 prompts x 1": Steps(60, 1, (1 / 7,) * 7),
    "seven steps, mostly the middle ones, 40 prompts x 4": Steps(40, 4, (0.02, 0.08, 0.2, 0.35, 0.2, 0.1, 0.05)),
    "skewed seven steps, 200 prompts x 1": Steps(200, 1, (0.6, 0.15, 0.1, 0.05, 0.04, 0.03, 0.03)),
}
SURE = {
    "log-odds half too small, 60 independent": Sure(60, 1, 0.5, 0.0),
    "calibrated probabilities, 30 prompts x 2, correlation .6": Sure(30, 2, 1.0, 0.6),
    "log-odds 1.5 times too large, 250 prompts x 2": Sure(250, 2, 1.5),
}
CELLS: tuple[Cell, ...] = (
    *(Coverage(design, ONE_PERSON).cell(f"unseen: {name}") for name, design in PLAIN.items()),
    *(Coverage(design, SEVERAL, PEOPLE, gap=True).cell(f"unseen: {name}") for name, design in PANELS.items()),
    *(Coverage(design, STEP_FIGURES).cell(f"unseen: {name}") for name, design in GRADED.items()),
    *(Coverage(design, PROBABILITY_FIGURES).cell(f"unseen: {name}") for name, design in SURE.items()),
    *(Coverage(design, STRATIFIED, taken=design.tasks).cell(f"unseen: {name}") for name, design in CRITERIA.items()),
    *(Coverage(design, DIFFERENCES, taken=design.tasks).cell(f"unseen: {name}") for name, design in COMPARED.items()),
    *(Cell(f"unseen: {name}", {"share": COVERED}, design) for name, design in MONITORED.items()),
)
