"""``json``: the text, its first fenced block or the first object in it is JSON, and fits the schema."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from judge_server.core.check import JsonCheck
from judge_server.judging.checks import schema
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import CheckFailed, Finding, passed

MOST_BRACES = 20
_FENCE = re.compile(r"^[ \t]{0,3}```[^\n`]{0,100}$", re.MULTILINE)


class NotJson(ValueError):
    """The text is not JSON; says why in one short sentence."""


def prepare(spec: JsonCheck) -> None:
    if spec.json_schema is not None:
        schema.check(spec.json_schema)


def find(spec: JsonCheck, material: CheckInput) -> Finding:
    try:
        value = _EXTRACTORS[spec.extract](material.text)
    except NotJson as problem:
        return passed(False, str(problem))
    if spec.schema_text is None:
        return passed(True, "valid JSON")
    fault = schema.fault(spec.schema_text, value)
    return passed(fault is None, f"the JSON does not fit the schema: {fault}" if fault else "JSON that fits the schema")


def parse(text: str) -> Any:
    """Strict JSON: no NaN, no infinity. Raises NotJson, and CheckFailed for nesting deeper than the parser can go."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise CheckFailed("The JSON is nested too deeply to be read.") from None
    except ValueError as fault:
        raise NotJson(f"not valid JSON: {str(fault)[:120]}") from None


def _fenced(text: str) -> Any:
    fences = list(islice(_FENCE.finditer(text), 2))
    if not fences:
        raise NotJson("there is no fenced block")
    end = fences[1].start() if len(fences) > 1 else len(text)
    return parse(text[fences[0].end() : end])


def _first(text: str) -> Any:
    """The first JSON object, looked for at the first ``MOST_BRACES`` opening braces."""
    for start in islice(_positions(text, "{"), MOST_BRACES):
        try:
            return _DECODER.raw_decode(text, start)[0]
        except RecursionError:
            raise CheckFailed("The JSON is nested too deeply to be read.") from None
        except ValueError:
            continue
    raise NotJson(f"no JSON object starts at the first {MOST_BRACES} opening braces")


def _positions(text: str, wanted: str) -> Iterator[int]:
    position = text.find(wanted)
    while position >= 0:
        yield position
        position = text.find(wanted, position + 1)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_EXTRACTORS: dict[str, Callable[[str], Any]] = {"whole": parse, "fenced": _fenced, "first": _first}
