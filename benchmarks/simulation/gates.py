"""What the gate decides about judges whose quality is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.simulation.cell import REPORTED, Cell, Demand, Outcome, Random
from benchmarks.simulation.draw import NO, YES, correlated, label_set, prompts
from judge_server.agreement.array import Ints
from judge_server.calibration.gate import gate
from judge_server.calibration.policy import Policy, PolicyRule, read_policy
from judge_server.core.calibration import Decision
from judge_server.labels.label_set import LabelSet
from judge_server.labels.readers import read_labels

PASSED = "passes"
FEW = Demand(most=0.03)
NEVER = Demand(most=0.0)


@cache
def default() -> Policy:
    return read_policy()


@cache
def only(metric: str, least: float | None = None, most: float | None = None) -> Policy:
    rule = PolicyRule(metric=metric, min_low=least, max_high=most)
    return Policy(name="one rule", rules=(rule,), replicates=200)


def passed(labels: LabelSet, policy: Policy) -> bool:
    return gate(labels, "judge", policy).decision is Decision.PASS


@dataclass(frozen=True)
class Judge:
    """How a judge errs: ``misses`` of what is there, ``invents`` of what is not, correlated within prompts."""

    misses: float
    invents: float
    correlation: float = 0.0

    def codes(self, random: Random, truth: Ints, cluster: Ints) -> Ints:
        missed = correlated(random, cluster, self.misses, self.correlation)
        invented = correlated(random, cluster, self.invents, self.correlation)
        return np.where(truth == 1, truth ^ missed, truth ^ invented)

    def kappa(self, rate: float) -> float:
        """κ against a truth with this share of yes."""
        said = rate * (1 - self.misses) + (1 - rate) * self.invents
        agreed = rate * (1 - self.misses) + (1 - rate) * (1 - self.invents)
        chance = rate * said + (1 - rate) * (1 - said)
        return (agreed - chance) / (1 - chance)


@dataclass(frozen=True)
class Rule:
    """One rule about one criterion, on prompts of equally many items."""

    policy: Policy
    judge: Judge
    prompts: int
    size: int
    correlation: float = 0.0
    rate: float = 0.5

    def __call__(self, random: Random) -> dict[str, Outcome]:
        cluster = prompts(random, self.prompts, (self.size, self.size))
        truth = correlated(random, cluster, self.rate, self.correlation)
        judge = replace(self.judge, correlation=self.correlation).codes(random, truth, cluster)
        return {PASSED: Outcome.of(passed(label_set(cluster, {"c": np.stack([truth, judge])}), self.policy))}


@dataclass(frozen=True)
class Twelve:
    """The default policy on twelve criteria, without a rubric: every criterion has to pass. ``rates``: of yes, in turn.
    ``chance``: how many criteria the judge answers independently of the truth."""

    items: int
    judge: Judge
    rates: Sequence[float] = (0.5,)
    chance: int = 0

    def __call__(self, random: Random) -> dict[str, Outcome]:
        cluster = np.arange(self.items)
        codes: dict[str, Ints] = {}
        for place in range(12):
            rate = self.rates[place % len(self.rates)]
            truth = correlated(random, cluster, rate, 0)
            guessed = correlated(random, cluster, rate, 0)
            said = guessed if place < self.chance else self.judge.codes(random, truth, cluster)
            codes[f"c{place}"] = np.stack([truth, said])
        result = gate(label_set(cluster, codes), "judge", default())
        found = {PASSED: Outcome.of(result.decision is Decision.PASS)}
        if self.chance:
            proven = [result.criteria[f"c{place}"] == "proven" for place in range(self.chance)]
            found["a criterion at chance is proven"] = Outcome.of(any(proven))
        return found


@dataclass(frozen=True)
class RareKind:
    """One criterion; on the kind that makes 5 % of the items nine of ten answers are wrong."""

    items: int

    def __call__(self, random: Random) -> dict[str, Outcome]:
        cluster = np.arange(self.items)
        rare = random.permutation(self.items) < self.items // 20
        truth = correlated(random, cluster, 0.5, 0)
        wrong = random.random(self.items) < np.where(rare, 0.9, 0.03)
        tags = [("rare",) if own else () for own in rare]
        labels = label_set(cluster, {"c": np.stack([truth, truth ^ wrong])}, tags=tags)
        result = gate(labels, "judge", default())
        return {
            "proven for that kind": Outcome.of(result.kinds.get("rare") == "proven"),
            PASSED: Outcome.of(result.decision is Decision.PASS),
        }


BORDER = Judge(0.3, 0.3)  # κ .40 at a rate of one half


@dataclass(frozen=True)
class FromFile:
    """A judge of κ exactly .40 in a file without clusters: ``copies`` of each item under other names, and ``size``
    responses to each prompt. It passes as seldom as with the clusters given."""

    prompts: int
    size: int
    copies: int
    correlation: float

    def __call__(self, random: Random) -> dict[str, Outcome]:
        cluster = prompts(random, self.prompts, (self.size, self.size))
        truth = correlated(random, cluster, 0.5, self.correlation)
        said = replace(BORDER, correlation=self.correlation).codes(random, truth, cluster)
        known = passed(label_set(cluster, {"c": np.stack([truth, said])}), only("cohen_kappa", least=0.4))
        read = passed(self._read(cluster, truth, said), only("cohen_kappa", least=0.4))
        return {PASSED: Outcome.of(read), "another decision than with clusters": Outcome.of(read != known)}

    def _read(self, cluster: Ints, truth: Ints, said: Ints) -> LabelSet:
        words = (NO, YES)
        lines = ["item,criterion,annotator,role,label,prompt,response"]
        for copy in range(self.copies):
            for place, prompt in enumerate(cluster):
                for name, role, codes in (("person 0", "human", truth), ("judge", "judge", said)):
                    text = f"question {prompt},answer {place}"
                    lines.append(f"i{place}x{copy},c,{name},{role},{words[codes[place]]},{text}")
        with TemporaryDirectory() as folder:
            path = Path(folder) / "labels.csv"
            path.write_text("\n".join(lines), "utf-8")
            return read_labels(path)


@dataclass(frozen=True)
class Ties:
    """Two people who disagree on ``hard`` of the items, where the judge guesses; elsewhere it errs at ``errors``. With
    each person its κ is .40, against the majority of those who agree it is .57."""

    items: int
    hard: float = 0.3
    errors: float = 0.2143

    def __call__(self, random: Random) -> dict[str, Outcome]:
        cluster = np.arange(self.items)
        truth = correlated(random, cluster, 0.5, 0)
        hard = random.random(self.items) < self.hard
        wrong = random.random(self.items) < np.where(hard, 0.5, self.errors)
        codes = np.stack([truth, truth ^ hard, truth ^ wrong])
        policy = only("headline", least=0.4)
        return {PASSED: Outcome.of(passed(label_set(cluster, {"c": codes}), policy))}


@dataclass(frozen=True)
class Silence:
    """A judge of κ .40 that is silent on a share of its items, mostly where it would be wrong."""

    items: int
    share: float

    def __call__(self, random: Random) -> dict[str, Outcome]:
        cluster = np.arange(self.items)
        truth = correlated(random, cluster, 0.5, 0)
        said = BORDER.codes(random, truth, cluster)
        hard = np.argsort((said == truth) + random.random(self.items) * 1.2)[: round(self.share * self.items)]
        silent = said.copy()
        silent[hard] = -1
        policy = only("headline", least=0.4)
        return {PASSED: Outcome.of(passed(label_set(cluster, {"c": np.stack([truth, silent])}), policy))}


def _cell(name: str, draw: object, demands: Mapping[str, Demand]) -> Cell:
    return Cell(name, demands, draw)  # type: ignore[arg-type]  # each of them is called with a generator


FALSE_POSITIVES = only("false_positive_rate", most=0.15)
WRONG_15 = Judge(0.1, 0.15)
RULES = {
    "false positives truly .15, 200 independent": Rule(FALSE_POSITIVES, WRONG_15, 200, 1),
    "false positives truly .15, 600 independent": Rule(FALSE_POSITIVES, WRONG_15, 600, 1),
    "false positives truly .15, 100 independent, 80 % negatives": Rule(FALSE_POSITIVES, WRONG_15, 100, 1, 0.0, 0.2),
    "false positives truly .15, 40 prompts x 6, correlation .3": Rule(FALSE_POSITIVES, WRONG_15, 40, 6, 0.3),
    "false positives truly .15, 60 prompts x 3, correlation .6": Rule(FALSE_POSITIVES, WRONG_15, 60, 3, 0.6),
    "false positives truly .15, 200 prompts x 4, correlation .3": Rule(FALSE_POSITIVES, WRONG_15, 200, 4, 0.3),
}
KAPPA = only("cohen_kappa", least=0.4)
KAPPA_RULES = {
    "kappa truly .40, 200 independent": Rule(KAPPA, BORDER, 200, 1),
    "kappa truly .40, 40 prompts x 6, correlation .3": Rule(KAPPA, BORDER, 40, 6, 0.3),
    "kappa truly .40, 60 prompts x 3, correlation .6": Rule(KAPPA, BORDER, 60, 3, 0.6),
}
BOTH_WAYS, MOSTLY_MISSES = Judge(0.125, 0.125), Judge(0.2, 0.05)  # κ .75 each, at a rate of one half
CELLS: tuple[Cell, ...] = (
    *(_cell(name, rule, {PASSED: FEW}) for name, rule in RULES.items()),
    *(_cell(name, rule, {PASSED: Demand(most=0.04)}) for name, rule in KAPPA_RULES.items()),
    *(
        _cell(
            f"12 criteria at chance within, rates .95/.05, {items} items",
            Twelve(items, BOTH_WAYS, (0.95, 0.05), 12),
            {PASSED: NEVER, "a criterion at chance is proven": REPORTED},
        )
        for items in (100, 300)
    ),
    *(
        _cell(
            f"1 criterion of 12 at chance, the others at kappa .90, {items} items",
            Twelve(items, Judge(0.05, 0.05), (0.5,), 1),
            {PASSED: Demand(most=0.05), "a criterion at chance is proven": Demand(most=0.05)},
        )
        for items in (100, 300)
    ),
    *(
        _cell(
            f"nine of ten wrong on a kind of 5 %, {items} items",
            RareKind(items),
            {"proven for that kind": NEVER, PASSED: REPORTED},
        )
        for items in (300, 1000)
    ),
    *(
        _cell(
            name,
            draw,
            {PASSED: Demand(most=0.04), "another decision than with clusters": NEVER},
        )
        for name, draw in {
            "kappa truly .40, each item five times, no clusters": FromFile(100, 1, 5, 0.0),
            "kappa truly .40, 40 prompts x 6, correlation .6, no clusters": FromFile(40, 6, 1, 0.6),
        }.items()
    ),
    _cell("kappa truly .40 with each person, .57 where people agree, 300 items", Ties(300), {PASSED: FEW}),
    *(
        _cell(
            f"kappa truly .40, silent on {share} %, 300 items",
            Silence(300, share / 100),
            {PASSED: demand},
        )
        for share, demand in ((1.5, REPORTED), (9, FEW))  # below 2 % a missing label is not counted as wrong
    ),
    *(
        _cell(
            f"power: kappa .75 on 12 criteria, {words}, {items} items",
            Twelve(items, judge),
            {PASSED: REPORTED},
        )
        for words, judge in (("errs both ways", BOTH_WAYS), ("mostly misses", MOSTLY_MISSES))
        for items in (100, 300)
    ),
)
