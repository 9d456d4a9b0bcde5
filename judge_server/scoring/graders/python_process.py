"""Run each grader program in a process of its own, with bounded count, time, memory and output."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from judge_server.core.errors import BadConfiguration, GraderFailed, GraderUnavailable
from judge_server.util.parsing import parse_json
from judge_server.util.time_limit import within

_WORKER = Path(__file__).with_name("python_worker.py")
_COMMAND = (sys.executable, "-I", "-S", "-B", "-X", "utf8", str(_WORKER))
_REPLY_BYTES = 64 * 1024
_START_SECONDS = 5.0  # an interpreter starts in 0.05 s; a loaded machine may need longer
_RUNTIME = "python_grader_runtime_error"
_SERVER = "python_grader_server_error"

# Counts the attempts that succeed; 0 if the confinement works.
_PROBE = """
import os, socket

def attempts():
    yield lambda: socket.socket()
    yield lambda: socket.socket(socket.AF_UNIX)
    yield lambda: open("/etc/passwd").close()
    yield lambda: open("/proc/self/environ").close()
    yield lambda: os.listdir("/")
    yield lambda: os.open("/tmp/judge-server-probe", os.O_WRONLY | os.O_CREAT)
    yield lambda: os.mkdir("/tmp/judge-server-probe-directory")
    yield lambda: os.fork() or os._exit(0)
    yield lambda: os.execv("/bin/true", ["true"])
    yield lambda: os.kill(os.getppid(), 0)

def grade(sample, item):
    escaped = 0
    for attempt in attempts():
        try:
            attempt()
        except OSError:
            continue
        escaped += 1
    return escaped
"""


class PythonProcesses:
    """Runs programs. ``seconds``: limit of processor time, and of wall-clock time after 5 s for the start;
    ``mebibytes``: limit of the address space."""

    def __init__(self, *, seconds: int, mebibytes: int, at_once: int) -> None:
        self.seconds = seconds
        self.mebibytes = mebibytes
        self._room = asyncio.Semaphore(at_once)

    async def prove(self) -> None:
        """Test the confinement by trying to escape from it. Raises BadConfiguration if this machine cannot confine
        programs."""
        try:
            escaped = await self.run(_PROBE, {}, {})
        except (GraderFailed, GraderUnavailable) as fault:
            raise _cannot_be_enabled(fault.detail) from None
        if escaped:
            raise _cannot_be_enabled(f"{escaped:g} attempts to escape from the process succeeded")

    async def check(self, source: str) -> None:
        """Raises GraderFailed if the program cannot be compiled or defines no ``grade``."""
        await self._outcome({"source": source, "run": False})

    async def run(self, source: str, sample: dict[str, Any], item: dict[str, Any]) -> float:
        """The finite number that ``grade(sample, item)`` returns. Raises GraderFailed, or GraderUnavailable."""
        return await self._outcome({"source": source, "sample": sample, "item": item, "run": True})

    async def _outcome(self, job: dict[str, Any]) -> float:
        limits = {"mebibytes": self.mebibytes, "seconds": self.seconds}
        async with self._room:
            reply, status = await self._exchange(json.dumps(job | limits).encode())
        return _score(reply, status)

    async def _exchange(self, job: bytes) -> tuple[bytes, int]:
        """The process's output, at most ``_REPLY_BYTES`` + 1 bytes, and its exit status. It has ended when this
        returns."""
        try:
            process = await asyncio.create_subprocess_exec(
                *_COMMAND,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
                cwd=os.sep,
                start_new_session=True,
            )
        except OSError as fault:
            raise GraderUnavailable(f"The process of the program cannot be started: {fault.strerror}.") from None
        try:
            with within(_START_SECONDS + self.seconds):
                reply = await _converse(process, job)
                return reply, await process.wait() if len(reply) <= _REPLY_BYTES else 0
        except TimeoutError:
            raise self._too_long() from None
        finally:
            await _end(process)

    def _too_long(self) -> GraderFailed:
        return GraderFailed(
            f"The program took longer than {self.seconds:g} seconds.",
            flag=_SERVER,
            kind="timeout",
            remedy="Make it faster, or raise python_grader_seconds in the server's settings.",
        )


async def _converse(process: asyncio.subprocess.Process, job: bytes) -> bytes:
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None  # noqa: S101 - both are pipes
    assert stdout is not None  # noqa: S101
    with suppress(BrokenPipeError, ConnectionResetError):  # the process ended early: its status says why
        stdin.write(job)
        await stdin.drain()
        stdin.close()
    reply = b""
    while len(reply) <= _REPLY_BYTES and (some := await stdout.read(_REPLY_BYTES + 1 - len(reply))):
        reply += some
    return reply


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill it and discard its remaining output, because a pipe that is not read to its end is never closed."""
    with suppress(ProcessLookupError):
        process.kill()
    stdout = process.stdout
    while stdout is not None and await stdout.read(_REPLY_BYTES):
        pass
    await process.wait()


def _score(reply: bytes, status: int) -> float:
    if status:
        raise _ended(status)
    try:
        answer = parse_json(reply[:_REPLY_BYTES])  # a longer answer was cut, so it is not valid JSON
        kind, detail = answer.get("failed"), str(answer.get("detail", ""))
        score = float(answer["score"]) if kind is None else 0.0
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise GraderFailed("The program overwrote its own answer.", flag=_SERVER, kind="unreadable_answer") from None
    if kind == "confinement":
        raise GraderUnavailable(f"The program cannot be confined on this machine: {detail}.")
    if kind is not None:
        raise GraderFailed(f"The program failed: {detail}", flag=_RUNTIME, kind=str(kind))
    if not abs(score) < float("inf"):
        raise GraderFailed(f"grade returned {score}, not a finite number.", flag=_RUNTIME, kind="result")
    return score


def _ended(status: int) -> GraderFailed:
    """The kernel sends SIGKILL at the limit of processor time, and if memory runs out."""
    if status == -9:
        return GraderFailed("The program used up its processor time or its memory.", flag=_SERVER, kind="killed")
    return GraderFailed(f"The program's process ended with exit status {status}.", flag=_SERVER, kind="crashed")


def _cannot_be_enabled(cause: str) -> BadConfiguration:
    return BadConfiguration(
        f"python_graders: programs cannot be confined on this machine: {cause.rstrip('.')}.",
        remedy="It takes Linux 5.13 or later with Landlock and seccomp on x86_64 or aarch64; else set it to false.",
    )
