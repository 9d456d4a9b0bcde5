"""What this machine has: processors, memory, accelerators, packages."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Accelerator:
    name: str
    memory_gib: float


def python_version() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_gib() -> float | None:
    """Physical memory, where the system tells."""
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
    """NVIDIA GPUs as their driver lists them; empty without a driver."""
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
