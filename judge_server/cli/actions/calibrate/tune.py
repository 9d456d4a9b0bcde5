"""Implements ``calibrate tune``."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from judge_server.calibration.kept_answers import KeptAnswers
from judge_server.calibration.training_process import require_trainer, trained_apart
from judge_server.calibration.tune_run import TuneRun
from judge_server.calibration.tuning import TrainingOptions, Tuning
from judge_server.cli.actions.calibrate.improve import watching
from judge_server.cli.calibrate import sources
from judge_server.core.errors import BadInput
from judge_server.core.judge import JudgeSpecification
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import Model, Teachable
from judge_server.models.registry import open_model
from judge_server.settings.settings import Settings
from judge_server.util.wording import many
from judge_server.wiring.archive import open_archive
from judge_server.wiring.judges import judge_specifications
from judge_server.wiring.service import Service, open_service


@dataclass(frozen=True)
class TuneOptions:
    """The flags of the command. ``command``: how it was called."""

    labels: str
    rubric: str
    judge: str | None
    python: str
    training: TrainingOptions
    positives: Mapping[str, str]
    out: Path
    command: str
    as_json: bool


async def tune(settings: Settings, options: TuneOptions) -> None:
    """Two services, one after the other, so that one engine at a time holds memory: the judge, then its adapter."""
    specification = tunable(settings, options.judge)
    run = await _run_of(settings, specification, options)
    found = run.finished() or await _tuned(settings, run, options)
    _tell(found, options)


async def _tuned(settings: Settings, run: TuneRun, options: TuneOptions) -> Tuning:
    await require_trainer(options.python)
    opened: list[Model] = []
    async with open_service(alone(settings, run.judge), opening=partial(_opened, opened)) as service:
        run.out.mkdir(parents=True, exist_ok=True)
        model = opened[0]
        if not isinstance(model, Teachable):
            raise BadInput(f"{run.judge.model} cannot be tuned.", remedy="Name a judge with a vllm: model.")
        task = await run.prepare(_single(service), model, _answers(service, options))
    trained = await run.train(task, partial(_trained, options.python))
    async with open_service(alone(settings, run.tuned)) as service:
        return await run.compare(_single(service), _answers(service, options), trained, options.command)


def tunable(settings: Settings, named: str | None) -> JudgeSpecification:
    """Raises BadInput for a judge that is not one model in this process, asked for one token, without an adapter."""
    judges, default = judge_specifications(settings)
    specification = judges.get(named or default)
    if specification is None:
        raise BadInput(f"--judge {named}: there is no such judge.", remedy=f"Known: {', '.join(sorted(judges))}.")
    if not (specification.model or "").startswith("vllm:"):
        raise BadInput(
            f"{specification.name} has no model in this process whose weights an adapter could be trained for.",
            remedy="Name a judge with a vllm: model.",
        )
    if specification.mode != "direct" or specification.examples is not None:
        raise BadInput(
            f"{specification.name} is not asked for one token alone: an adapter learns the answers of direct mode, "
            "without labelled examples.",
            remedy='Name a judge with mode = "direct" and no examples.',
        )
    if specification.engine.get("lora") is not None:
        raise BadInput(f"{specification.name} has an adapter already.", remedy="Name the judge without it.")
    return specification


def alone(settings: Settings, judge: JudgeSpecification) -> Settings:
    """These settings with this judge only, so that no other engine is started."""
    return settings.model_copy(
        update={"judges": {judge.name: judge}, "default_judge": judge.name, "audit_judge": None, "reask": 0.0}
    )


def _opened(opened: list[Model], name: str, options: Mapping[str, Any]) -> Model:
    opened.append(open_model(name, options))
    return opened[-1]


async def _run_of(settings: Settings, specification: JudgeSpecification, options: TuneOptions) -> TuneRun:
    """Faults of labels and rubric are told before an engine starts."""
    async with open_archive(sources.looking_back(settings)) as (store, shelf):
        whole = await sources.label_set(options.labels, store)
        rubric = await sources.rubric(options.rubric, shelf)
    return TuneRun(
        whole=whole,
        rubric=rubric,
        judge=specification,
        options=options.training,
        out=options.out,
        seed=options.training.seed,
        positives=options.positives,
        tell=lambda line: typer.echo(line, err=True),
    )


def _single(service: Service) -> SingleJudge:
    judge = service.judge_registry.named(None)
    if not isinstance(judge, SingleJudge):
        raise BadInput("The judge is made of other judges.", remedy="Name a judge with a vllm: model.")
    return judge


def _answers(service: Service, options: TuneOptions) -> KeptAnswers:
    return KeptAnswers(
        out=options.out,
        scorer_of=lambda judges: service.measuring_scorer(raw=True, judges=judges),
        watching=watching,
        positives=options.positives,
    )


async def _trained(python: str, task: Path) -> None:
    with _steps() as advance:
        await trained_apart(python, task, advance)


@contextmanager
def _steps() -> Iterator[Callable[[dict[str, Any]], None]]:
    """A bar on a terminal, else a line every tenth part of the training."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("training", total=None)

        def advance(told: dict[str, Any]) -> None:
            loss = "" if told["loss"] is None else f", loss {told['loss']:.3f}"
            line = f"step {told['step']} of {told['steps']}{loss}"
            progress.update(bar, total=told["steps"], completed=told["step"], description=line)
            tenth = max(told["steps"] // 10, 1)
            if not console.is_terminal and (told["step"] % tenth == 0 or told["step"] == told["steps"]):
                typer.echo(line, err=True)

        yield advance


def _tell(found: Tuning, options: TuneOptions) -> None:
    if options.as_json:
        typer.echo(found.model_dump_json())
        return
    typer.echo(found.text)
    trained = found.trained
    if trained.stopped:
        typer.echo(f"note: its time was over after {trained.steps} of {trained.planned_steps} steps")
    if found.left_out:
        typer.echo(f"note: {found.left_out} labelled questions were not learnt from")
    typer.echo(f"trained on {many(found.rows, 'row')}: {many(trained.steps, 'step')} in {trained.seconds:.0f} s")
    typer.echo(f"for the configuration: {options.out / 'judge.toml'}")
    typer.echo(f"figures: judge-server calibrate compare {options.out / 'before.csv'} {options.out / 'after.csv'}")
    typer.echo(f"record: {options.out / 'tuning.json'}")
