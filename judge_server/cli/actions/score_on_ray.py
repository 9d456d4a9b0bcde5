"""``judge-server score --on ray``: partitions of the input on a cluster, progress, and a line at the end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from judge_server.authoring.publication import load_unchanged
from judge_server.cli.actions.score import ScoreOptions
from judge_server.cli.actions.score_input import STANDARD_INPUT, ForeignRows, line_of, submission_of
from judge_server.cli.actions.score_output import refuse_to_read
from judge_server.cli.options import is_file
from judge_server.cli.running import fail
from judge_server.distributed.bulk import BulkProgress, score_on_ray
from judge_server.distributed.partition_scoring import BulkTask
from judge_server.settings.settings import Settings


@dataclass(frozen=True)
class RowReader:
    """Reads a row as ``score`` does on one machine, also those of other projects' formats."""

    rubric_given: bool

    def __call__(self, raw: Any, where: str) -> Any:
        rows = ForeignRows(rubric_given=self.rubric_given)
        line = line_of(raw, where, rows) if isinstance(raw, bytes) else submission_of(raw, where, rows)
        if line.fault is not None:
            raise line.fault
        return line.item


def score_partitions(settings: Settings, options: ScoreOptions) -> None:
    """Ends the command if there is no output folder, or an input that only one machine can read."""
    if options.output is None:
        fail("--on ray writes a folder of Parquet files: name it with --output DIR.")
    if options.file == STANDARD_INPUT:
        fail("--on ray reads files: name one, a folder, or a URL.")
    refuse_to_read(_absolute(str(options.output)), _absolute(options.file))
    named = options.rubric
    rubric = load_unchanged(Path(named)).rubric if named and is_file(named) else named
    task = BulkTask(
        settings=settings,
        read=RowReader(rubric_given=bool(options.rubric)),
        source=_absolute(options.file),
        output=_absolute(str(options.output)),
        run="",
        rubric=rubric,
        judge=options.judge,
        deadline_seconds=options.deadline_seconds,
        concurrency=options.concurrency,
    )
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("partitions", total=None)

        def told(done: BulkProgress) -> None:
            progress.update(bar, completed=done.partitions, total=done.total, description=f"{done.rows} rows")

        _tell(score_on_ray(task, resume=options.resume, told=told), options)


def _absolute(path: str) -> str:
    """Workers run in other folders. The shell's ``s3://`` keeps its slashes."""
    scheme, _, rest = path.partition(":/")
    if rest and scheme.isalnum() and len(scheme) > 1:
        return f"{scheme}://{rest.lstrip('/')}"
    return str(Path(path).absolute())


def _tell(done: BulkProgress, options: ScoreOptions) -> None:
    if options.resume:
        typer.echo(
            f"{done.kept} judgments kept from {options.output}; {done.removed} rows there were replaced", err=True
        )
    parts = [f"{count} {status}" for status, count in done.statuses.most_common()]
    causes = [f"{count} x {kind}" for kind, count in done.errors.most_common()]
    line = f"{done.rows} submissions in {done.total} partitions: {', '.join(parts) or 'none new'}"
    typer.echo(line + (f" (no reward: {', '.join(causes)})" if causes else ""), err=True)
