"""Implements ``judge-server eval``: judge every response to every row, and sum up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from judge_server.authoring.publication import load_unchanged
from judge_server.cli.actions import estimate as costing
from judge_server.cli.actions.evaluate.responses import ResponseSource, WritingPlan, opened_source
from judge_server.cli.actions.evaluate.rows import EvaluationRow, read_rows
from judge_server.cli.calibrate import sources
from judge_server.cli.options import is_file
from judge_server.cli.running import announce, fail
from judge_server.core.errors import BadInput, BadSubmission, JudgeFailure
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.evaluation.healthbench import ADJUSTMENTS, Subset, decided_scores
from judge_server.evaluation.scored_response import ScoredResponse, reward_scores
from judge_server.evaluation.summary import MeanScore, summarise
from judge_server.evaluation.versus import ScoreDifference, differences
from judge_server.judging.answer import Terms
from judge_server.labels.about import require_shown
from judge_server.models.protocol import Priority
from judge_server.scoring.batch import score_item
from judge_server.settings.settings import Settings
from judge_server.util.concurrency import task_group
from judge_server.wiring.service import Service, open_service


@dataclass(frozen=True)
class EvaluationOptions:
    """The flags of the command. ``healthbench``: HealthBench's arithmetic on its rows."""

    file: Path
    healthbench: bool
    subset: Subset
    rubric: str | None
    judge: str | None
    responses: str
    versus: str | None
    plan: WritingPlan
    examples: int | None
    rewards: Path | None
    concurrency: int
    as_json: bool


@dataclass(frozen=True)
class EvaluatedModel:
    """The responses of one source. ``bare``: rows without a response; ``unwritten``: how often a model failed to write
    one, by the type of the failure; ``truncated``: responses that the token limit ended."""

    source: str
    scored: Sequence[ScoredResponse]
    means: Sequence[MeanScore]
    bare: int
    unwritten: Counter[str]
    truncated: int

    @property
    def failures(self) -> Counter[str]:
        """Responses without a score, by the type of the failure."""
        return Counter(one.failure for one in self.scored if one.failure)

    @property
    def mean_reward(self) -> float | None:
        """With probabilities instead of decisions; None without any reward."""
        rewards = [one.reward for one in self.scored if one.reward is not None]
        return sum(rewards) / len(rewards) if rewards else None


@dataclass(frozen=True)
class ModelsEvaluated:
    """``models``: one, or two to compare, whose ``differences`` are of the first less the second."""

    rows: int
    judge: str
    models: Sequence[EvaluatedModel]
    differences: Sequence[ScoreDifference]


async def evaluate(settings: Settings, options: EvaluationOptions) -> ModelsEvaluated:
    """Faults of files and settings are reported before a model is started."""
    rows = read_rows(options.file, healthbench=options.healthbench, examples=options.examples)
    if options.rubric and is_file(options.rubric):
        load_unchanged(Path(options.rubric))
    with ExitStack() as files:
        sink = _sink(options.rewards, files)
        async with open_service(settings) as service:
            judge = service.judge_registry.named(options.judge)
            rubric = await _rubric(service, options)
            _require_shown(options, rubric, judge.specification)
            announce([judge])
            models = []
            for named in filter(None, (options.responses, options.versus)):
                async with opened_source(named, settings, options.plan) as source:
                    with _progress() as progress:
                        bar = progress.add_task(f"judging {source.name}"[:60], total=len(rows))
                        running = _Evaluating(service, options, source, rubric, sink, progress, bar)
                        models.append(await running.run(rows))
    found = differences(models[0].scored, models[1].scored) if len(models) > 1 else []
    return ModelsEvaluated(len(rows), f"{judge.reference.name} ({judge.reference.model})", models, found)


async def estimate(settings: Settings, options: EvaluationOptions) -> None:
    """Count what judging would ask, and measure the judge on one response. Raises BadInput if a model is still to
    write the responses."""
    rows = read_rows(options.file, healthbench=options.healthbench, examples=options.examples)
    unpriced = costing.Unpriced()
    async with costing.estimating_service(settings, unpriced) as service:
        judge = service.judge_registry.named(options.judge)
        rubric = await _rubric(service, options)
        _require_shown(options, rubric, judge.specification)
        found, first = await costing.count(service, _submissions(settings, options, rows, rubric), unpriced)
    await costing.time_of(settings, found, first, options.concurrency)
    costing.show(found, as_json=options.as_json)


async def _submissions(
    settings: Settings, options: EvaluationOptions, rows: Sequence[EvaluationRow], rubric: Rubric | None
) -> AsyncIterator[costing.Item]:
    for named in filter(None, (options.responses, options.versus)):
        if named in settings.judges or (":" in named and not is_file(named)):
            raise BadInput(
                f"The responses of {named} are not written yet.",
                remedy="Let it write some with --examples and --keep FILE, and estimate with --responses FILE.",
            )
        async with opened_source(named, settings, options.plan) as source:
            for row in rows:
                for response in await source.responses(row):
                    yield (
                        row.submission(response, named, rubric=rubric, healthbench=options.healthbench),
                        {"judge": options.judge},
                    )


def _require_shown(options: EvaluationOptions, rubric: Rubric | None, judge: JudgeSpecification) -> None:
    """Raises JudgeNotAllowed if the rubric, or one of the files, names other judges to which texts may be shown."""
    if rubric is not None and rubric.judges:
        judge.require_shown(rubric.judges, f"The rubric {rubric.name}")
    for named in filter(None, (str(options.file), options.responses, options.versus)):
        if is_file(named):
            require_shown(Path(named), judge)


async def _rubric(service: Service, options: EvaluationOptions) -> Rubric | None:
    return await sources.rubric(options.rubric, service.rubric_registry) if options.rubric else None


@dataclass
class _Evaluating:
    service: Service
    options: EvaluationOptions
    source: ResponseSource
    rubric: Rubric | None
    sink: TextIO | None
    progress: Progress
    bar: TaskID
    bare: int = 0
    unwritten: Counter[str] = field(default_factory=Counter)

    async def run(self, rows: Sequence[EvaluationRow]) -> EvaluatedModel:
        places = asyncio.Semaphore(self.options.concurrency)
        scored: list[ScoredResponse] = []
        async with task_group() as group:
            tasks = [group.create_task(self._row(row, places)) for row in rows]
            for task in tasks:
                for one, judgment in await task:
                    scored.append(one)
                    if self.sink is not None and judgment is not None:
                        self.sink.write(judgment.model_dump_json() + "\n")
        adjustment = ADJUSTMENTS[self.options.subset] if self.options.healthbench else None
        means = await asyncio.to_thread(summarise, scored, clip=self.options.healthbench, adjustment=adjustment)
        truncated = getattr(getattr(self.source, "kept", None), "truncated", 0)
        return EvaluatedModel(self.source.name, scored, means, self.bare, self.unwritten, truncated)

    async def _row(self, row: EvaluationRow, places: asyncio.Semaphore) -> list[tuple[ScoredResponse, Judgment | None]]:
        async with places:
            try:
                responses = await self.source.responses(row)
            except JudgeFailure as fault:
                self.unwritten[fault.type] += 1
                responses = []
            else:
                self.bare += not responses
            found = [await self._judged(row, response) for response in responses]
        self.progress.advance(self.bar)
        return found

    async def _judged(self, row: EvaluationRow, response: object) -> tuple[ScoredResponse, Judgment | None]:
        healthbench = self.options.healthbench
        try:
            submission = row.submission(response, self.source.name, rubric=self.rubric, healthbench=healthbench)
        except BadSubmission as fault:
            return ScoredResponse(row=row.number, prompt="", failure=fault.type), None
        asked = submission.model_copy(update={"judge": self.options.judge or submission.judge})
        judgment = await score_item(self.service.scorer, asked, Terms(Priority.BATCH))
        if healthbench and isinstance(submission.rubric, Rubric):
            scores = decided_scores(submission.rubric, judgment.verdicts, row.tags)
        else:
            scores = reward_scores(judgment, row.tags)
        failure = None if scores else judgment.error.type if judgment.error else "undefined_reward"
        one = ScoredResponse(
            row=row.number,
            prompt=submission.prompt_key,
            scores=scores,
            characters=judgment.response_characters,
            reward=judgment.reward,
            failure=failure,
        )
        return one, judgment


def _sink(path: Path | None, files: ExitStack) -> TextIO | None:
    if path is None:
        return None
    try:
        return files.enter_context(path.open("w", encoding="utf-8"))
    except OSError as fault:
        fail(f"--rewards {path}: {fault.strerror}.")


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
