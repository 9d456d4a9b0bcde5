"""An attempt to improve a judge, in a folder: answers, proposals and what was spent are kept there as they come.

So a run that was killed anywhere goes on without asking twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from judge_server.authoring.emitting import yaml_of
from judge_server.authoring.writing import replace_file
from judge_server.calibration.improvement import AS_IT_IS, NO_LIMITS, Improvement, JudgeSetup, Limits
from judge_server.calibration.kept_answers import KeptAnswers, Watching, unwatched
from judge_server.calibration.kept_proposals import KeptProposals
from judge_server.calibration.labelled_responses import labelled_responses, pool_of
from judge_server.calibration.ladder import Ladder, LadderOptions, Proposer
from judge_server.calibration.meter import Meter
from judge_server.calibration.parts import divided, ratings
from judge_server.core.errors import BadInput
from judge_server.core.judge import CascadeRule, ExampleRule, JudgeSpecification
from judge_server.core.rubric import Rubric
from judge_server.judging.answer import Judge, JudgeRegistry
from judge_server.judging.cascade import CascadeJudge
from judge_server.judging.exemplified import ExemplifiedJudge
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import ReadingLog, read_test
from judge_server.labels.writing import write_labels
from judge_server.scoring.scorer import Scorer
from judge_server.util.canonical import digest

EXAMPLES = "examples.csv"


@dataclass(frozen=True)
class Attempt:
    """What the result depends on, beside labels, rubric and judges. ``examples``: rules without a source; the revise
    part is their source."""

    tries: int = 3
    seed: int = 0
    limits: Limits = NO_LIMITS
    examples: tuple[ExampleRule, ...] = ()
    second_share: float = 0.5
    positives: Mapping[str, str] = field(default_factory=dict)
    reader: str = ""
    reason: str = ""


@dataclass
class ImproveRun:
    """One attempt. ``scorer_of``: a scorer over some judges; ``watching``: shows how far the judging of so many items
    is; ``pages``: the reports to write, by file name; ``tuned``: the judge with an adapter that was trained on the same
    revise part."""

    attempt: Attempt
    whole: LabelSet
    rubric: Rubric
    judge: Judge
    out: Path
    scorer_of: Callable[[JudgeRegistry], Scorer]
    second: Judge | None = None
    tuned: Judge | None = None
    proposer: str | None = None
    tell: Callable[[str], None] = lambda _: None
    watching: Watching = unwatched
    pages: Callable[[Improvement], Mapping[str, str]] = lambda _: {}
    _asked: dict[str, Judge] = field(default_factory=dict)
    _meter: Meter = field(init=False)
    _revise: LabelSet = field(init=False)

    @property
    def key(self) -> str:
        """What the result depends on."""
        own, others = self.attempt, (self.second, self.tuned)
        fingerprints = [None if one is None else one.reference.fingerprint for one in others]
        judges = [self.judge.reference.fingerprint, *fingerprints, self.proposer]
        rules = [rule.model_dump(mode="json", exclude={"source"}) for rule in own.examples]
        given = [self.whole.digest, self.rubric.digest, *judges, own.tries, own.seed, own.limits.model_dump()]
        return digest([*given, rules, own.second_share, dict(own.positives)]).removeprefix("sha256:")[:12]

    @property
    def name(self) -> str:
        return self.judge.reference.name

    def finished(self) -> Improvement | None:
        path = self.out / f"{self.key}.json"
        return Improvement.model_validate_json(path.read_text("utf-8")) if path.exists() else None

    async def climb(self, propose: "Callable[[Meter], Proposer] | None", log: ReadingLog) -> Improvement:
        """Raises BadInput for labels that were tested on before without a reason to do it again, or that are too
        few."""
        own = self.attempt
        self.out.mkdir(parents=True, exist_ok=True)
        await self._require_unread(log)
        self._meter = Meter(own.limits, self.out / "spent.jsonl")
        dev = self.whole.split("dev")
        self._revise, _ = divided(dev, own.seed)
        has_test = "test" in self.whole.splits.values()
        ladder = Ladder(
            dev=dev,
            rubric=self.rubric,
            measure=self._measured,
            options=LadderOptions(
                self.name,
                seed=own.seed,
                tries=own.tries,
                examples=tuple(rule.model_copy(update={"source": str(self.out / EXAMPLES)}) for rule in own.examples),
                second=None if self.second is None else self.second.reference.name,
                second_share=own.second_share,
                tuned=None if self.tuned is None else self.tuned.reference.name,
                locked=max(ratings(self.whole) - ratings(dev), 0),
            ),
            proposer=None if propose is None else KeptProposals(propose(self._meter), self.out / "proposals.jsonl"),
            read_test=(lambda: self._test(log)) if has_test else None,
            meter=self._meter,
            tell=self.tell,
        )
        found = await ladder.climb()
        self._write(found, ladder.reached)
        return found

    async def _require_unread(self, log: ReadingLog) -> None:
        """The test split is read once: reading it again takes a reason."""
        earlier = [one for one in await log.readings(self.whole.digest) if self.key not in one.reason]
        if earlier and not (self.attempt.reader and self.attempt.reason):
            last = earlier[-1]
            raise BadInput(
                f"The test split was read before ({len(earlier)} times, last by {last.reader}: {last.reason}). What is "
                "chosen after looking at it is not confirmed by it.",
                remedy="Label new prompts, or say with --reader and --reason why it is read again.",
            )

    async def _test(self, log: ReadingLog) -> LabelSet:
        """The test split; a run that was interrupted after the reading was recorded does not record it again."""
        for one in await log.readings(self.whole.digest):
            if self.key in one.reason:
                return self.whole.split("test", one)
        reason = f"calibrate improve {self.key}: {self.attempt.reason or 'the one look at the end'}"
        return await read_test(self.whole, log, reader=self.attempt.reader or "calibrate improve", reason=reason)

    async def _measured(self, rubric: Rubric, labels: LabelSet, setup: JudgeSetup) -> LabelSet:
        """Rows of the judge in this setup, under the judge's own name."""
        kept = KeptAnswers(self.out, self.scorer_of, self.watching, self.attempt.positives, self._meter)
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

    def _write(self, found: Improvement, reached: Rubric) -> None:
        out = self.out
        for name, text in self.pages(found).items():
            replace_file(out / name, text)
        replace_file(out / "improvement.json", found.model_dump_json(indent=2))
        if found.version is not None:
            replace_file(out / "rubric.yaml", yaml_of(reached))
        if found.setup.examples is not None:
            write_labels(self._revise, out / EXAMPLES)
        if found.setup != AS_IT_IS:
            replace_file(out / "judge.toml", configuration_of(found))
        replace_file(out / f"{self.key}.json", found.model_dump_json())


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
