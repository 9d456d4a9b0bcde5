"""Implements ``judge-server exam``."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from judge_server.authoring.writing import replace_file
from judge_server.cli.running import announce, fail
from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.core.exam import ExamRecord, ExamResult, Family, new_exam_id
from judge_server.exam.page import as_html, as_junit
from judge_server.exam.question import FAMILIES, ExamQuestion
from judge_server.exam.report import PAST_COLUMNS, as_markdown, past_row
from judge_server.exam.sitting import ANSWER_ROOM, ExamPlan, plan_for, sit
from judge_server.judging.judge_input import message_text
from judge_server.settings.settings import Settings
from judge_server.wiring.service import open_service
from judge_server.wiring.storage import standing_store

FAILED = 1
_WRITERS: dict[str, Callable[[ExamResult, float], str]] = {
    ".md": lambda result, least: as_markdown(result),
    ".json": lambda result, least: result.model_dump_json(indent=2) + "\n",
    ".html": lambda result, least: as_html(result),
    ".xml": as_junit,
}


@dataclass(frozen=True)
class ExamOptions:
    """The flags of the command."""

    judge: str | None
    prompt: str | None
    seed: int
    pairs: int
    families: tuple[str, ...]
    longest: int | None
    fail_under: float | None
    outputs: tuple[Path, ...]
    as_json: bool

    def chosen(self) -> tuple[Family, ...]:
        """The families asked for, all if none was named. Raises BadInput for an unknown one."""
        unknown = [name for name in self.families if name not in FAMILIES]
        if unknown:
            raise BadInput(
                f"--families: there is no family {unknown[0]!r}.", remedy=f"Families: {', '.join(FAMILIES)}."
            )
        return tuple(name for name in FAMILIES if not self.families or name in self.families)


async def examine(settings: Settings, options: ExamOptions) -> int:
    """Returns the exit status."""
    written = {path: path.suffix.lower() for path in options.outputs}
    if others := [str(path) for path, suffix in written.items() if suffix not in _WRITERS]:
        raise BadInput(f"--output: {others[0]} is none of {', '.join(_WRITERS)}.", remedy="Name it so.")
    families = options.chosen()
    async with open_service(_with_prompt(settings, options)) as service:
        judge = service.judge_registry.named(options.judge)
        announce([judge])
        plan = plan_for(judge, options.seed, options.pairs, families, options.longest)
        begun = datetime.now(UTC)
        with _progress() as advance:
            result = await sit(judge, plan, advance)
        await service.store.exams.put(ExamRecord(id=new_exam_id(), created_at=begun, result=result))
        past = await service.store.exams.listed(judge=judge.reference.name)
    for path, suffix in written.items():
        replace_file(path, _WRITERS[suffix](result, options.fail_under or 0.0))
    _show(result, as_json=options.as_json)
    if settings.database_url is None:
        typer.echo("The result is not kept: name --database, and doctor, calibrate and the server show it.", err=True)
    elif not options.as_json:
        show_past(past.items)
    return _status(result, options)


async def list_past(settings: Settings, options: ExamOptions) -> None:
    """Print the exams that the database keeps, of all judges or of one, newest first."""
    async with standing_store(settings.with_database(), migrate=False) as store:
        found = await store.exams.listed(judge=options.judge, limit=1_000)
    if options.as_json:
        for record in found.items:
            typer.echo(record.model_dump_json())
    elif found.items:
        show_past(found.items)
    else:
        typer.echo("No exam is kept in this database.")


def show_past(records: Sequence[ExamRecord]) -> None:
    """A table of exams that are over."""
    table = Table(*PAST_COLUMNS, title="Exams that are kept", title_justify="left", box=None)
    for record in records:
        table.add_row(*map(escape, past_row(record)))
    terminal = Console()
    (terminal if terminal.is_terminal else Console(width=200)).print(table)


def _with_prompt(settings: Settings, options: ExamOptions) -> Settings:
    """Settings in which the judges of the exam use the chosen version of the prompt."""
    if options.prompt is None:
        return settings
    if options.prompt not in ("1", "2"):
        raise BadInput(f"--prompt: there is no version {options.prompt!r}.", remedy="Give 1 or 2.")
    judges = {name: one.model_copy(update={"prompt": options.prompt}) for name, one in settings.judges.items()}
    return settings.with_flags(judges=judges)


def list_questions(options: ExamOptions) -> None:
    """Print the questions as JSON lines."""
    try:
        room = None if options.longest is None else options.longest + ANSWER_ROOM
        made = ExamPlan(options.seed, options.pairs, options.chosen(), room).made()
    except JudgeServerError as fault:
        fail(str(fault))
    for pair in made:
        for question in pair.questions:
            typer.echo(json.dumps({"family": pair.family, "variant": pair.variant} | _question(question)))


def _question(question: ExamQuestion) -> dict[str, Any]:
    given = question.material
    return {
        "conversation": [{"role": one.role, "content": message_text(one)} for one in given.conversation],
        "response": given.response,
        "step": None if given.step is None else given.step.text,
        "reference": given.reference,
        "facts": dict(given.facts),
        "criterion": question.criterion.model_dump(mode="json", exclude_defaults=True) | {"id": "asked"},
        "reordered": question.reordered,
        "expected": question.expected,
    }


def _show(result: ExamResult, *, as_json: bool) -> None:
    if as_json:
        typer.echo(result.model_dump_json(indent=2))
    elif (terminal := Console()).is_terminal:
        terminal.print(Markdown(as_markdown(result)))
    else:
        typer.echo(as_markdown(result), nl=False)


def _status(result: ExamResult, options: ExamOptions) -> int:
    below = options.fail_under is not None and any(one.share < options.fail_under for one in result.families)
    return FAILED if below or result.bias is not None else 0


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("asking", total=None)
        yield lambda done, whole: progress.update(task, completed=done, total=whole)
