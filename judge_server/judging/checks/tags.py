"""``tags``: XML-like elements, each closed, in order, once, with nothing outside."""

import re
from collections import Counter
from functools import lru_cache

from judge_server.core.check import TagsCheck
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import Finding, passed


def find(spec: TagsCheck, material: CheckInput) -> Finding:
    fault = _fault(spec, material.text)
    return passed(fault is None, fault or "the elements stand as asked: " + ", ".join(f"<{n}>" for n in spec.required))


def _fault(spec: TagsCheck, text: str) -> str | None:
    elements: list[str] = []
    outside: list[str] = []
    opened: str | None = None
    position = 0
    for match in _markers(spec.required).finditer(text):
        closing, name = match.groups()
        if opened is None:
            outside.append(text[position : match.start()])
        if not closing and opened is None:
            opened = name
        elif closing and opened == name:
            elements.append(name)
            opened = None
        else:
            return f"{match.group()} does not fit where it stands"
        position = match.end()
    if opened is not None:
        return f"<{opened}> is not closed"
    outside.append(text[position:])
    return _disorder(spec, elements) or _stray(spec, outside)


def _disorder(spec: TagsCheck, elements: list[str]) -> str | None:
    times = Counter(elements)
    for name in spec.required:
        if not times[name]:
            return f"<{name}> is missing"
        if spec.once and times[name] > 1:
            return f"<{name}> stands {times[name]} times"
    if spec.order and list(dict.fromkeys(elements)) != list(dict.fromkeys(spec.required)):
        return "the elements stand in another order: " + ", ".join(f"<{name}>" for name in dict.fromkeys(elements))
    return None


def _stray(spec: TagsCheck, outside: list[str]) -> str | None:
    return "text stands outside the elements" if spec.exclusive and any(piece.strip() for piece in outside) else None


@lru_cache(maxsize=1_024)
def _markers(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"<(/?)({'|'.join(sorted(map(re.escape, set(names)), key=len, reverse=True))})>")
