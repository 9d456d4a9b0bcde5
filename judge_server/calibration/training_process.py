"""Runs the training of an adapter in a process of its own, under an interpreter that has TRL and peft."""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from judge_server.core.errors import BadConfiguration, MissingDependency
from judge_server.core.extra import installing
from judge_server.util.time_limit import within

PROGRAM: Final = Path(__file__).with_name("adapter_training.py")
NEEDED: Final = ("datasets", "peft", "torch", "transformers", "trl")
_END_SECONDS: Final = 20.0
_SHOWN: Final = 500  # characters of the log's last line


async def require_trainer(python: str) -> None:
    """Raises MissingDependency if this interpreter cannot train."""
    look = f"import importlib.util as u; print(*[n for n in {NEEDED!r} if u.find_spec(n) is None])"
    try:
        process = await asyncio.create_subprocess_exec(python, "-c", look, stdout=PIPE, stderr=DEVNULL)
    except OSError as fault:
        raise BadConfiguration(f"--python {python}: {fault.strerror}.", remedy="Name an interpreter.") from None
    said, _ = await process.communicate()
    missing = said.decode().split()
    if process.returncode or missing:
        raise MissingDependency(
            f"{python} cannot train: it lacks {' and '.join(missing) or 'a working interpreter'}.",
            remedy=f"{installing('tune')} Or name another interpreter with --python.",
        )


async def trained_apart(python: str, task: Path, advance: Callable[[dict[str, Any]], None]) -> None:
    """``advance`` is told each step. What the trainer says goes to ``training.log`` beside the task. Raises
    BadConfiguration with the end of it if the training fails."""
    log = task.with_name("training.log")
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            python, str(PROGRAM), str(task), stdin=DEVNULL, stdout=PIPE, stderr=file
        )
        try:
            await _followed(process, advance)
        finally:
            await _ended(process)
    if process.returncode:
        told = log.read_text("utf-8", "replace").strip().splitlines()[-1:]
        raise BadConfiguration(
            f"The training failed with status {process.returncode}: {''.join(told)[:_SHOWN] or 'it says nothing'}.",
            remedy=f"All that it said stands in {log}. The same command goes on from the last checkpoint.",
        )


async def _followed(process: Process, advance: Callable[[dict[str, Any]], None]) -> None:
    if process.stdout is None:
        raise BadConfiguration("The trainer has no standard output.")
    async for line in process.stdout:
        try:
            told = json.loads(line)
        except ValueError:
            continue  # what a library prints
        if isinstance(told, dict) and "step" in told:
            advance(told)
    await process.wait()


async def _ended(process: Process) -> None:
    """Ctrl-C or a failure here ends the trainer too; its checkpoints stay."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        with within(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
