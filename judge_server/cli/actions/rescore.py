"""Rescores stored verdicts under another rubric version, without a judge."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from judge_server.authoring.publication import load_unchanged
from judge_server.cli import options
from judge_server.core.errors import BadInput, UnknownJudgment
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.scoring.rescore import Rescored, rescore
from judge_server.settings.settings import Settings
from judge_server.store.store import Store
from judge_server.wiring.archive import open_archive

_PAGE = 500


async def rescore_stored(settings: Settings, rubric: str, judgments: Sequence[str]) -> list[Rescored]:
    """Rescore the named judgments, or all of the rubric's. Judgments that cannot be rescored are listed on standard
    error."""
    results: list[Rescored] = []
    async with open_archive(settings) as (store, shelf):
        new = load_unchanged(Path(rubric)).rubric if options.is_file(rubric) else await shelf.get(rubric)
        async for judgment in _judgments(store, judgments, new):
            before = await store.rubric_by_digest(judgment.rubric.digest) if judgment.rubric else None
            try:
                results.append(rescore(judgment, new, before))
            except BadInput as fault:
                typer.echo(f"{judgment.id}: {fault}", err=True)
    return results


async def _judgments(store: Store, ids: Sequence[str], rubric: Rubric) -> AsyncIterator[Judgment]:
    """The named judgments, or all judged under any version of the rubric."""
    for one in ids:
        found = await store.judgment(one)
        if found is None:
            raise UnknownJudgment(
                f"{one}: no judgment is stored under this id.", remedy="Is --database the one that it was kept in?"
            )
        yield found
    cursor: str | None = None
    while not ids:
        page = await store.judgments(rubric=rubric.id, limit=_PAGE, cursor=cursor)
        for judgment in page.items:
            yield judgment
        cursor = page.next_cursor
        if cursor is None:
            return


def show(results: Sequence[Rescored], as_json: bool) -> None:
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
