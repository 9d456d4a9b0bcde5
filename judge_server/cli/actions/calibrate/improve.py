"""Implements ``calibrate improve``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from judge_server.authoring.emitting import yaml_of
from judge_server.calibration.disagreement import Disagreement
from judge_server.calibration.improvement import Improvement
from judge_server.calibration.journal import Journal
from judge_server.calibration.ladder import Ladder, LadderOptions, Proposer
from judge_server.calibration.model_proposer import ModelProposer
from judge_server.calibration.run import CalibrationTask, run
from judge_server.cli.calibrate import sources
from judge_server.cli.options import is_file
from judge_server.cli.running import announce
from judge_server.core.criterion import AnyLeaf
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.judging.answer import Judge
from judge_server.judging.single import SingleJudge
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import ReadingFile, ReadingLog, read_test
from judge_server.report.improvement_pages import html, markdown
from judge_server.scoring.scorer import Scorer
from judge_server.settings.settings import Settings
from judge_server.util.canonical import digest
from judge_server.util.parsing import read_json
from judge_server.wiring.service import Service, open_service


@dataclass(frozen=True)
class ImproveOptions:
    """The flags of the command."""

    labels: str
    rubric: str
    judge: str | None
    proposer: str | None
    out: Path
    tries: int
    questions: int | None
    seed: int
    reader: str
    reason: str
    positives: tuple[str, ...]
    as_json: bool


async def improve(settings: Settings, options: ImproveOptions) -> None:
    """Climb the ladder and write its report; a finished run is shown again, and asks nothing."""
    async with open_service(settings) as service:
        judge = service.judge_registry.named(options.judge)
        whole = await sources.label_set(options.labels, service.store)
        rubric = await sources.rubric(options.rubric, service.rubric_registry)
        own = ImproveRun(options, whole, service.measuring_scorer(raw=True), judge, rubric)
        found = own.finished()
        if found is None:
            announce([judge])
            log = ReadingFile(Path(options.labels)) if is_file(options.labels) else service.store.labels
            found = await own.climb(_proposer(service, options, whole), log)
    _tell(found, options)


def _proposer(service: Service, options: ImproveOptions, labels: LabelSet) -> Proposer | None:
    """The model of the judge that is named. Raises BadInput for a judge without a model that can write, and
    JudgeNotAllowed for one to which the texts may not be shown."""
    if options.proposer is None:
        return None
    named = service.judge_registry.named(options.proposer)
    if not isinstance(named, SingleJudge) or named.model.name == "baseline":
        raise BadInput(
            f"--proposer {options.proposer}: it has no language model of its own.",
            remedy="Name a judge with a model that writes text.",
        )
    labels.require_shown(named.specification)
    return ModelProposer(named.model, f"{options.proposer} ({named.model.name})")


@dataclass
class ImproveRun:
    """One run in its directory: answers and proposals are kept there as they come."""

    options: ImproveOptions
    whole: LabelSet
    scorer: Scorer
    judge: Judge
    rubric: Rubric

    @property
    def key(self) -> str:
        """What the result depends on."""
        own = self.options
        judge = self.judge.reference.fingerprint
        given = [self.whole.digest, self.rubric.digest, judge, own.proposer, own.tries, own.seed]
        return digest([*given, own.questions]).removeprefix("sha256:")[:12]

    def finished(self) -> Improvement | None:
        path = self.options.out / f"{self.key}.json"
        return Improvement.model_validate_json(path.read_text("utf-8")) if path.exists() else None

    async def climb(self, proposer: Proposer | None, log: ReadingLog) -> Improvement:
        own = self.options
        own.out.mkdir(parents=True, exist_ok=True)
        await self._require_unread(log)
        ladder = Ladder(
            dev=self.whole.split("dev"),
            rubric=self.rubric,
            measure=self._measured,
            options=LadderOptions(self.judge.reference.name, seed=own.seed, tries=own.tries, questions=own.questions),
            proposer=None if proposer is None else KeptProposals(proposer, self.options.out / "proposals.jsonl"),
            read_test=(lambda: self._test(log)) if "test" in self.whole.splits.values() else None,
            tell=lambda line: typer.echo(line, err=True),
        )
        found = await ladder.climb()
        self._write(found, ladder.reached)
        return found

    async def _require_unread(self, log: ReadingLog) -> None:
        """The test split is read once: reading it again takes a reason."""
        earlier = [one for one in await log.readings(self.whole.digest) if self.key not in one.reason]
        if earlier and not (self.options.reader and self.options.reason):
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
        reason = f"calibrate improve {self.key}: {self.options.reason or 'the one look at the end'}"
        return await read_test(self.whole, log, reader=self.options.reader or "calibrate improve", reason=reason)

    async def _measured(self, rubric: Rubric, labels: LabelSet) -> LabelSet:
        task = CalibrationTask.of(
            labels,
            labels,
            split="dev",
            rubric=rubric,
            judge=self.judge,
            maps=None,
            partial=True,
            positives=sources.positives(self.options.positives),
        )
        name = f"asked-{rubric.digest.removeprefix('sha256:')[:10]}-{labels.digest.removeprefix('sha256:')[:10]}"
        with Journal(self.options.out / name, task.heading) as journal:
            return (await run(self.scorer, task, journal=journal)).labels

    def _write(self, found: Improvement, reached: Rubric) -> None:
        out = self.options.out
        (out / "improvement.md").write_text(markdown(found), "utf-8")
        (out / "improvement.html").write_text(html(found), "utf-8")
        (out / "improvement.json").write_text(found.model_dump_json(indent=2), "utf-8")
        if found.version is not None:
            (out / "rubric.yaml").write_text(yaml_of(reached), "utf-8")
        (out / f"{self.key}.json").write_text(found.model_dump_json(), "utf-8")


class KeptProposals:
    """A proposer whose answers are written to ``path``, so that an interrupted run does not ask again."""

    def __init__(self, proposer: Proposer, path: Path) -> None:
        self._proposer, self._path, self.name = proposer, path, proposer.name

    async def propose(self, leaf: AnyLeaf, cases: Sequence[Disagreement], tries: int) -> Sequence[Mapping[str, Any]]:
        shown = [one.model_dump(mode="json") for one in cases]
        key = digest([self.name, leaf.model_dump(mode="json"), shown, tries])
        lines = self._path.read_text("utf-8").splitlines() if self._path.exists() else []
        for kept in map(read_json, lines):
            if kept["key"] == key:
                return list(kept["proposals"])
        found = list(await self._proposer.propose(leaf, cases, tries))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "proposals": found}) + "\n")
        return found


def _tell(found: Improvement, options: ImproveOptions) -> None:
    if options.as_json:
        typer.echo(found.model_dump_json())
        return
    typer.echo(found.text)
    for note in found.notes:
        typer.echo(f"note: {note}")
    if found.version:
        typer.echo(f"drafted version {found.version}: {options.out / 'rubric.yaml'}")
    if found.maps:
        typer.echo(f"a fitted map helps {', '.join(found.maps)}: judge-server calibrate fit makes it")
    typer.echo(f"report: {options.out / 'improvement.html'}")
