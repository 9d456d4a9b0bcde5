"""``judge-server score``: read JSONL ahead, judge lines concurrently, write results in input order."""

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from judge_server.authoring.publication import load_unchanged
from judge_server.cli.actions.show import Shown, print_judgment
from judge_server.cli.options import is_file
from judge_server.cli.running import announce, fail
from judge_server.core.errors import BadConfiguration, BadSubmission
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Coordinates
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.batch import failed_judgment, parse_submission, score_item
from judge_server.settings.settings import Settings
from judge_server.util.concurrency import task_group
from judge_server.util.parsing import parse_unique_json
from judge_server.wiring.service import Service, open_service

STANDARD_INPUT = "-"
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

    @property
    def for_people(self) -> bool:
        """Whether tables are printed: on a terminal, unless JSON was asked for."""
        return self.output is None and not self.as_json and sys.stdout.isatty()


async def score_lines(settings: Settings, options: ScoreOptions) -> None:
    """Score every line. Faults of files or settings are reported before a model is started."""
    file_rubric = load_unchanged(Path(options.rubric)).rubric if options.rubric and is_file(options.rubric) else None
    total = None if options.file == STANDARD_INPUT else _count(options.file)
    with _output(options.output) as sink:
        async with open_service(settings) as service:
            announce([service.judge_registry.named(options.judge)])
            rubric = file_rubric or (await service.rubric_registry.get(options.rubric) if options.rubric else None)
            with _progress() as progress:
                scoring = _Scoring(service, options, rubric, sink, progress, progress.add_task("scoring", total=total))
                await scoring.run()
    scoring.summarise()


class _Scoring:
    """Runs at most ``concurrency`` submissions concurrently."""

    def __init__(
        self,
        service: Service,
        options: ScoreOptions,
        rubric: Rubric | None,
        sink: TextIO,
        progress: Progress,
        bar: TaskID,
    ) -> None:
        self._service = service
        self._options = options
        self._defaults = {"rubric": rubric, "judge": options.judge}
        self._sink = sink
        self._progress = progress
        self._bar = bar
        self._places = asyncio.Semaphore(options.concurrency)
        self._under_way: asyncio.Queue[asyncio.Task[Scored] | None] = asyncio.Queue()
        self._console = Console(highlight=False) if options.for_people else None
        self._statuses: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()

    async def run(self) -> None:
        async with task_group() as group:
            group.create_task(self._write())
            group.create_task(self._read(group))

    async def _read(self, group: asyncio.TaskGroup) -> None:
        number = 0
        async for line in _lines(self._options.file):
            number += 1
            if line.strip():
                await self._places.acquire()
                await self._under_way.put(group.create_task(self._judge(line, number)))
        await self._under_way.put(None)

    async def _judge(self, line: bytes, number: int) -> Scored:
        """The judgment, and what was submitted."""
        try:
            item = parse_unique_json(line)
        except ValueError as fault:
            return failed_judgment(BadSubmission(f"line {number}: {fault}"), Coordinates()), None
        terms = Terms.within(self._options.deadline_seconds, Priority.BATCH)
        return await score_item(self._service.scorer, item, terms, self._defaults), item

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
        total = sum(self._statuses.values())
        parts = [f"{count} {status}" for status, count in self._statuses.most_common()]
        causes = [f"{count} x {kind}" for kind, count in self._errors.most_common()]
        line = f"{total} submissions: {', '.join(parts) or 'none'}"
        typer.echo(line + (f" (no reward: {', '.join(causes)})" if causes else ""), err=True)


async def _lines(file: str) -> AsyncIterator[bytes]:
    """Lines as they arrive. A thread reads them, because reading a pipe may block while judgments are due."""
    loop = asyncio.get_running_loop()
    read: asyncio.Queue[bytes | OSError | None] = asyncio.Queue(maxsize=256)

    def hand_over(item: bytes | OSError | None) -> None:
        asyncio.run_coroutine_threadsafe(read.put(item), loop).result()

    def work() -> None:
        with suppress(RuntimeError):  # the loop was closed: the lines are no longer needed
            try:
                with _opened(file) as stream:
                    for line in stream:
                        hand_over(line)
                hand_over(None)
            except OSError as fault:
                hand_over(fault)

    threading.Thread(target=work, daemon=True, name="lines").start()
    while (item := await read.get()) is not None:
        if isinstance(item, OSError):
            raise BadConfiguration(f"{file}: {item.strerror}.", remedy="Name a file that can be read.")
        yield item


def _opened(file: str) -> BinaryIO:
    """A separate stream for the thread: a shared one could not be closed while the thread reads."""
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if file == STANDARD_INPUT else Path(file).open("rb")


def _count(file: str) -> int:
    """How many submissions a file holds, for the progress bar."""
    try:
        with _opened(file) as lines:
            return sum(bool(line.strip()) for line in lines)
    except OSError as fault:
        fail(f"{file}: {fault.strerror}.")


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        opened = path.open("w", encoding="utf-8")
    except OSError as fault:
        fail(f"--output {path}: {fault.strerror}.")
    with opened:
        yield opened


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
