"""A Dockerfile read as stages of instructions: enough of the format for the one in this repository."""

import json
import re
from pathlib import Path
from typing import NamedTuple

INSTRUCTIONS = {
    "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL",
    "USER", "VOLUME", "WORKDIR",
}  # fmt: skip


class Instruction(NamedTuple):
    keyword: str
    value: str
    line: int


class Stage(NamedTuple):
    name: str
    base: str
    instructions: list[Instruction]


def read(path: Path) -> dict[str, Stage]:
    """The stages by name, in the file's order (the last one is what a plain build makes).

    Raises ValueError, naming the line, for an instruction this reader does not know.
    """
    stages: dict[str, Stage] = {}
    current: Stage | None = None
    for instruction in _instructions(path.read_text(encoding="utf-8")):
        if instruction.keyword == "FROM":
            base, _, name = instruction.value.partition(" AS ")
            if not name:
                raise ValueError(f"line {instruction.line}: FROM without a name; write FROM image AS name")
            current = stages[name] = Stage(name, base, [])
        elif current is not None:
            current.instructions.append(instruction)
    return stages


def lineage(stages: dict[str, Stage], name: str) -> list[Instruction]:
    """All instructions that make a stage, those of the stages it stands on first."""
    stage = stages[name]
    below = lineage(stages, stage.base) if stage.base in stages else []
    return below + stage.instructions


def last(instructions: list[Instruction], keyword: str) -> str:
    """The value that counts: of ENTRYPOINT, CMD, USER, HEALTHCHECK, …, the last one wins."""
    return [instruction.value for instruction in instructions if instruction.keyword == keyword][-1]


def exec_form(value: str) -> list[str]:
    """The arguments of `["a", "b"]`; the shell form is refused, for it would keep signals from the process."""
    words = json.loads(value[value.index("[") :])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(f"not a list of arguments: {value}")
    return words


def _instructions(text: str) -> list[Instruction]:
    found: list[Instruction] = []
    pending = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        if raw.lstrip().startswith("#") or not (raw.strip() or pending):
            continue
        pending += raw.strip()
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        keyword, _, value = pending.partition(" ")
        if keyword not in INSTRUCTIONS:
            raise ValueError(f"line {number}: unknown instruction {keyword}")
        found.append(Instruction(keyword, re.sub(r"\s+", " ", value).strip(), number))
        pending = ""
    return found
