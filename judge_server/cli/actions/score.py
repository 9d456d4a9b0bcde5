"""``judge-server score``: read submissions ahead, judge them concurrently, write results in input order."""

import asyncio
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from judge_server.authoring.publication import load_unchanged
from judge_server.cli.actions.earlier_output import EarlierOutput
from judge_server.cli.actions.estimate import Unpriced, count, estimating_service, show, time_of
from judge_server.cli.actions.score_input import ForeignRows, ScoreLine, lines_of, total_of
from judge_server.cli.actions.score_output import output_of, refuse_to_read
from judge_server.cli.actions.show import Shown, print_judgment
from judge_server.cli.options import is_file
from judge_server.cli.running import announce, fail
from judge_server.core.coordinates import Coordinates
from judge_server.core.errors import BadSubmission, JudgeServerError
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import METADATA_LEFT_OUT
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.batch import failed_judgment, parse_submission, score_item
from judge_server.settings.settings import Settings
from judge_server.util.concurrency import task_group
from judge_server.util.wording import many
from judge_server.wiring.service import Service, open_service

Scored = tuple[Judgment, Any]


@dataclass(frozen=True)
class ScoreOptions:
    """What to score and how. ``rubric`` and ``judge`` apply to lines that name none."""

    file: str
    rubric: str | None = None
    judge: str | None = None
    output: Path | None = None
    deadline_seconds: float | None = None
    concurrency: int = 64
    as_json: bool = False
    resume: bool = False

    @property
    def for_people(self) -> bool:
        """Whether tables are printed: on a terminal, unless JSON was asked for."""
        return self.output is None and not self.as_json and sys.stdout.isatty()


async def score_lines(settings: Settings, options: ScoreOptions) -> None:
    """Score every line. Faults of files or settings are reported before a model is started."""
    file_rubric = load_unchanged(Path(options.rubric)).rubric if options.rubric and is_file(options.rubric) else None
    total = total_of(options.file)
    if options.resume and options.output is None:
        fail("--resume goes on with a file: name it with --output FILE.")
    refuse_to_read(options.output, options.file)
    with output_of(options.output, resume=options.resume) as (earlier, sink):
        async with open_service(settings) as service:
            announce([service.judge_registry.named(options.judge)])
            rubric = file_rubric or (await service.rubric_registry.get(options.rubric) if options.rubric else None)
            with _progress() as progress:
                bar = progress.add_task("scoring", total=total)
                scoring = _Scoring(service, options, rubric, earlier, sink, progress, bar)
                await scoring.run()
    scoring.summarise()


async def estimate_lines(settings: Settings, options: ScoreOptions) -> None:
    """Count what scoring would ask, and measure the judge on one submission."""
    file_rubric = load_unchanged(Path(options.rubric)).rubric if options.rubric and is_file(options.rubric) else None
    rows = ForeignRows(rubric_given=bool(options.rubric))
    unpriced = Unpriced()
    async with estimating_service(settings, unpriced) as service:
        service.judge_registry.named(options.judge)
        rubric = file_rubric or (await service.rubric_registry.get(options.rubric) if options.rubric else None)
        defaults = {"rubric": rubric, "judge": options.judge}
        items = ((line.item, defaults) async for line in lines_of(options.file, rows))
        estimate, first = await count(service, items, unpriced)
    await time_of(settings, estimate, first, options.concurrency)
    if told := rows.summary():
        typer.echo(told, err=True)
    show(estimate, as_json=options.as_json)


class _Scoring:
    """Runs at most ``concurrency`` submissions concurrently."""

    def __init__(
        self,
        service: Service,
        options: ScoreOptions,
        rubric: Rubric | None,
        earlier: EarlierOutput | None,
        sink: TextIO,
        progress: Progress,
        bar: TaskID,
    ) -> None:
        self._service = service
        self._options = options
        self._defaults = {"rubric": rubric, "judge": options.judge}
        self._earlier = earlier
        self._sink = sink
        self._progress = progress
        self._bar = bar
        self._places = asyncio.Semaphore(options.concurrency)
        self._under_way: asyncio.Queue[asyncio.Task[Scored] | None] = asyncio.Queue()
        self._console = Console(highlight=False) if options.for_people else None
        self._rows = ForeignRows(rubric_given=bool(options.rubric))
        self._statuses: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._with_metadata = 0

    async def run(self) -> None:
        async with task_group() as group:
            group.create_task(self._write())
            group.create_task(self._read(group))

    async def _read(self, group: asyncio.TaskGroup) -> None:
        async for line in lines_of(self._options.file, self._rows):
            await self._places.acquire()
            await self._under_way.put(group.create_task(self._judge(line)))
        await self._under_way.put(None)

    async def _judge(self, line: ScoreLine) -> Scored:
        """The judgment, and what was submitted."""
        if line.fault is not None:
            return failed_judgment(line.fault, Coordinates()), None
        terms = Terms.within(self._options.deadline_seconds, Priority.BATCH)
        if self._earlier is not None and (judgment := await self._kept(self._earlier, line.item, terms)) is not None:
            return judgment, line.item
        return await score_item(self._service.scorer, line.item, terms, self._defaults), line.item

    async def _kept(self, earlier: EarlierOutput, item: Any, terms: Terms) -> Judgment | None:
        """The judgment that an earlier run wrote; None if it has none, or if the item's fault is still to be told."""
        try:
            return await earlier.take(self._service.scorer, parse_submission(item, self._defaults), terms)
        except JudgeServerError:
            return None

    async def _write(self) -> None:
        while (judging := await self._under_way.get()) is not None:
            judgment, item = await judging
            self._places.release()
            if self._console is None:
                self._sink.write(judgment.model_dump_json() + "\n")
                self._sink.flush()
            else:
                await self._print(self._console, judgment, item)
            self._progress.advance(self._bar)
            self._statuses[judgment.status] += 1
            self._with_metadata += any(notice.startswith(METADATA_LEFT_OUT) for notice in judgment.notices)
            if judgment.error:
                self._errors[judgment.error.type] += 1

    async def _print(self, console: Console, judgment: Judgment, item: Any) -> None:
        """A table for people, with the texts and the rubric if they can be read."""
        submission = None
        with suppress(BadSubmission):
            submission = parse_submission(item, self._defaults) if item is not None else None
        digest = judgment.rubric.digest if judgment.rubric else None
        rubric = None if digest is None else await self._service.store.rubric_by_digest(digest)
        print_judgment(console, Shown(judgment, submission, rubric))

    def summarise(self) -> None:
        """Print one line on standard error: how many were judged, and why the rest were not."""
        if self._console is not None:
            typer.echo("Reasons: --mode reason. JSON: --json, or write to a file or pipe.", err=True)
        if told := self._rows.summary():
            typer.echo(told, err=True)
        if self._earlier is not None:
            unread = f"; {self._earlier.unread} of its lines were no judgment" if self._earlier.unread else ""
            typer.echo(f"{many(self._earlier.kept, 'judgment')} kept from {self._options.output}{unread}", err=True)
        if self._with_metadata:
            typer.echo(f"{METADATA_LEFT_OUT} in {many(self._with_metadata, 'submission')}: see notices", err=True)
        total = sum(self._statuses.values())
        parts = [f"{count} {status}" for status, count in self._statuses.most_common()]
        causes = [f"{count} x {kind}" for kind, count in self._errors.most_common()]
        line = f"{many(total, 'submission')}: {', '.join(parts) or 'none'}"
        typer.echo(line + (f" (no reward: {', '.join(causes)})" if causes else ""), err=True)


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
