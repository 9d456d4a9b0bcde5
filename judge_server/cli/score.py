"""``judge-server score``: JSONL of submissions in, JSONL of judgments out, no server needed."""

import asyncio
import json
import sys
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from judge_server.authoring.parsing import load
from judge_server.cli import options
from judge_server.cli.notice import announce
from judge_server.cli.running import fail, run
from judge_server.core.errors import BadSubmission
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Coordinates
from judge_server.judging.answer import Judge, Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.batch import failed_judgment, score_item
from judge_server.scoring.deadline import deadline_after
from judge_server.wiring import Service, open_service, settle


def score(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="Submissions, one JSON object a line; - reads standard input.")
    ],
    rubric: Annotated[
        str | None,
        typer.Option(
            "--rubric", metavar="ID_OR_FILE", help="For submissions that name none: an id, id@version or file."
        ),
    ] = None,
    model: options.Model = None,
    mode: options.Mode = None,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration file.")
    ] = None,
    votes: options.Votes = None,
    min_label_mass: options.MinLabelMass = None,
    engine: options.Engine = None,
    rubrics: options.Rubrics = None,
    database: options.Database = None,
    config: options.Config = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write judgments here instead of standard output."),
    ] = None,
    deadline: Annotated[
        float | None, typer.Option("--deadline", min=0.001, metavar="SECONDS", help="Longest time for one submission.")
    ] = None,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Submissions under way at once.")] = 64,
) -> None:
    """Score a file of submissions.

    Every line of the input becomes one line of the output, in order: a judgment with a reward, or with reward null and a
    typed error. The exit status is 0 when every line was judged or typed. Judgments are kept where --database (or
    DATABASE_URL) says, and nowhere otherwise.

    Example: judge-server score answers.jsonl --rubric medical/consultation --model openai:NAME@http://127.0.0.1:8001/v1
    """

    async def work() -> None:
        settings = options.settings_from(
            config=config,
            model=model,
            mode=mode,
            votes=votes,
            min_label_mass=min_label_mass,
            engine=engine,
            rubrics=rubrics,
            database=database,
        )
        async with open_service(settings) as service:
            settle()
            announce([_chosen(service, judge)])
            defaults = {"rubric": await _rubric(service, rubric), "judge": judge}
            scoring = _Scoring(service, defaults, deadline, concurrency)
            with _input(file) as lines, _output(output) as sink:
                await scoring.run(lines, sink, total=_count(file))
            scoring.summarise()

    run(work())


def _chosen(service: Service, judge: str | None) -> Judge:
    name = judge or service.default_judge
    if name not in service.judges:
        fail(f"--judge: {name!r} is not configured; known: {', '.join(sorted(service.judges))}.")
    return service.judges[name]


async def _rubric(service: Service, named: str | None) -> Rubric | None:
    """A file where one of that name exists, else a rubric of the library: a typo ends the command at once."""
    if named is None:
        return None
    return load(Path(named)).rubric if options.is_file(named) else await service.shelf.get(named)


class _Scoring:
    """Keeps ``concurrency`` submissions under way and writes judgments in the order of the input."""

    def __init__(
        self, service: Service, defaults: dict[str, Any], deadline_seconds: float | None, concurrency: int
    ) -> None:
        self._service = service
        self._defaults = defaults
        self._deadline_seconds = deadline_seconds
        self._concurrency = concurrency
        self._statuses: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()

    async def run(self, lines: Iterator[bytes], sink: TextIO, total: int | None) -> None:
        under_way: deque[asyncio.Task[Judgment]] = deque()
        with _progress() as progress:
            bar = progress.add_task("scoring", total=total)
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                under_way.append(asyncio.create_task(self._judge(line, number)))
                if len(under_way) >= self._concurrency:
                    self._write(await under_way.popleft(), sink)
                    progress.advance(bar)
            while under_way:
                self._write(await under_way.popleft(), sink)
                progress.advance(bar)

    async def _judge(self, line: bytes, number: int) -> Judgment:
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as fault:
            return failed_judgment(BadSubmission(f"line {number} is not JSON: {fault}"), Coordinates())
        terms = Terms(Priority.BATCH, deadline_after(self._deadline_seconds))
        return await score_item(self._service.scorer, item, terms, self._defaults)

    def _write(self, judgment: Judgment, sink: TextIO) -> None:
        sink.write(judgment.model_dump_json() + "\n")
        sink.flush()
        self._statuses[judgment.status] += 1
        if judgment.error:
            self._errors[judgment.error.type] += 1

    def summarise(self) -> None:
        """One line on standard error: how many were judged, and why the rest were not."""
        total = sum(self._statuses.values())
        parts = [f"{count} {status}" for status, count in self._statuses.most_common()]
        causes = [f"{count} x {kind}" for kind, count in self._errors.most_common()]
        line = f"{total} submissions: {', '.join(parts) or 'none'}"
        typer.echo(line + (f" (no reward: {', '.join(causes)})" if causes else ""), err=True)


@contextmanager
def _input(file: str) -> Iterator[Iterator[bytes]]:
    if file == "-":
        yield iter(sys.stdin.buffer)
        return
    try:
        with Path(file).open("rb") as opened:
            yield iter(opened)
    except OSError as fault:
        fail(f"{file}: {fault.strerror}.")


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8") as opened:
        yield opened


def _count(file: str) -> int | None:
    """How many submissions a file holds, for the progress bar."""
    if file == "-":
        return None
    with _input(file) as lines:
        return sum(bool(line.strip()) for line in lines)


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
