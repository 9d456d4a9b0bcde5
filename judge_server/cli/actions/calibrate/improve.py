"""Implements ``calibrate improve``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from judge_server.calibration.improve_run import Attempt, ImproveRun
from judge_server.calibration.improvement import AS_IT_IS, Improvement
from judge_server.calibration.model_proposer import proposing
from judge_server.calibration.recorded_judges import improved_from_records
from judge_server.calibration.tuning import require_trained_on_revise
from judge_server.calibration.workspace import ImproveFolder
from judge_server.cli.calibrate import sources
from judge_server.cli.running import announce
from judge_server.core.errors import BadInput
from judge_server.report.improvement_pages import html, markdown
from judge_server.settings.settings import Settings
from judge_server.wiring.archive import open_archive
from judge_server.wiring.service import Service, open_service


@dataclass(frozen=True)
class ImproveOptions:
    """The flags of the command."""

    labels: str
    rubric: str
    judge: str | None
    proposer: str | None
    second: str | None
    tuned: str | None
    out: Path
    attempt: Attempt
    as_json: bool
    recorded: str | None = None


async def improve(settings: Settings, options: ImproveOptions) -> None:
    """Climb the ladder and write its report; a finished run is shown again, and asks nothing. Raises BadInput for what
    recorded answers cannot be improved with."""
    if options.recorded is None:
        async with open_service(settings) as service:
            found = await _asked(service, options)
    else:
        if options.proposer or options.judge or options.tuned:
            raise BadInput(
                "--recorded asks nobody, so --judge, --proposer and --tuned do not go with it.",
                remedy="Leave them out, or leave --recorded out.",
            )
        async with open_archive(sources.looking_back(settings)) as (store, shelf):
            found = await improved_from_records(
                await sources.label_set(options.labels, store),
                await sources.rubric(options.rubric, shelf),
                (options.recorded, options.second),
                options.attempt,
                ImproveFolder(options.out),
                sources.reading_log(options.labels, store),
                _pages,
                _told,
            )
    _tell(found, options)


async def _asked(service: Service, options: ImproveOptions) -> Improvement:
    whole = await sources.label_set(options.labels, service.store)
    judges = (options.judge, *filter(None, (options.second, options.tuned, options.proposer)))
    specifications = [service.judge_registry.named(one).specification for one in judges]
    rubric = await sources.rubric(options.rubric, service.rubric_registry)
    await service.shown_again.require_labelled(whole, *specifications, rubric=rubric)
    tuned = None if options.tuned is None else service.judge_registry.named(options.tuned)
    if tuned is not None:
        require_trained_on_revise(tuned.specification, whole, options.attempt.seed)
    place = ImproveFolder(options.out)
    own = ImproveRun(
        attempt=options.attempt,
        whole=whole,
        rubric=rubric,
        judge=service.judge_registry.named(options.judge),
        place=place,
        scorer_of=lambda judges: service.measuring_scorer(raw=True, judges=judges),
        second=None if options.second is None else service.judge_registry.named(options.second),
        tuned=tuned,
        proposer=options.proposer,
        tell=_told,
        watching=watching,
        pages=_pages,
    )
    kept = place.finished(own.key)
    if kept is not None:
        return Improvement.model_validate_json(kept)
    announce([one for one in (own.judge, own.second, own.tuned) if one is not None])
    propose = proposing(service.judge_registry, options.proposer, whole, own.rubric)
    return await own.climb(propose, sources.reading_log(options.labels, service.store))


def _pages(found: Improvement) -> dict[str, str]:
    return {"improvement.md": markdown(found), "improvement.html": html(found)}


def _told(line: str) -> None:
    typer.echo(line, err=True)


@contextmanager
def watching(items: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("judging", total=items)
        yield lambda: progress.advance(bar)


def _tell(found: Improvement, options: ImproveOptions) -> None:
    if options.as_json:
        typer.echo(found.model_dump_json())
        return
    typer.echo(found.text)
    for turned in found.turned:
        typer.echo(f"{turned}.")
    for note in found.notes:
        typer.echo(f"note: {note}")
    if found.version:
        typer.echo(f"drafted version {found.version}: {options.out / 'rubric.yaml'}")
    if found.maps:
        typer.echo(f"a fitted map helps {', '.join(found.maps)}: judge-server calibrate fit makes it")
    if options.recorded is None and found.setup != AS_IT_IS:
        typer.echo(f"for the configuration: {options.out / 'judge.toml'}")
    typer.echo(f"spent: {found.spent}")
    typer.echo(f"report: {options.out / 'improvement.html'}")
