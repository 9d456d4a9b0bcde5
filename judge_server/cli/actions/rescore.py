"""Rescores stored verdicts under another rubric version, without a judge."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from judge_server.authoring.publication import load_unchanged
from judge_server.authoring.rubric_registry import RubricRegistry
from judge_server.cli import options
from judge_server.core.errors import BadInput, UnknownJudgment, UnknownRubric
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.scoring.rescore import Rescored, rescore
from judge_server.settings.settings import Settings
from judge_server.store.reading import Filter
from judge_server.store.store import Store
from judge_server.util.wording import many
from judge_server.wiring.archive import open_archive

_PAGE = 500
_ROUNDING = 1e-9


async def replay(settings: Settings, judgments: Sequence[str]) -> tuple[list[Rescored], int]:
    """Aggregate the named judgments, or all, under the very rubric versions that they were judged under, withdrawn ones
    too. The second value counts those that cannot be, because their rubric is not known; each is told on standard
    error."""
    results: list[Rescored] = []
    unknown = 0
    async with open_archive(settings, migrate=False) as (store, shelf):
        async for judgment in _judgments(store, judgments, None):
            try:
                results.append(rescore(judgment, await _own(judgment, store, shelf), None))
            except (BadInput, UnknownRubric) as fault:
                unknown += 1
                typer.echo(f"{judgment.id}: {fault}", err=True)
    return results, unknown


async def _own(judgment: Judgment, store: Store, shelf: RubricRegistry) -> Rubric:
    """The content that a judgment was made under: as stored with it, or as published. Raises UnknownRubric."""
    if judgment.rubric is None:
        raise UnknownRubric("it names no rubric.")
    kept = await store.rubric_by_digest(judgment.rubric.digest)
    return kept or await shelf.get(f"{judgment.rubric.id}@{judgment.rubric.version}")


async def rescore_stored(settings: Settings, rubric: str, judgments: Sequence[str]) -> list[Rescored]:
    """Rescore the named judgments, or all of the rubric's. Judgments that cannot be rescored are listed on standard
    error."""
    results: list[Rescored] = []
    async with open_archive(settings, migrate=False) as (store, shelf):
        new = load_unchanged(Path(rubric)).rubric if options.is_file(rubric) else await shelf.get(rubric)
        async for judgment in _judgments(store, judgments, new.id):
            before = await store.rubric_by_digest(judgment.rubric.digest) if judgment.rubric else None
            try:
                results.append(rescore(judgment, new, before))
            except BadInput as fault:
                typer.echo(f"{judgment.id}: {fault}", err=True)
    return results


async def _judgments(store: Store, ids: Sequence[str], rubric: str | None) -> AsyncIterator[Judgment]:
    """The named judgments, or all judged under any version of the rubric; None for any rubric."""
    for one in ids:
        found = await store.judgment(one)
        if found is None:
            raise UnknownJudgment(
                f"{one}: no judgment is stored under this id.", remedy="Is --database the one that it was kept in?"
            )
        yield found
    cursor: str | None = None
    wanted: Filter = {} if rubric is None else {"rubric": rubric}
    while not ids:
        page = await store.judgments(limit=_PAGE, cursor=cursor, **wanted)
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
    changed = sum(is_changed(result) for result in results)
    typer.echo(f"{many(len(results), 'judgment')}, {changed} with another reward")


def is_changed(result: Rescored) -> bool:
    """Whether the reward is another one, by more than 1e-9, or given where there was none, or the reverse."""
    if result.difference is None:
        return (result.reward_before is None) != (result.outcome.reward is None)
    return abs(result.difference) > _ROUNDING


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"
