"""``judge-server rescore``: stored verdicts under another rubric version, without asking a judge."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from judge_server.authoring.parsing import load
from judge_server.cli import options
from judge_server.cli.running import run
from judge_server.core.errors import BadInput, UnknownJudgment
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.scoring.rescore import Rescored
from judge_server.scoring.rescore import rescore as rescore_judgment
from judge_server.settings import DEFAULT_DATABASE
from judge_server.store.store import Store
from judge_server.wiring import open_archive

_PAGE = 500


def rescore(
    rubric: Annotated[str, typer.Option("--rubric", metavar="ID_OR_FILE", help="The rubric to aggregate under.")],
    judgments: Annotated[
        list[str] | None, typer.Argument(metavar="[JUDGMENT]...", help="Ids; all of the rubric's if none.")
    ] = None,
    database: options.Database = None,
    rubrics: options.Rubrics = None,
    config: options.Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Aggregate stored verdicts under another rubric version: new weights, the same verdicts, no model call.

    A criterion whose wording changed needs a judge; such judgments are named on standard error and left alone.

    Example: judge-server rescore --rubric draft.yaml --database sqlite:///judge-server.db
    """

    async def work() -> list[Rescored]:
        settings = options.settings_from(config=config, model=None, mode=None, rubrics=rubrics, database=database)
        settings = settings.with_flags(database_url=settings.database_url or DEFAULT_DATABASE)
        results: list[Rescored] = []
        async with open_archive(settings) as (store, shelf):
            new = load(Path(rubric)).rubric if options.is_file(rubric) else await shelf.get(rubric)
            async for judgment in _judgments(store, judgments, new):
                before = await store.rubric_by_digest(judgment.rubric.digest) if judgment.rubric else None
                try:
                    results.append(rescore_judgment(judgment, new, before))
                except BadInput as fault:
                    typer.echo(f"{judgment.id}: {fault}", err=True)
        return results

    _print(run(work()), as_json)


async def _judgments(store: Store, ids: Sequence[str] | None, rubric: Rubric) -> AsyncIterator[Judgment]:
    """Those named, or all that were judged under any version of the rubric."""
    for one in ids or ():
        found = await store.judgment(one)
        if found is None:
            raise UnknownJudgment(f"{one}: no judgment is stored under this id.")
        yield found
    cursor: str | None = None
    while not ids:
        page = await store.judgments(rubric=rubric.id, limit=_PAGE, cursor=cursor)
        for judgment in page.items:
            yield judgment
        cursor = page.next_cursor
        if cursor is None:
            return


def _print(results: Sequence[Rescored], as_json: bool) -> None:
    if as_json:
        for result in results:
            typer.echo(result.model_dump_json())
        return
    table = Table("judgment", "before", "after", "difference")
    for result in results:
        table.add_row(
            result.judgment, _number(result.reward_before), _number(result.outcome.reward), _number(result.difference)
        )
    Console().print(table)
    changed = sum(result.difference != 0 for result in results)
    typer.echo(f"{len(results)} judgments, {changed} with another reward")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"
