"""Random labels with known truth: correlated within prompts, by several people, and as label sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import norm

from benchmarks.simulation.cell import Random
from judge_server.agreement.array import Floats, Ints, floats
from judge_server.agreement.panel import RatingPanel, RatingRows
from judge_server.agreement.scale import LabelScale
from judge_server.labels.label import CriterionScale, Item, Role
from judge_server.labels.label_set import LabelSet, Provenance
from judge_server.labels.table import ABSTAINED, Column, LabelTable

NO, YES = "no", "yes"
BINARY = LabelScale(labels=(NO, YES), values=(0.0, 1.0), positive=YES)


def prompts(random: Random, number: int, sizes: tuple[int, int]) -> Ints:
    """(items,): the prompt of each item; a prompt has between the least and the most of ``sizes`` items."""
    return np.repeat(np.arange(number), random.integers(sizes[0], sizes[1] + 1, number))


def correlated(random: Random, cluster: Ints, rate: float, correlation: float) -> Ints:
    """(items,) draws of 0 and 1 with this rate, beta-binomial within a cluster."""
    if not correlation or rate in (0, 1):
        return (random.random(len(cluster)) < rate).astype(np.int64)
    strength = (1 - correlation) / correlation
    own = random.beta(rate * strength, (1 - rate) * strength, int(cluster.max()) + 1)
    return (random.random(len(cluster)) < own[cluster]).astype(np.int64)


@dataclass(frozen=True)
class Raters:
    """People and a judge on the same yes or no. ``sizes``: least and most items of a prompt; ``correlation``: between
    the items of one prompt, of truth and of each one's errors. ``kept``: the share of the people's ratings that are
    there."""

    prompts: int
    sizes: tuple[int, int]
    prevalence: float
    errors: float
    correlation: float = 0.0
    people: int = 1
    human_errors: float = 0.0
    kept: float = 1.0

    def panel(self, random: Random) -> RatingPanel:
        cluster = prompts(random, self.prompts, self.sizes)
        truth = correlated(random, cluster, self.prevalence, self.correlation)
        rates = [*[self.human_errors] * self.people, self.errors]
        codes = np.stack([truth ^ correlated(random, cluster, rate, self.correlation) for rate in rates])
        if self.kept < 1:
            codes[:-1][random.random((self.people, len(cluster))) >= self.kept] = -1
        return panel(cluster, codes, BINARY)

    def patterns(self) -> tuple[RatingPanel, Floats]:
        """Every possible set of ratings of one item, and its probability."""
        rates = [*[self.human_errors] * self.people, self.errors]
        said = np.array(list(product((-1, 0, 1), repeat=self.people))) if self.kept < 1 else None
        people = said if said is not None else np.array(list(product((0, 1), repeat=self.people)))
        codes = np.array([[*own, judge] for own in people for judge in (0, 1)]).T
        chance = np.zeros(codes.shape[1])
        for truth, prior in ((0, 1 - self.prevalence), (1, self.prevalence)):
            own = np.full(codes.shape[1], prior)
            for place, rate in enumerate(rates):
                right = np.where(codes[place] == truth, 1 - rate, rate)
                kept = self.kept if place < self.people else 1.0
                own = own * np.where(codes[place] < 0, 1 - kept, kept * right)
            chance += own
        return panel(np.arange(codes.shape[1]), codes, BINARY), chance


@dataclass(frozen=True)
class Steps:
    """Steps from 1, as many as ``rates``; the judge errs by a step, and at times anywhere. By default the lowest of
    five is by far the commonest."""

    prompts: int
    size: int
    rates: tuple[float, ...] = (0.7, 0.15, 0.08, 0.04, 0.03)

    def confusion(self) -> Floats:
        """(steps, steps): the probability of each answer, the truth in the rows."""
        steps = len(self.rates)
        table = np.full((steps, steps), 0.1 / steps) + 0.8 * np.eye(steps)
        for truth in range(steps):
            for near in (max(truth - 1, 0), min(truth + 1, steps - 1)):
                table[truth, near] += 0.05
        return table

    def panel(self, random: Random) -> RatingPanel:
        cluster = np.repeat(np.arange(self.prompts), self.size)
        steps = len(self.rates)
        truth = random.choice(steps, len(cluster), p=self.rates)
        judge = (random.random(len(cluster))[:, np.newaxis] > np.cumsum(self.confusion(), axis=1)[truth]).sum(axis=1)
        return panel(cluster, np.stack([truth, np.minimum(judge, steps - 1)]), steps_from_one(steps))

    def patterns(self) -> tuple[RatingPanel, Floats]:
        steps = len(self.rates)
        codes = np.array(list(product(range(steps), repeat=2))).T
        chance = np.array(self.rates)[codes[0]] * self.confusion()[codes[0], codes[1]]
        return panel(np.arange(steps**2), codes, steps_from_one(steps)), chance


def steps_from_one(number: int) -> LabelScale:
    values = range(1, number + 1)
    return LabelScale(labels=tuple(map(str, values)), values=tuple(map(float, values)))


@dataclass(frozen=True)
class Sure:
    """A judge with probabilities whose log-odds are ``sharpness`` times the true ones; 1 is calibrated. ``alike``: the
    correlation of the true log-odds, standard deviation 1.5, of the items of a prompt."""

    prompts: int
    size: int
    sharpness: float = 1.0
    alike: float = 0.3

    def drawn(self, random: Random) -> tuple[Ints, Ints, Floats]:
        """(items,) each: the prompt, the truth, and the judge's probability."""
        cluster = prompts(random, self.prompts, (self.size, self.size))
        chance = self.chances(random, cluster)
        return cluster, (random.random(len(cluster)) < chance).astype(np.int64), self.said(chance)

    def chances(self, random: Random, cluster: Ints) -> Floats:
        own = random.normal(size=int(cluster.max()) + 1)[cluster]
        score = np.sqrt(self.alike) * own + np.sqrt(1 - self.alike) * random.normal(size=len(cluster))
        return floats(1 / (1 + np.exp(-1.5 * score)))

    def said(self, chance: Floats) -> Floats:
        return floats(1 / (1 + ((1 - chance) / chance) ** self.sharpness))

    def panel(self, random: Random) -> RatingPanel:
        cluster, truth, said = self.drawn(random)
        return panel(cluster, np.stack([truth, (said >= 0.5).astype(np.int64)]), BINARY, said)

    def patterns(self) -> tuple[RatingPanel, Floats]:
        """Both truths at 2,000 equally likely true probabilities: items of different prompts."""
        score = norm.ppf((np.arange(2_000) + 0.5) / 2_000)
        chance = 1 / (1 + np.exp(-1.5 * score))
        said = np.tile(self.said(floats(chance)), 2)
        codes = np.stack([np.repeat((0, 1), len(chance)), (said >= 0.5).astype(np.int64)])
        weight = np.concatenate([1 - chance, chance]) / len(chance)
        return panel(np.arange(len(said)), codes, BINARY, said), floats(weight)


def panel(
    cluster: Ints, codes: Ints, scale: LabelScale, probability: Floats | None = None, second: bool = False
) -> RatingPanel:
    """(raters, items) codes, −1 for none; the last rater is the judge, whose ``probability`` of yes may be given. With
    ``second`` the last but one is another judge."""
    raters, items = codes.shape
    people = raters - (2 if second else 1)
    names = (*(f"person {place}" for place in range(people)), *(["second"] if second else []), "judge")
    shares = np.full(raters * items, np.nan)
    if probability is not None:
        shares[-items:] = probability
    rows = RatingRows(
        np.tile(np.arange(items), raters),
        np.repeat(np.arange(raters), items),
        codes.ravel(),
        names,
        roles(raters, people),
        scale.labels,
        cluster=np.tile(cluster, raters),
        probability=shares,
    )
    return RatingPanel.of(rows, scale)


def roles(raters: int, people: int | None = None) -> tuple[Role, ...]:
    """The last rater is a judge, or all after ``people``."""
    first: list[Role] = ["human"] * (raters - 1 if people is None else people)
    rest: list[Role] = ["judge"] * (raters - len(first))
    return (*first, *rest)


def label_set(
    cluster: Ints,
    codes: Mapping[str, Ints],
    *,
    probability: Floats | None = None,
    tags: Sequence[Sequence[str]] | None = None,
) -> LabelSet:
    """By criterion, (raters, items) codes of no and yes, −1 for silence; the last rater is the judge."""
    names, tables = list(codes), list(codes.values())
    raters, items = tables[0].shape
    size, criteria = raters * items, len(names)
    shares = np.full(size * criteria, np.nan)
    if probability is not None:
        shares[size - items : size] = probability
    said = np.concatenate([own.ravel() for own in tables])
    item_names = tuple(f"i{place}" for place in range(items))
    table = LabelTable(
        items=Column(item_names, np.tile(np.arange(items, dtype=np.int32), raters * criteria)),
        criteria=Column(tuple(names), np.repeat(np.arange(criteria, dtype=np.int32), size)),
        annotators=Column(
            (*(f"person {place}" for place in range(raters - 1)), "judge"),
            np.tile(np.repeat(np.arange(raters, dtype=np.int32), items), criteria),
        ),
        clusters=Column(
            tuple(f"p{place}" for place in range(int(cluster.max()) + 1)),
            np.tile(cluster.astype(np.int32), raters * criteria),
        ),
        labels=Column((NO, YES), np.where(said < 0, ABSTAINED, said).astype(np.int32)),
        roles=roles(raters),
        probabilities=shares,
        rows=np.arange(size * criteria, dtype=np.int32),
    )
    kept = (
        {}
        if tags is None
        else {name: Item(id=name, tags=tuple(own)) for name, own in zip(item_names, tags, strict=True)}
    )
    scales = tuple(CriterionScale(criterion=name, kind="binary", classes=(NO, YES), positive=YES) for name in names)
    return LabelSet("simulated", "1", Provenance(source="drawn at random"), scales, table, items=kept)
