"""``math``: the last expression of the answer equals the reference, by math-verify in a worker process."""

import atexit
import json
import os
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, LifoQueue
from typing import IO, Any, cast

from judge_server.core.check import MathCheck
from judge_server.core.extra import require
from judge_server.judging.checks.interface import CheckFailed, CheckFinding, CheckInput, CheckTimeout, passed, quoted

LIMIT_SECONDS = 2.0
GRACE_SECONDS = 1.0
START_SECONDS = 60.0
MEBIBYTES = 2_048
_WORKER = Path(__file__).with_name("math_worker.py")


class MathProcess:
    """One worker process. ``ask`` raises CheckTimeout after ``LIMIT_SECONDS`` and CheckFailed if the process died;
    after either the process cannot be reused."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", str(_WORKER), str(LIMIT_SECONDS), str(MEBIBYTES)]
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own script, and no argument from outside
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "PYTHONUTF8": "1"},
        )
        self._stdin, self._stdout = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        try:
            self._line(START_SECONDS)
        except CheckFailed:
            self.close()
            raise

    def ask(self, reference: str, answer: str) -> dict[str, Any]:
        try:
            self._stdin.write(json.dumps([reference, answer]).encode() + b"\n")
            self._stdin.flush()
        except BrokenPipeError:
            raise CheckFailed("The process that compares mathematics has ended.") from None
        reply: dict[str, Any] = json.loads(self._line(LIMIT_SECONDS + GRACE_SECONDS))
        return reply

    def _line(self, seconds: float) -> bytes:
        descriptor = self._stdout.fileno()
        deadline = time.monotonic() + seconds
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise CheckTimeout(f"Comparing the expressions took longer than {seconds:g} seconds.")
                chunk = os.read(descriptor, 65_536)
                if not chunk:
                    raise self._ended()
                line += chunk
        return line

    def _ended(self) -> CheckFailed:
        code = self._process.wait(GRACE_SECONDS)
        if code == -14:
            return CheckTimeout(f"Comparing the expressions took longer than {LIMIT_SECONDS:g} seconds.")
        return CheckFailed(f"The process that compares mathematics ended with exit status {code}.")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._stdout.close()
        with suppress(BrokenPipeError):
            self._stdin.close()


_idle: LifoQueue[MathProcess] = LifoQueue()


def compare(reference: str, answer: str) -> dict[str, Any]:
    """``{"equal", "found"}``, or ``{"failed": why}``. Blocks; raises as ``MathProcess.ask``."""
    try:
        process = _idle.get_nowait()
    except Empty:
        process = MathProcess()
    try:
        reply = process.ask(reference, answer)
    except BaseException:
        process.close()
        raise
    _idle.put(process)
    return reply


@atexit.register
def close() -> None:
    """End the idle processes; they start again when needed."""
    while True:
        try:
            _idle.get_nowait().close()
        except Empty:
            return


def require_packages(spec: MathCheck) -> None:
    """Raises MissingDependency without math-verify."""
    require("checks", f"The check {spec.kind}", "math_verify")


LONGEST_ANSWER = 4_000
LONGEST_REFERENCE = 2_000


def find_math(spec: MathCheck, check_input: CheckInput) -> CheckFinding:
    reference = check_input.compared_with(spec, spec.against)
    if len(reference) > LONGEST_REFERENCE:
        raise CheckFailed(f"The reference has {len(reference)} characters; at most {LONGEST_REFERENCE} are compared.")
    text = check_input.text
    note = f" (in the last {LONGEST_ANSWER} characters)" if len(text) > LONGEST_ANSWER else ""
    reply = compare(reference, text[-LONGEST_ANSWER:])
    if "failed" in reply:
        raise CheckFailed(f"{reply['failed'].capitalize()}.")
    if not reply["found"]:
        return passed(False, f"no mathematical expression was found{note}")
    return passed(reply["equal"], f"{'equal' if reply['equal'] else 'not equal'} to {quoted(reference)}{note}")
