"""Makes a judge agree better with people, rung by rung, on labels that neither drove nor chose the change.

The dev split is divided by prompt: what disagrees in ``revise`` drives candidates (fitted maps, other wordings,
labelled examples, a second judge, an adapter trained on them), and only what is better there is tried on ``select``,
which chooses by the exact sign-flip test by prompt, adjusted for all candidates of the rung (Holm): a change must agree
better as ratings are counted, and with every label counted alike. The locked test split is read once, at the end, to
confirm the one result. A rung is tried only on what the one below it left. So a judge without faults is called improved
in at most 5 % of runs, however many candidates were tried.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from judge_server.calibration.candidate import SIGNIFICANT, KeptSoFar, MeasuredChange, chosen
from judge_server.calibration.cascade_choice import Wanted, choose_cascade
from judge_server.calibration.clarity import clarity, turned_scales
from judge_server.calibration.comparison import NEW, OLD, merged
from judge_server.calibration.disagreement import Disagreement, disagreements
from judge_server.calibration.fit import fit
from judge_server.calibration.improvement import (
    AS_IT_IS,
    Improvement,
    JudgeSetup,
    Limits,
    Outcome,
    PairedTest,
    PartSize,
    Rung,
    TriedChange,
    TurnedScale,
)
from judge_server.calibration.meter import LimitReached, Meter
from judge_server.calibration.paired_agreement import mapped, paired_test, with_rows_of
from judge_server.calibration.panels import views
from judge_server.calibration.parts import divided, only_criterion, only_items, ratings, size
from judge_server.calibration.trial import Trial
from judge_server.calibration.wording import Draft, draft
from judge_server.core.criterion import AnyLeaf
from judge_server.core.errors import BadInput
from judge_server.core.judge import ExampleRule
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet

SHOWN_CASES = 12  # disagreements that a proposer sees


class Measure(Protocol):
    """People's rows of ``labels`` and the judge's under ``rubric``, asked as ``setup`` says. Raises LimitReached."""

    async def __call__(self, rubric: Rubric, labels: LabelSet, setup: JudgeSetup) -> LabelSet: ...


class Proposer(Protocol):
    """``propose``: criteria as data, with another statement or guidance. ``trial``: what may be tried before."""

    name: str

    async def propose(
        self, leaf: AnyLeaf, cases: Sequence[Disagreement], tries: int, trial: Trial
    ) -> Sequence[Mapping[str, Any]]: ...


@dataclass(frozen=True)
class LadderOptions:
    """``second``: the judge of the cascade rung, which may be asked about at most the share ``second_share``.
    ``tuned``: the judge with an adapter that was trained on revise. ``examples``: rules to try on the rung of examples.
    ``locked``: ratings in the test split, for which budgets keep a reserve."""

    judge: str
    seed: int = 0
    tries: int = 3
    least_prompts: int = 12
    examples: tuple[ExampleRule, ...] = ()
    second: str | None = None
    second_share: float = 0.5
    tuned: str | None = None
    locked: int = 0


@dataclass
class Ladder:
    """``read_test`` gives the locked test split after recording the reading; None if there is none. ``meter``: what may
    be spent. ``rung``: which one is tried or was tried last."""

    dev: LabelSet
    rubric: Rubric
    measure: Measure
    options: LadderOptions
    proposer: Proposer | None = None
    read_test: Callable[[], Awaitable[LabelSet]] | None = None
    meter: Meter = field(default_factory=lambda: Meter(Limits()))
    tell: Callable[[str], None] = lambda _: None
    asked: int = 0
    sizes: tuple[PartSize, ...] = ()
    rung: Rung | None = None
    reached: Rubric = field(init=False)
    revise: LabelSet = field(init=False)
    select: LabelSet = field(init=False)
    turned: tuple[TurnedScale, ...] = ()
    candidates: list[TriedChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def climb(self) -> Improvement:
        """Raises BadInput if there are too few prompts to choose anything, or the budget does not reach the start."""
        revise, select = divided(self.dev, self.options.seed)
        self.sizes = sizes = (size("revise", revise), size("select", select))
        if min(one.prompts for one in sizes) < self.options.least_prompts:
            raise BadInput(
                f"The dev split has {sum(one.prompts for one in sizes)} prompts, too few to divide.",
                remedy=f"Label at least {2 * self.options.least_prompts} prompts, better 100.",
            )
        for one in sizes:
            self.tell(str(one))
        clear = clarity(self.dev, self.rubric)
        self.revise, self.select = revise, select
        standing = await self._start(revise, select)
        self.turned = turned_scales(standing.seen, self.options.judge, self.rubric)
        for turned in self.turned:
            self.tell(str(turned))
        try:
            for rung, climb in self._rungs.items():
                self.rung = rung
                standing = await climb(standing)
        except LimitReached as limit:
            self.notes.append(f"The budget of {limit} ended the search: later candidates were not tried.")
        self.reached = standing.rubric
        final = await self._confirmed(standing)
        kept = any(one.kept for one in self.candidates)
        return Improvement(
            label_set=self.dev.id,
            labels=self.dev.digest,
            rubric=self.rubric.reference,
            judge=self.options.judge,
            proposer=self.proposer.name if self.proposer else None,
            second=self.options.second,
            tuned=self.options.tuned,
            seed=self.options.seed,
            parts=sizes,
            clarity=clear,
            turned=self.turned,
            candidates=tuple(self.candidates),
            notes=tuple(self.notes),
            final=final,
            outcome=outcome(final) if kept else "nothing better was found",
            version=standing.rubric.version if standing.rubric is not self.rubric else None,
            maps=tuple(standing.maps),
            setup=standing.setup,
            questions=self.asked,
            limits=self.meter.limits,
            spent=self.meter.spent,
            created_at=datetime.now(UTC),
        )

    @property
    def _rungs(self) -> Mapping[Rung, Callable[[KeptSoFar], Awaitable[KeptSoFar]]]:
        return {
            "map": self._map,
            "wording": self._word,
            "examples": self._exemplify,
            "cascade": self._cascade,
            "adapter": self._adapt,
        }

    async def _start(self, revise: LabelSet, select: LabelSet) -> KeptSoFar:
        self._require(revise, select, why="The budget does not reach the judge's answers as it is.")
        try:
            seen = await self._judged(self.rubric, revise, AS_IT_IS)
            return KeptSoFar(self.rubric, seen, await self._judged(self.rubric, select, AS_IT_IS))
        except LimitReached as limit:
            raise BadInput(
                f"The budget of {limit} does not reach the judge's answers as it is.",
                remedy="Raise it: what was answered is kept.",
            ) from None

    def _require(self, *parts: LabelSet, why: str) -> None:
        if self._lacking(sum(ratings(part) for part in parts)) is not None:
            raise BadInput(why, remedy="Raise --questions.")

    def _lacking(self, wanted: int) -> str | None:
        """The budget that ``wanted`` more ratings would overdraw, with a reserve for the test split; None if none."""
        meter = self.meter
        most = meter.limits.questions
        if most is not None and self.asked + wanted > most:
            return f"{most} questions"
        return meter.reached(wanted + 2 * self.options.locked) if meter.spent.ratings else None

    async def _judged(self, rubric: Rubric, labels: LabelSet, setup: JudgeSetup) -> LabelSet:
        self.asked += ratings(labels)
        return await self.measure(rubric, labels, setup)

    def _open(self, criterion: str) -> bool:
        """Whether a criterion is worth a change: one whose scale may be turned round is mended first."""
        return all(one.criterion != criterion for one in self.turned)

    async def _map(self, standing: KeptSoFar) -> KeptSoFar:
        """With the maps fitted on revise that agree better on select."""
        judge = self.options.judge
        made = []
        for one in fit(standing.seen, judge, self.rubric, partial=True):
            if one.fitted is None or not self._open(one.criterion):
                continue
            own = {one.criterion: one.fitted}
            test = paired_test(standing.select, mapped(standing.select, judge, own), judge)
            change = TriedChange(
                rung="map", criterion=one.criterion, name=f"a fitted map for {one.criterion}", test=test
            )
            made.append(MeasuredChange(change, replace(standing, maps=own)))
        for one_kept in self._chosen(made):
            standing = replace(standing, maps={**standing.maps, **one_kept.maps})
        return standing

    async def _word(self, standing: KeptSoFar) -> KeptSoFar:
        """With the wordings that agree better on select."""
        if self.proposer is None:
            self.notes.append("No other wording was tried: no proposer was named.")
            return standing
        made = []
        for number, one in enumerate(await self._drafts(self.proposer, standing), 1):
            change = TriedChange(
                rung="wording",
                criterion=one.criterion,
                name=f"wording {number} of {one.criterion}",
                diff=one.diff,
                refused=one.refused,
            )
            if one.rubric is None:
                made.append(MeasuredChange(change))
                continue
            found = await self._tried(standing, change, one.rubric, standing.setup)
            if found is not None:
                made.append(found)
        for kept in self._chosen(made):
            name = next(leaf.id for leaf in self.rubric.leaves if leaf_of(kept.rubric, leaf.id) != leaf)
            standing = replace(
                standing,
                rubric=with_leaf(standing.rubric, leaf_of(kept.rubric, name)),
                seen=with_rows_of(standing.seen, kept.seen, self.options.judge, name),
                select=with_rows_of(standing.select, kept.select, self.options.judge, name),
                maps={own: fitted for own, fitted in standing.maps.items() if own != name},
            )
        return standing

    async def _drafts(self, proposer: Proposer, standing: KeptSoFar) -> list[Draft]:
        """For each criterion with disagreements in revise, those with most first."""
        drafts: list[Draft] = []
        texts = [text for item in standing.seen.items.values() for text in (item.prompt, item.response) if text]
        seen = mapped(standing.seen, self.options.judge, standing.maps)
        found = disagreements(seen, list(views(seen)), self.options.judge, 10_000)
        count = {leaf.id: [one for one in found if one.criterion == leaf.id] for leaf in self.rubric.leaves}
        for name, cases in sorted(count.items(), key=lambda pair: -len(pair[1])):
            if not cases or not self._open(name):
                continue
            self.meter.require()
            leaf = leaf_of(self.rubric, name)
            trial = self._trial(leaf, standing, seen, texts)
            proposals = await proposer.propose(leaf, cases[:SHOWN_CASES], self.options.tries, trial)
            for proposal in proposals[: self.options.tries]:
                made = draft(self.rubric, leaf, proposal, texts, len(drafts) + 1)
                if made.diff and any(made.diff == one.diff for one in drafts):
                    made = replace(made, rubric=None, refused="it repeats an earlier proposal")
                drafts.append(made)
        return drafts

    def _trial(self, leaf: AnyLeaf, standing: KeptSoFar, seen: LabelSet, texts: Sequence[str]) -> Trial:
        revise = only_criterion(self.revise, leaf.id)

        async def judged(worded: AnyLeaf, items: Sequence[str]) -> LabelSet:
            part = only_items(revise, items)
            if (lacking := self._lacking(ratings(part))) is not None:
                raise LimitReached(lacking)
            return await self._judged(with_leaf(standing.rubric, worded), part, standing.setup)

        def refusal(proposal: Mapping[str, Any]) -> str | None:
            return draft(self.rubric, leaf, proposal, texts, 1).refused

        return Trial(self.options.judge, only_criterion(seen, leaf.id), judged, refusal)

    async def _exemplify(self, standing: KeptSoFar) -> KeptSoFar:
        """With the labelled examples that agree best on select."""
        made = []
        for rule in self.options.examples:
            name = f"{rule.k} labelled examples by {'words' if rule.by == 'lexical' else 'vectors'}"
            change = TriedChange(rung="examples", criterion="", name=name, diff=(f"each question shows {name}",))
            found = await self._tried(standing, change, standing.rubric, replace_setup(standing.setup, examples=rule))
            if found is not None:
                made.append(found)
        return next(iter(self._chosen(made)), standing)

    async def _cascade(self, standing: KeptSoFar) -> KeptSoFar:
        """With the second judge deciding what the first leaves uncertain, in the band that revise chose."""
        second, judge = self.options.second, self.options.judge
        if second is None:
            return standing
        if (lacking := self._lacking(ratings(self.revise))) is not None:
            self.notes.append(f"{second} was not tried: {lacking} would be overdrawn.")
            return standing
        strong = await self._judged(standing.rubric, self.revise, JudgeSetup(second=True))
        both = merged(standing.seen, judge, strong, judge)
        wanted = Wanted(budget=self.options.second_share)
        (choice,) = choose_cascade(both, None, (OLD, NEW), standing.rubric, wanted, partial=True)
        if choice.chosen is None or choice.chosen.asked == 0:
            self.notes.append(f"No band in which {second} decides agrees better on the revise part.")
            return standing
        low, high = choice.chosen.band
        told = f"{second} decides where P(met) is from {low:g} to {high:g} ({choice.chosen.asked:.0%} of questions)"
        change = TriedChange(rung="cascade", criterion="", name=f"a cascade with {second}", diff=(told,))
        setup = replace_setup(standing.setup, band=choice.chosen.band)
        found = await self._tried(standing, change, standing.rubric, setup)
        return standing if found is None else next(iter(self._chosen([found])), standing)

    async def _adapt(self, standing: KeptSoFar) -> KeptSoFar:
        """With the adapter in the judge's place, if it agrees better on select."""
        tuned = self.options.tuned
        if tuned is None:
            return standing
        told = f"{tuned} is asked, whose adapter was trained on the revise part"
        change = TriedChange(rung="adapter", criterion="", name=f"the adapter of {tuned}", diff=(told,))
        found = await self._tried(standing, change, standing.rubric, replace_setup(standing.setup, tuned=True))
        return standing if found is None else next(iter(self._chosen([found])), standing)

    async def _tried(
        self, standing: KeptSoFar, change: TriedChange, rubric: Rubric, setup: JudgeSetup
    ) -> MeasuredChange | None:
        """The change measured on revise, and if it is better there, on select; None if the budget does not reach."""
        judge, own = self.options.judge, change.criterion
        cut = partial(only_criterion, name=own) if own else (lambda labels: labels)
        revise, select = cut(self.revise), cut(self.select)
        lacking = self._lacking(ratings(revise) + ratings(select))
        if lacking is not None:
            self.notes.append(f"{change.name} was not measured: the budget is spent ({lacking}).")
            return None
        self.tell(f"{change.name}: {'; '.join(change.diff)}")
        stood = [cut(mapped(part, judge, standing.maps)) for part in (standing.seen, standing.select)]
        seen = await self._judged(rubric, revise, setup)
        change = change.model_copy(update={"seen": paired_test(stood[0], seen, judge)})
        if change.seen is None or not change.seen.better:
            return MeasuredChange(change)
        judged = await self._judged(rubric, select, setup)
        change = change.model_copy(update={"test": paired_test(stood[1], judged, judge)})
        return MeasuredChange(change, KeptSoFar(rubric, seen, judged, setup))

    def _chosen(self, made: Sequence[MeasuredChange]) -> list[KeptSoFar]:
        changes, kept = chosen(made)
        self.candidates += changes
        return kept

    async def _confirmed(self, standing: KeptSoFar) -> PairedTest | None:
        """The one look at the test split, before and after all that was kept."""
        if not any(one.kept for one in self.candidates):
            return None
        if self.read_test is None:
            self.notes.append("The label set has no test split: what was chosen is not confirmed.")
            return None
        if (limit := self.meter.reached()) is not None:
            self.notes.append(f"The test split was not read: the budget of {limit} is spent.")
            return None
        test = await self.read_test()
        try:
            before = await self.measure(self.rubric, test, AS_IT_IS)
            same = standing.rubric is self.rubric and standing.setup == AS_IT_IS
            after = before if same else await self.measure(standing.rubric, test, standing.setup)
        except LimitReached as limit:
            self.notes.append(f"The budget of {limit} ended while the test split was judged: nothing is confirmed.")
            return None
        return paired_test(before, mapped(after, self.options.judge, standing.maps), self.options.judge)


def outcome(final: PairedTest | None, p: float | None = None) -> Outcome:
    """``p``: adjusted for other looks at the test split; else that of the test's claim."""
    if final is not None and p is None:
        p = final.claim
    sure = final is not None and final.better and p is not None and p < SIGNIFICANT
    return "improved" if sure else "not confirmed"


def leaf_of(rubric: Rubric, name: str) -> AnyLeaf:
    return next(leaf for leaf in rubric.leaves if leaf.id == name)


def with_leaf(rubric: Rubric, leaf: AnyLeaf) -> Rubric:
    """The rubric as a draft in which one criterion reads like ``leaf``."""
    proposal = {"statement": leaf.statement, "guidance": getattr(leaf, "guidance", None)}
    made = draft(rubric, leaf_of(rubric, leaf.id), proposal, (), 1).rubric
    return made or rubric


def replace_setup(setup: JudgeSetup, **changes: Any) -> JudgeSetup:
    return setup.model_copy(update=changes)
