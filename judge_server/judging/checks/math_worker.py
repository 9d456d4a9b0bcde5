"""A process that compares mathematical expressions with math-verify: one JSON line in, one out.

Run as a script by ``mathematics``. If a comparison takes longer than the limit, even inside compiled code, the kernel
ends the process: the alarm keeps its default action. Memory is bounded as well.
"""

import json
import os
import re
import resource
import signal
import sys
from typing import Any

_TWO_WORDS = re.compile(r"(?:^|[\s.,:;])[^\W\d_]{2,}\s+[^\W\d_]{2,}")
_MARKED = ("$", "\\(", "\\[", "\\boxed")


def _read_reference(text: str, parse: Any) -> list[Any]:
    """A bare expression is parsed whole, as LaTeX; prose and delimited expressions are parsed as they are."""
    if any(mark in text for mark in _MARKED) or _TWO_WORDS.search(text):
        return list(parse(text, parsing_timeout=None))
    return list(parse(f"${text.strip()}$", parsing_timeout=None) or parse(text, parsing_timeout=None))


def _compare(reference: str, answer: str) -> dict[str, Any]:
    from math_verify import parse, verify

    gold = _read_reference(reference, parse)
    if not gold:
        return {"failed": "the reference cannot be read as mathematics"}
    given = parse(answer, parsing_timeout=None)
    if not given:
        return {"equal": False, "found": False}
    return {"equal": bool(verify(gold, given, timeout_seconds=None)), "found": True}


def _answer(line: str) -> dict[str, Any]:
    reference, answer = json.loads(line)
    try:
        return _compare(reference, answer)
    except (MemoryError, RecursionError) as fault:
        return {"failed": f"the expression is too large ({type(fault).__name__})"}
    except Exception as fault:  # noqa: BLE001 - any library error on unusual text is reported, not raised
        return {"failed": f"the expression cannot be compared ({type(fault).__name__})"}


def main(seconds: float, mebibytes: int) -> None:
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _compare("1", "$1$")
    print("ready", file=replies, flush=True)
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        reply = json.dumps(_answer(line))
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(reply, file=replies, flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
