"""Implements ``calibrate improve``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from judge_server.calibration.improve_run import Attempt, ImproveRun
from judge_server.calibration.improvement import AS_IT_IS, Improvement
from judge_server.calibration.ladder import Proposer
from judge_server.calibration.meter import Meter
from judge_server.calibration.model_proposer import ModelProposer
from judge_server.calibration.tuning import require_trained_on_revise
from judge_server.cli.calibrate import sources
from judge_server.cli.options import is_file
from judge_server.cli.running import announce
from judge_server.core.errors import BadInput
from judge_server.judging.single import SingleJudge
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import ReadingFile
from judge_server.report.improvement_pages import html, markdown
from judge_server.settings.settings import Settings
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


async def improve(settings: Settings, options: ImproveOptions) -> None:
    """Climb the ladder and write its report; a finished run is shown again, and asks nothing."""
    async with open_service(settings) as service:
        whole = await sources.label_set(options.labels, service.store)
        tuned = None if options.tuned is None else service.judge_registry.named(options.tuned)
        if tuned is not None:
            require_trained_on_revise(tuned.specification, whole, options.attempt.seed)
        own = ImproveRun(
            attempt=options.attempt,
            whole=whole,
            rubric=await sources.rubric(options.rubric, service.rubric_registry),
            judge=service.judge_registry.named(options.judge),
            out=options.out,
            scorer_of=lambda judges: service.measuring_scorer(raw=True, judges=judges),
            second=None if options.second is None else service.judge_registry.named(options.second),
            tuned=tuned,
            proposer=options.proposer,
            tell=lambda line: typer.echo(line, err=True),
            watching=watching,
            pages=lambda found: {"improvement.md": markdown(found), "improvement.html": html(found)},
        )
        found = own.finished()
        if found is None:
            announce([one for one in (own.judge, own.second, own.tuned) if one is not None])
            log = ReadingFile(Path(options.labels)) if is_file(options.labels) else service.store.labels
            found = await own.climb(proposing(service, options.proposer, whole), log)
    _tell(found, options)


def proposing(service: Service, named: str | None, labels: LabelSet) -> Callable[[Meter], Proposer] | None:
    """Opens the model of the judge that is named. Raises BadInput for a judge without a model that can write, and
    JudgeNotAllowed for one to which the texts may not be shown."""
    if named is None:
        return None
    judge = service.judge_registry.named(named)
    if not isinstance(judge, SingleJudge) or judge.model.name == "baseline":
        raise BadInput(
            f"--proposer {named}: it has no language model of its own.",
            remedy="Name a judge with a model that writes text.",
        )
    labels.require_shown(judge.specification)
    return partial(_proposer, judge, f"{named} ({judge.model.name})")


def _proposer(judge: SingleJudge, name: str, meter: Meter) -> Proposer:
    return ModelProposer(judge.model, name, meter.add)


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
    if found.setup != AS_IT_IS:
        typer.echo(f"for the configuration: {options.out / 'judge.toml'}")
    typer.echo(f"spent: {found.spent}")
    typer.echo(f"report: {options.out / 'improvement.html'}")
