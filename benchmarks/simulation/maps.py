"""Maps and thresholds fitted to judges whose probabilities are known."""

from dataclasses import dataclass

import numpy as np

from benchmarks.simulation.cell import Cell, Demand, Outcome, Random
from benchmarks.simulation.draw import Sure, label_set
from benchmarks.simulation.gates import FEW, only, passed
from judge_server.calibration.curve_fitting import applied
from judge_server.calibration.fit import fit, map_set
from judge_server.calibration.readings import unfitted
from judge_server.core.errors import BadInput
from judge_server.core.fitted_map import FittedMap
from judge_server.core.rubric import Rubric

AT_MOST_5 = Demand(most=0.05)
RUBRIC = Rubric.model_validate(
    {
        "id": "simulated/one",
        "version": "1.0.0",
        "title": "One criterion",
        "criteria": [{"id": "c", "statement": "Says it."}],
    }
)
FRESH = 20_000  # items for the true rate of a threshold


@dataclass(frozen=True)
class Fitted:
    """Fits a map to a judge with probabilities."""

    judge: Sure

    def __call__(self, random: Random) -> dict[str, Outcome]:
        cluster, truth, said = self.judge.drawn(random)
        codes = np.stack([truth, (said >= 0.5).astype(np.int64)])
        found = fit(label_set(cluster, {"c": codes}, probability=said), "judge", RUBRIC)[0]
        kept = {"a map is kept": Outcome.of(found.outcome == "fitted")}
        if found.fitted is None or not found.fitted.thresholds:
            return kept | {"threshold above the promised rate": Outcome(None)}
        rate = self._rate(random, found.fitted)
        return kept | {"threshold above the promised rate": Outcome.of(rate > found.fitted.thresholds[0].target)}

    def _rate(self, random: Random, fitted: FittedMap) -> float:
        """The true false-positive rate of the threshold, on fresh items."""
        chance = self.judge.chances(random, np.arange(FRESH))
        passing = applied(fitted.curve, self.judge.said(chance)) >= fitted.thresholds[0].value
        return float((passing * (1 - chance)).sum() / (1 - chance).sum())


@dataclass(frozen=True)
class GatedOnFit:
    """A judge whose κ after any map is .40 at most, gated on the file that its map was fitted on, of which ``fresh``
    items are new."""

    fresh: int
    fitted: int = 300

    def __call__(self, random: Random) -> dict[str, Outcome]:
        items = self.fitted + self.fresh
        cluster = np.arange(items)
        truth = (random.random(items) < 0.5).astype(np.int64)
        said = truth ^ (random.random(items) < 0.3)
        raw = np.where(said == 1, random.uniform(0.9, 0.99, items), random.uniform(0.01, 0.1, items))
        first = label_set(
            cluster[: self.fitted],
            {"c": np.stack([truth, said])[:, : self.fitted]},
            probability=raw[: self.fitted],
        )
        made = fit(first, "judge", RUBRIC)
        maps = map_set(made, judge="judge", fingerprint="f", rubric=RUBRIC, labels=first)
        curve = made[0].fitted
        value = raw if curve is None else applied(curve.curve, raw)
        codes = np.stack([truth, (value >= 0.5).astype(np.int64)])
        whole = label_set(cluster, {"c": codes}, probability=value)
        try:
            own = unfitted(whole, maps)
        except BadInput:  # refused: nothing is left
            return {"passes": Outcome.of(False)}
        return {"passes": Outcome.of(passed(own, only("cohen_kappa", least=0.4)))}


MAP_DEMANDS = {"a map is kept": AT_MOST_5}
SHARP_DEMANDS = {"a map is kept": Demand(), "threshold above the promised rate": AT_MOST_5}
CELLS: tuple[Cell, ...] = (
    Cell("maps: calibrated judge, 300 independent", MAP_DEMANDS, Fitted(Sure(300, 1, alike=0.0))),
    Cell("maps: calibrated judge, 60 prompts x 3", MAP_DEMANDS, Fitted(Sure(60, 3))),
    Cell("maps: calibrated judge, 30 prompts x 4", MAP_DEMANDS, Fitted(Sure(30, 4))),
    Cell("maps: log-odds 4 times too large, 300 independent", SHARP_DEMANDS, Fitted(Sure(300, 1, 4.0, 0.0))),
    Cell("maps: log-odds 4 times too large, 200 prompts x 3", SHARP_DEMANDS, Fitted(Sure(200, 3, 4.0))),
    Cell("fitted and gated on the same 300 items, kappa .40", {"passes": FEW}, GatedOnFit(0)),
    Cell("fitted on 300 and gated on these and 300 more, kappa .40", {"passes": Demand(most=0.04)}, GatedOnFit(300)),
)
