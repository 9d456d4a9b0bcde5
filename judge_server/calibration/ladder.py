"""Makes a judge agree better with people, rung by rung, on labels that neither drove nor chose the change.

The dev split is divided by prompt: what disagrees in ``revise`` drives candidates (fitted maps, other wordings),
``select`` chooses among them by the exact sign-flip test by prompt, adjusted for all candidates of the rung (Holm), and
the locked test split is read once, at the end, to confirm the one result. A rung is tried only on what the one below it
left. So a judge without faults is called improved in at most 5 % of runs, however many candidates were tried.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np

from judge_server.agreement.array import Ints
from judge_server.agreement.interval import share_interval
from judge_server.agreement.marginal import holm_adjusted, sign_flip
from judge_server.calibration.comparison import NEW, OLD, merged, shared_panel
from judge_server.calibration.curve_fitting import applied
from judge_server.calibration.disagreement import Disagreement, disagreements
from judge_server.calibration.fit import fit
from judge_server.calibration.improvement import (
    Clarity,
    Improvement,
    Outcome,
    PairedTest,
    TriedChange,
)
from judge_server.calibration.panels import views
from judge_server.calibration.parts import described, divided, only_criterion, ratings, size
from judge_server.calibration.wording import Draft, draft
from judge_server.core.criterion import AnyLeaf
from judge_server.core.errors import BadInput
from judge_server.core.fitted_map import FittedMap
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet

SIGNIFICANT = 0.05
SHOWN_CASES = 12  # disagreements that a proposer sees
MET = 0.5


class Measure(Protocol):
    """People's rows of ``labels`` and the judge's under ``rubric``."""

    async def __call__(self, rubric: Rubric, labels: LabelSet) -> LabelSet: ...


class Proposer(Protocol):
    """``propose``: criteria as data, with another statement or guidance."""

    name: str

    async def propose(
        self, leaf: AnyLeaf, cases: Sequence[Disagreement], tries: int
    ) -> Sequence[Mapping[str, Any]]: ...


@dataclass(frozen=True)
class LadderOptions:
    """``questions``: the most ratings to ask of the judge, without those of the test split."""

    judge: str
    seed: int = 0
    tries: int = 3
    questions: int | None = None
    least_prompts: int = 12


@dataclass
class Ladder:
    """``read_test`` gives the locked test split after recording the reading; None if there is none."""

    dev: LabelSet
    rubric: Rubric
    measure: Measure
    options: LadderOptions
    proposer: Proposer | None = None
    read_test: Callable[[], Awaitable[LabelSet]] | None = None
    tell: Callable[[str], None] = lambda _: None
    asked: int = 0
    reached: Rubric = field(init=False)
    candidates: list[TriedChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def climb(self) -> Improvement:
        """Raises BadInput if there are too few prompts to choose anything, or the budget does not reach the start."""
        revise, select = divided(self.dev, self.options.seed)
        sizes = (size("revise", revise), size("select", select))
        if min(one.prompts for one in sizes) < self.options.least_prompts:
            raise BadInput(
                f"The dev split has {sum(one.prompts for one in sizes)} prompts, too few to divide.",
                remedy=f"Label at least {2 * self.options.least_prompts} prompts, better 100.",
            )
        for one in sizes:
            self.tell(described(one))
        clear = clarity(self.dev, self.rubric)
        if not self._affords(revise, select):
            raise BadInput("The budget does not reach the judge's answers as it is.", remedy="Raise --questions.")
        seen, stood = await self._judged(self.rubric, revise), await self._judged(self.rubric, select)
        maps = self._fitted(seen, stood)
        rubric = await self._worded(revise, seen, select, mapped(stood, self.options.judge, maps))
        self.reached = rubric
        final = await self._confirmed(rubric, {name: one for name, one in maps.items() if self._same(rubric, name)})
        kept = any(one.kept for one in self.candidates)
        return Improvement(
            label_set=self.dev.id,
            labels=self.dev.digest,
            rubric=self.rubric.reference,
            judge=self.options.judge,
            proposer=self.proposer.name if self.proposer else None,
            seed=self.options.seed,
            parts=sizes,
            clarity=clear,
            candidates=tuple(self.candidates),
            notes=tuple(self.notes),
            final=final,
            outcome=outcome(final) if kept else "nothing better was found",
            version=rubric.version if rubric is not self.rubric else None,
            maps=tuple(name for name in maps if self._same(rubric, name)),
            questions=self.asked,
            created_at=datetime.now(UTC),
        )

    def _same(self, rubric: Rubric, name: str) -> bool:
        """Whether a criterion reads as before: a map belongs to its wording."""
        return leaf_of(rubric, name) == leaf_of(self.rubric, name)

    def _affords(self, *parts: LabelSet) -> bool:
        wanted = sum(ratings(part) for part in parts)
        return self.options.questions is None or self.asked + wanted <= self.options.questions

    async def _judged(self, rubric: Rubric, labels: LabelSet) -> LabelSet:
        self.asked += ratings(labels)
        return await self.measure(rubric, labels)

    def _fitted(self, seen: LabelSet, stood: LabelSet) -> dict[str, FittedMap]:
        """The maps fitted on revise that agree better on select."""
        judge = self.options.judge
        found = [one for one in fit(seen, judge, self.rubric, partial=True) if one.fitted is not None]
        trials = []
        for one in found:
            own = {one.criterion: one.fitted} if one.fitted is not None else {}
            trials.append(paired_test(stood, mapped(stood, judge, own), judge))
        made = [
            TriedChange(rung="map", criterion=one.criterion, name=f"a fitted map for {one.criterion}", test=test)
            for one, test in zip(found, trials, strict=True)
        ]
        kept = {one.criterion for one in self._chosen(made)}
        return {one.criterion: one.fitted for one in found if one.fitted is not None and one.criterion in kept}

    async def _worded(self, revise: LabelSet, seen: LabelSet, select: LabelSet, stood: LabelSet) -> Rubric:
        """The rubric with the wordings that agree better on select."""
        if self.proposer is None:
            self.notes.append("No other wording was tried: no proposer was named.")
            return self.rubric
        drafts = await self._drafts(self.proposer, revise, seen)
        made: list[TriedChange] = []
        for number, one in enumerate(drafts, 1):
            label = f"wording {number} of {one.criterion}"
            own = only_criterion(select, one.criterion)
            if one.rubric is None:
                made.append(TriedChange(rung="wording", criterion=one.criterion, name=label, refused=one.refused))
            elif not self._affords(own):
                self.notes.append(f"{label} was not measured: the budget is spent.")
            else:
                self.tell(f"{label}: {'; '.join(one.diff)}")
                judged = await self._judged(one.rubric, own)
                test = paired_test(only_criterion(stood, one.criterion), judged, self.options.judge)
                made.append(TriedChange(rung="wording", criterion=one.criterion, name=label, diff=one.diff, test=test))
        best = {one.name for one in self._chosen(made)}
        rubric = self.rubric
        for number, one in enumerate(drafts, 1):
            if one.rubric is not None and f"wording {number} of {one.criterion}" in best:
                rubric = with_leaf(rubric, leaf_of(one.rubric, one.criterion))
        return rubric

    async def _drafts(self, proposer: Proposer, revise: LabelSet, seen: LabelSet) -> list[Draft]:
        """For each criterion with disagreements in revise, those with most first."""
        drafts: list[Draft] = []
        texts = [text for item in revise.items.values() for text in (item.prompt, item.response) if text]
        found = disagreements(seen, list(views(seen)), self.options.judge, 10_000)
        count = {leaf.id: [one for one in found if one.criterion == leaf.id] for leaf in self.rubric.leaves}
        for name, cases in sorted(count.items(), key=lambda pair: -len(pair[1])):
            if not cases:
                continue
            leaf = leaf_of(self.rubric, name)
            proposals = await proposer.propose(leaf, cases[:SHOWN_CASES], self.options.tries)
            for proposal in proposals[: self.options.tries]:
                drafts.append(draft(self.rubric, leaf, proposal, texts, len(drafts) + 1))
        return drafts

    def _chosen(self, made: Sequence[TriedChange]) -> list[TriedChange]:
        """Records the candidates of a rung; the best significant one of each criterion is kept."""
        tests = [one.test.p for one in made if one.test is not None and one.test.p is not None]
        holding = iter(holm_adjusted(tests))
        told = [
            one.model_copy(update={"adjusted_p": next(holding)})
            if one.test is not None and one.test.p is not None
            else one
            for one in made
        ]
        best: dict[str, TriedChange] = {}
        for one in told:
            if one.test is None or one.adjusted_p is None or one.adjusted_p >= SIGNIFICANT or not one.test.better:
                continue
            rival = best.get(one.criterion)
            if rival is None or rival.test is None or one.test.after > rival.test.after:
                best[one.criterion] = one
        chosen = {one.name for one in best.values()}
        self.candidates += [one.model_copy(update={"kept": one.name in chosen}) for one in told]
        return [one for one in told if one.name in chosen]

    async def _confirmed(self, rubric: Rubric, maps: Mapping[str, FittedMap]) -> PairedTest | None:
        """The one look at the test split, before and after all that was kept."""
        if not any(one.kept for one in self.candidates):
            return None
        if self.read_test is None:
            self.notes.append("The label set has no test split: what was chosen is not confirmed.")
            return None
        test = await self.read_test()
        before = await self.measure(self.rubric, test)
        after = before if rubric is self.rubric else await self.measure(rubric, test)
        return paired_test(before, mapped(after, self.options.judge, maps), self.options.judge)


def outcome(final: PairedTest | None) -> Outcome:
    sure = final is not None and final.better and final.p is not None and final.p < SIGNIFICANT
    return "improved" if sure else "not confirmed"


def leaf_of(rubric: Rubric, name: str) -> AnyLeaf:
    return next(leaf for leaf in rubric.leaves if leaf.id == name)


def with_leaf(rubric: Rubric, leaf: AnyLeaf) -> Rubric:
    """The rubric as a draft in which one criterion reads like ``leaf``."""
    proposal = {"statement": leaf.statement, "guidance": getattr(leaf, "guidance", None)}
    made = draft(rubric, leaf_of(rubric, leaf.id), proposal, (), 1).rubric
    return made or rubric


def clarity(labels: LabelSet, rubric: Rubric) -> tuple[Clarity, ...]:
    """Criteria on which two people or more labelled the same items, those with most disagreement first."""
    statements = {leaf.id: leaf.statement for leaf in rubric.leaves}
    found = []
    for view in views(labels):
        counts = view.panel.humans.counts()
        several = counts.sum(axis=1) >= 2
        parted = several & (counts.max(axis=1, initial=0) < counts.sum(axis=1))
        if not several.any():
            continue
        cluster = view.panel.cluster
        cases = np.bincount(cluster, weights=several).astype(np.float64)
        differ = np.bincount(cluster, weights=parted).astype(np.float64)
        used = cases > 0
        low, high = share_interval(differ[used], cases[used], 0.95) if used.sum() > 1 else (None, None)
        name = view.criteria[0]
        found.append(
            Clarity(
                criterion=name,
                statement=statements.get(name, name),
                items=int(several.sum()),
                disagreed=int(parted.sum()),
                low=low,
                high=high,
                examples=tuple(view.table.items.names[code] for code in view.item[parted][:5]),
            )
        )
    return tuple(sorted(found, key=lambda one: -one.disagreed / one.items))


def mapped(labels: LabelSet, judge: str, maps: Mapping[str, FittedMap]) -> LabelSet:
    """The judge's rows with fitted probabilities, and labels that follow them from one half on."""
    table = labels.table
    codes, chances = table.labels.codes.copy(), table.probabilities.copy()
    own = table.annotators.codes == table.annotators.index(judge)
    names = table.labels.names
    for name, one in maps.items():
        scale = labels.scale_of(name)
        if scale.positive is None or len(scale.classes) != 2:
            continue
        rows = np.flatnonzero(own & (table.criteria.codes == table.criteria.index(name)) & np.isfinite(chances))
        chances[rows] = applied(one.curve, chances[rows])
        other = next(label for label in scale.classes if label != scale.positive)
        if not {scale.positive, other} <= set(names):
            names = (*names, *(label for label in (scale.positive, other) if label not in names))
        codes[rows] = np.where(chances[rows] >= MET, names.index(scale.positive), names.index(other))
    column = replace(table.labels, names=names, codes=codes)
    return replace(labels, table=replace(table, labels=column, probabilities=chances))


def paired_test(old: LabelSet, new: LabelSet, judge: str) -> PairedTest:
    """Whether the new rows agree with the people's majority more often, prompt by prompt."""
    right: list[list[Ints]] = [[], []]
    clusters = []
    for view in views(merged(old, judge, new, judge)):
        if not {OLD, NEW} <= set(view.panel.judges):
            continue
        panel = shared_panel(view.panel)
        reference = panel.majority()
        for place, name in enumerate((OLD, NEW)):
            right[place].append((panel.judges[name].codes == reference).astype(np.int64))
        clusters.append(panel.cluster)
    if not clusters or not sum(map(len, clusters)):
        return PairedTest(ratings=0, prompts=0, before=0, after=0, fixed=0, broken=0)
    before, after, cluster = np.concatenate(right[0]), np.concatenate(right[1]), np.concatenate(clusters)
    return PairedTest(
        ratings=len(before),
        prompts=len(np.unique(cluster)),
        before=int(before.sum()),
        after=int(after.sum()),
        fixed=int((after > before).sum()),
        broken=int((before > after).sum()),
        p=sign_flip(after, before, cluster).p,
    )
