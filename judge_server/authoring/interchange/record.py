"""Records of a JSON or JSONL file, one at a time, with the line each begins on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from judge_server.core.errors import BadInput

MOST_BYTES = 64_000_000


def records(path: Path) -> Iterator[tuple[str, Any]]:
    """(``file:line``, record) for every line of a JSONL file. A JSON file is one record, or as many as its array has
    where each item brings a rubric list of its own. Raises BadInput naming the line."""
    try:
        if path.stat().st_size > MOST_BYTES and not path.name.endswith(".jsonl"):
            raise BadInput(f"{path} is larger than {MOST_BYTES:,} bytes.", remedy="Split it, or write it as .jsonl.")
        with path.open("rb") as stream:
            first = stream.readline(MOST_BYTES)
            whole = _try(first)
            rest = stream.readline(MOST_BYTES)
            if whole is None or (not rest.strip() and not path.name.endswith(".jsonl")):
                more = stream.read(path.stat().st_size)
                yield from _split(_parse(first + rest + more, f"{path}"), path)
                return
            yield f"{path}:1", whole
            number = 2
            while rest:
                if rest.strip():
                    yield f"{path}:{number}", _parse(rest, f"{path}:{number}")
                rest, number = stream.readline(MOST_BYTES), number + 1
    except OSError as fault:
        raise BadInput(f"{path} cannot be read: {fault.strerror}.") from None


def _split(whole: Any, path: Path) -> Iterator[tuple[str, Any]]:
    several = isinstance(whole, list) and all(
        isinstance(item, dict) and not {"rubric", "rubrics", "rubric_list"}.isdisjoint(item) for item in whole
    )
    yield from ((f"{path}:{number}", item) for number, item in enumerate(whole if several else [whole], 1))


def _try(line: bytes) -> Any:
    try:
        return _parse(line, "")
    except BadInput:
        return None


def _parse(content: bytes, where: str) -> Any:
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as fault:
        reason = "nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        raise BadInput(
            f"{where} is not JSON: {reason}.", remedy="Give JSON, or JSONL with one record a line."
        ) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a finite number")


def wrong_shape(where: str, message: str, remedy: str) -> BadInput:
    """The error for a record that is JSON but not of the format."""
    return BadInput(f"{where}: {message}.", remedy=remedy)
