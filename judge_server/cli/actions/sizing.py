"""Sizing: an engine from a measured profile or a data sheet, and the plan for it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from judge_server.core.errors import BadConfiguration, BadInput
from judge_server.models.protocol import Limited, Model
from judge_server.models.registry import open_model
from judge_server.settings.settings import Settings
from judge_server.sizing.data_sheet import card_of, speed_of
from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.fleet import Installation
from judge_server.sizing.model_shape import shape_of
from judge_server.sizing.plan import More, SizingGoal, SizingPlan, plan
from judge_server.sizing.profile import profiled
from judge_server.sizing.workload import TrainingStep
from judge_server.wiring.judges import engine_options, judge_specifications


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of the engine: the file of a measured profile, or a model and a card."""

    profile: Path | None
    model: str | None
    gpu: str | None
    tensor_parallel: int
    step_tokens: int
    sequences: int

    def engine(self) -> EngineSpeed:
        """Raises BadInput and BadConfiguration."""
        if self.profile is not None:
            return read_profile(self.profile)
        if self.model is None or self.gpu is None:
            raise BadInput(
                "The engine is not given.",
                remedy="Give --model and --gpu, or --profile FILE, which judge-server doctor --profile FILE writes.",
            )
        return speed_of(
            shape_of(self.model),
            card_of(self.gpu),
            cards=self.tensor_parallel,
            step_tokens=self.step_tokens,
            sequences=self.sequences,
        )


async def sized(workload: TrainingStep, given: Given, wanted: SizingGoal, server_seconds: float) -> SizingPlan:
    """The plan for one training step."""
    engine = given.engine()
    return plan(workload, engine, Installation(engine, server_seconds=server_seconds), wanted)


def read_profile(file: Path) -> EngineSpeed:
    """Raises BadInput for a file that ``doctor --profile`` did not write."""
    try:
        return EngineSpeed.model_validate_json(file.read_bytes())
    except (ValidationError, OSError) as fault:
        reason = fault.errors()[0]["msg"] if isinstance(fault, ValidationError) else str(fault)
        raise BadInput(
            f"{file} is not a measured profile: {reason}.", remedy="Write one with judge-server doctor --profile FILE."
        ) from None


async def write_profile(settings: Settings, file: Path) -> EngineSpeed:
    """Start the default judge's engine alone, measure it and write ``file``. Raises BadConfiguration for a judge
    without an engine in this process."""
    specifications, default = judge_specifications(settings)
    specification = specifications[default]
    model = open_model(specification.model or "", engine_options(specification))
    await model.start()
    try:
        speed = await _measured(model, default)
    finally:
        await model.close()
    await asyncio.to_thread(file.write_text, speed.model_dump_json(indent=2) + "\n", "utf-8")
    return speed


async def _measured(model: Model, judge: str) -> EngineSpeed:
    if not isinstance(model, Limited):
        raise BadConfiguration(
            f"The judge {judge} has no engine in this process, so its steps cannot be measured.",
            remedy="Name the model as vllm:NAME_OR_PATH, with the engine options that its server has.",
        )
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("measuring the engine", total=None)
        return await profiled(
            model,
            model.limits,
            lambda done, of: bar.update(task, completed=done, total=of),
        )


def show(made: SizingPlan, as_json: bool) -> None:
    if as_json:
        typer.echo(made.model_dump_json(indent=2))
        return
    table = Table(show_header=False, box=None)
    for name, value in _rows(made):
        table.add_row(name, value)
    terminal = Console()
    (terminal if terminal.is_terminal else Console(width=110)).print(table)


def _rows(made: SizingPlan) -> Iterator[tuple[str, str]]:
    workload, fleet = made.workload, made.fleet
    yield "judged in a step", f"{workload.rollouts:,} rollouts, {workload.verdicts:,} verdicts"
    yield (
        "prompt tokens",
        (
            f"{workload.sent_tokens:,}, of which {workload.different_tokens:,} differ; computed "
            f"{fleet.computed_share:.2f} times that"
        ),
    )
    yield "engine", made.engine.name
    yield "its speed", made.engine.basis + _accuracy(made.engine)
    yield "engines", f"{fleet.engines:,}" + (f" on {fleet.gpus:,} GPUs" if fleet.gpus else "")
    yield "time", f"{_seconds(fleet.seconds)}, {fleet.verdicts_per_second:,.0f} verdicts/s; most of it: {fleet.bound}"
    yield "a rollout waits", f"{_seconds(fleet.wait_p50)} (median), {_seconds(fleet.wait_p95)} (95 %)"
    if made.step_share is not None:
        yield "share of the step", f"{made.step_share:.1%}"
    if fleet.gpus:
        yield "GPU hours a step", f"{fleet.gpu_hours:.4g}" + _money(made.dollars)
    if fleet.rollouts_simulated < fleet.rollouts_each:
        yield (
            "simulated",
            f"{fleet.rollouts_simulated:,} of {fleet.rollouts_each:,} rollouts of an engine; the rest extrapolated",
        )
    for more in made.more:
        yield more.what, _addition(more)


def _addition(more: More) -> str:
    hours = f", {more.gpu_hours:+.3g} GPU hours" if more.gpu_hours else ""
    return f"{more.seconds:+.3g} s{hours}{_money(more.dollars)}"


def _accuracy(engine: EngineSpeed) -> str:
    return "" if engine.error is None else f"; mean error on them {engine.error:.0%}"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 1 else f"{seconds * 1_000:,.0f} ms"


def _money(dollars: float | None) -> str:
    return "" if dollars is None else f", {dollars:,.4g} dollars"
