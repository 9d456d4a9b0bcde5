"""An attempt to improve a judge: answers, proposals and what was spent are kept in its workspace as they come.

So a run that was killed anywhere goes on without asking twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from judge_server.authoring.emitting import yaml_of
from judge_server.calibration.gepa_search import GepaSearch, require_search
from judge_server.calibration.improvement import AS_IT_IS, NO_LIMITS, Improvement, JudgeSetup, Limits, Search
from judge_server.calibration.kept_answers import KeptAnswers, Watching, unwatched
from judge_server.calibration.kept_proposals import KeptProposals
from judge_server.calibration.labelled_responses import labelled_responses, pool_of
from judge_server.calibration.ladder import Ladder, LadderOptions, Proposer
from judge_server.calibration.locked_split import OneLook
from judge_server.calibration.meter import Meter
from judge_server.calibration.parts import divided, ratings
from judge_server.calibration.workspace import RECORD, Workspace
from judge_server.core.judge import CascadeRule, ExampleRule, JudgeSpecification
from judge_server.core.rubric import Rubric
from judge_server.judging.answer import Judge, JudgeRegistry
from judge_server.judging.cascade import CascadeJudge
from judge_server.judging.exemplified import ExemplifiedJudge
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import ReadingLog
from judge_server.scoring.scorer import Scorer
from judge_server.util.canonical import digest


@dataclass(frozen=True)
class Attempt:
    """What the result depends on, beside labels, rubric and judges. ``examples``: rules without a source; the revise
    part is their source. ``search``: the proposer is asked once for a criterion, or GEPA directs it."""

    tries: int = 3
    search: Search = "once"
    seed: int = 0
    limits: Limits = NO_LIMITS
    examples: tuple[ExampleRule, ...] = ()
    second_share: float = 0.5
    positives: Mapping[str, str] = field(default_factory=dict)
    reader: str = ""
    reason: str = ""


@dataclass
class ImproveRun:
    """One attempt, kept in ``place``. ``scorer_of``: a scorer over some judges; ``watching``: shows how far the judging
    of so many items is; ``at_once``: items judged at a time; ``pages``: the reports to write, by file name; ``tuned``:
    the judge with an adapter that was trained on the same revise part. ``ladder``: how far it is, once it has begun."""

    attempt: Attempt
    whole: LabelSet
    rubric: Rubric
    judge: Judge
    place: Workspace
    scorer_of: Callable[[JudgeRegistry], Scorer]
    second: Judge | None = None
    tuned: Judge | None = None
    proposer: str | None = None
    tell: Callable[[str], None] = lambda _: None
    watching: Watching = unwatched
    pages: Callable[[Improvement], Mapping[str, str]] = lambda _: {}
    at_once: int = 64
    ladder: Ladder | None = field(init=False, default=None)
    meter: Meter = field(init=False)
    _asked: dict[str, Judge] = field(default_factory=dict)
    _revise: LabelSet = field(init=False)

    @property
    def key(self) -> str:
        """What the result depends on."""
        own, others = self.attempt, (self.second, self.tuned)
        fingerprints = [None if one is None else one.reference.fingerprint for one in others]
        judges = [self.judge.reference.fingerprint, *fingerprints, self.proposer]
        judges += [] if own.search == "once" else [own.search]
        rules = [rule.model_dump(mode="json", exclude={"source"}) for rule in own.examples]
        given = [self.whole.digest, self.rubric.digest, *judges, own.tries, own.seed, own.limits.model_dump()]
        return digest([*given, rules, own.second_share, dict(own.positives)]).removeprefix("sha256:")[:12]

    @property
    def name(self) -> str:
        return self.judge.reference.name

    async def climb(self, propose: "Callable[[Meter], Proposer] | None", log: ReadingLog) -> Improvement:
        """Raises BadInput for labels that were tested on before without a reason to do it again, or that are too
        few."""
        own = self.attempt
        require_search(own.search, self.proposer)
        look = OneLook(self.whole, log, self.key, own.reader, own.reason)
        await look.require_unread()
        self.meter = self.place.meter(own.limits)
        dev = self.whole.split("dev")
        self._revise, _ = divided(dev, own.seed)
        self.ladder = ladder = Ladder(
            dev=dev,
            rubric=self.rubric,
            measure=self._measured,
            options=LadderOptions(
                self.name,
                seed=own.seed,
                tries=own.tries,
                examples=tuple(rule.model_copy(update={"source": self.place.examples}) for rule in own.examples),
                second=None if self.second is None else self.second.reference.name,
                second_share=own.second_share,
                tuned=None if self.tuned is None else self.tuned.reference.name,
                locked=max(ratings(self.whole) - ratings(dev), 0),
            ),
            proposer=None if propose is None else self._kept(propose(self.meter)),
            read_test=look.read if look.possible else None,
            meter=self.meter,
            tell=self.tell,
        )
        found = await look.adjusted(await ladder.climb())
        await self._write(found, ladder.reached)
        return found

    def _kept(self, proposer: Proposer) -> Proposer:
        """What it answers is kept, and so is what GEPA asks it on the way."""
        kept = KeptProposals(proposer, self.place.proposals)
        if self.attempt.search == "once":
            return kept
        return KeptProposals(GepaSearch(kept, self.attempt.seed), self.place.proposals)

    async def _measured(self, rubric: Rubric, labels: LabelSet, setup: JudgeSetup) -> LabelSet:
        """Rows of the judge in this setup, under the judge's own name."""
        kept = KeptAnswers(
            self.place.answers, self.scorer_of, self.watching, self.attempt.positives, self.meter, self.at_once
        )
        return await kept.measured(rubric, labels, self._judge_of(setup), self.name)

    def _judge_of(self, setup: JudgeSetup) -> Judge:
        key = setup.model_dump_json()
        if key not in self._asked:
            self._asked[key] = self._built(setup)
        return self._asked[key]

    def _built(self, setup: JudgeSetup) -> Judge:
        judge = self.judge
        if setup.tuned and self.tuned is not None:
            judge = self.tuned
        if setup.examples is not None:
            rule = setup.examples
            specification = judge.specification.model_copy(update={"examples": rule})
            judge = ExemplifiedJudge(specification, judge, pool_of(labelled_responses(self._revise), rule))
        if self.second is None or setup == AS_IT_IS:
            return judge
        if setup.second:
            return self.second
        if setup.band is None:
            return judge
        rule_of_two = CascadeRule(first=self.name, then=self.second.reference.name, band=setup.band)
        both = JudgeSpecification(name=f"{self.name}-cascade", cascade=rule_of_two)
        return CascadeJudge(both, judge, self.second)

    async def _write(self, found: Improvement, reached: Rubric) -> None:
        files = {**self.pages(found), RECORD: found.model_dump_json(indent=2)}
        if found.version is not None:
            files["rubric.yaml"] = yaml_of(reached)
        if found.setup != AS_IT_IS:
            files["judge.toml"] = configuration_of(found)
        await self.place.write(self.key, files, None if found.setup.examples is None else self._revise)


def configuration_of(found: Improvement) -> str:
    """What the configuration needs for the judge that was found, as TOML."""
    name, rule, band = found.judge, found.setup.examples, found.setup.band
    lines = [f"# from calibrate improve: {found.outcome}"]
    if rule is not None:
        encoder = "" if rule.encoder is None else f', encoder = "{rule.encoder}"'
        lines.append(f"[judges.{name}]  # beside its model")
        lines.append(f'examples = {{from = "{rule.source}", k = {rule.k}, by = "{rule.by}"{encoder}}}')
    if found.setup.tuned:
        lines.append(f'# the judge {found.tuned} in the place of {name}: default_judge = "{found.tuned}"')
    if band is not None:
        lines.append(f"[judges.{name}-cascade]")
        lines.append(f'cascade = {{first = "{name}", then = "{found.second}", band = [{band[0]:g}, {band[1]:g}]}}')
    return "\n".join(lines) + "\n"
