"""A process that runs one grader's program and ends. Run as a script by ``python_process``.

One JSON object comes in on standard input: ``source``, ``sample``, ``item``, ``run`` (false only looks for ``grade``),
``mebibytes`` and ``seconds``. One comes back: ``{"score": number}`` or ``{"failed": kind, "detail": text}``.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from math import isfinite
from typing import Any

# what graders use most; the compiled modules among it could not be opened after confinement
_AT_HAND = (
    "ast", "bisect", "collections", "copy", "csv", "datetime", "decimal", "difflib", "fractions", "functools",
    "hashlib", "heapq", "html", "itertools", "operator", "random", "re", "statistics", "string", "textwrap", "typing",
    "unicodedata",
)  # fmt: skip
_DETAIL_CHARACTERS = 2_000


def main() -> None:
    job = json.loads(sys.stdin.buffer.read())
    reply = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    for name in _AT_HAND:
        __import__(name)
    try:
        _confinement().confine([path for path in sys.path if os.path.isdir(path)], job["mebibytes"], job["seconds"])  # noqa: PTH112 - pathlib is not loaded here
    except Exception as fault:  # noqa: BLE001 - a program never runs unconfined
        answer = {"failed": "confinement", "detail": f"{type(fault).__name__}: {fault}"}
    else:
        answer = _outcome(job)
    os.write(reply, json.dumps(answer).encode())
    os._exit(0)


def _confinement() -> Any:
    """Loaded by path: an isolated interpreter cannot import the package."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "confinement.py")  # noqa: PTH100, PTH118, PTH120
    spec = spec_from_file_location("confinement", path)
    assert spec is not None  # noqa: S101 - the file is in this directory
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _outcome(job: dict[str, Any]) -> dict[str, Any]:
    try:
        grade = _grade_of(job["source"])
        if not job["run"]:
            return {"score": 0.0}
        score = grade(job["sample"], job["item"])
        if not isinstance(score, int | float):
            return {"failed": "result", "detail": f"grade returned {type(score).__name__}, not a number"}
        number = float(score)
    except BaseException as fault:  # noqa: BLE001 - anything the program raises, SystemExit included, is its failure
        return {"failed": "runtime", "detail": _told(fault)}
    if not isfinite(number):
        return {"failed": "result", "detail": f"grade returned {number}, not a finite number"}
    return {"score": number}


def _grade_of(source: str) -> Callable[[Any, Any], Any]:
    program: dict[str, Any] = {"__name__": "grader", "__builtins__": __builtins__}
    exec(compile(source, "<grader>", "exec"), program)  # noqa: S102 - what this confined process is for
    grade = program.get("grade")
    if not callable(grade):
        raise TypeError("the source defines no function grade(sample, item)")
    found: Callable[[Any, Any], Any] = grade
    return found


def _told(fault: BaseException) -> str:
    """The end of the traceback: lines of the program only, not of this file."""
    try:
        frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == "<grader>"]
        lines = [f"line {frame.lineno}, in {frame.name}" for frame in frames[-5:]]
        text = "; ".join([f"{type(fault).__name__}: {fault}", *lines])
    except BaseException:  # noqa: BLE001 - str(exception) may raise, or memory may be exhausted
        return "the program raised an error that cannot be shown"
    return text[:_DETAIL_CHARACTERS].encode("utf-8", "replace").decode()


if __name__ == "__main__":
    main()
