"""What ``data difficulty`` does: put the rewards of each prompt together, choose, and write the rows that are kept.

The rollouts are read twice where their own rows are written: first for the rewards, then for the rows.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from judge_server.cli.actions import difficulty_view
from judge_server.cli.row_file import RowFile, opened, written
from judge_server.cli.running import fail
from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.difficulty.band import Band
from judge_server.difficulty.rollout import KEYS_OF_A_PROMPT, Rollouts, keys_of, prompt_row, read_rollouts, read_row
from judge_server.difficulty.selection import Prompts, Selection, select

MOST_LABELS = 1_000


@dataclass(frozen=True)
class Order:
    """What the flags asked for. ``band``: the fields of one."""

    file: str
    band: Mapping[str, Any]
    key: str | None = None
    reward: str = "reward"
    prompts: str | None = None
    target: int | None = None
    seed: int = 0
    group_by: str | None = None
    output: str | None = None
    annotate: bool = False
    skip_bad: bool = False
    as_json: bool = False


@dataclass
class Reading:
    """What was read. ``labels``: the values of ``--group-by``, in the order in which they came."""

    prompts: Prompts = field(default_factory=Prompts)
    labels: dict[str, int] = field(default_factory=dict)
    rollouts: int = 0
    failed: int = 0
    bad_lines: int = 0
    first_fault: str = ""
    without_row: int = 0
    repeated_rows: int = 0
    judgments: bool = False


def carry_out(order: Order) -> None:
    """Ends the command with status 2 where something cannot be read or written."""
    try:
        if order.band["interval"] not in (None, "inside", "overlap"):
            raise BadInput(f"--interval {order.band['interval']}: unknown.", remedy="Write inside or overlap.")
        band = Band(**order.band)
        with ExitStack() as stack:
            rollouts = stack.enter_context(opened(order.file))
            rows = stack.enter_context(opened(order.prompts)) if order.prompts else None
            _difficulty(order, band, rollouts, rows)
    except JudgeServerError as fault:
        fail(str(fault))


def _difficulty(order: Order, band: Band, rollouts: RowFile, rows: RowFile | None) -> None:
    reading = Reading()
    if rows is not None:
        _read_prompts(order, rows, reading)
    _read_rollouts(order, band, rollouts, reading, known_only=rows is not None)
    if order.output and rows is None and reading.judgments:
        raise BadInput(
            f"{rollouts.name} holds judgments, and these do not hold the prompts that --output should have.",
            remedy="Name the file of prompts or submissions with --prompts.",
        )
    selection = select(reading.prompts, band, target=order.target, seed=order.seed)
    if order.output:
        with written(order.output) as stream:
            for row in _kept_rows(order, band, rows or rollouts, reading, selection, own=rows is not None):
                stream.write(_encoded(row))
    difficulty_view.show(order, band, reading, selection)


def _read_prompts(order: Order, rows: RowFile, reading: Reading) -> None:
    for number, line in rows.lines("prompts"):
        try:
            row = read_row(line)
            key, *others = keys_of(row, order.key, KEYS_OF_A_PROMPT)
            label = _label(order, reading, row)
        except ValueError as fault:
            _bad(order, reading, rows, number, fault)
            continue
        before = len(reading.prompts)
        reading.prompts.also(reading.prompts.number(key, number, label), others)
        reading.repeated_rows += len(reading.prompts) == before


def _read_rollouts(order: Order, band: Band, rollouts: RowFile, reading: Reading, *, known_only: bool) -> None:
    for number, line in rollouts.lines("rollouts"):
        try:
            found = read_rollouts(line, order.key, order.reward)
            label = 0 if known_only else _label(order, reading, found.row)
        except ValueError as fault:
            _bad(order, reading, rollouts, number, fault)
            continue
        reading.rollouts += len(found.rewards)
        reading.failed += found.rewards.count(None)
        reading.judgments = reading.judgments or found.judgment
        _count(band, reading, found, number, label, known_only=known_only)


def _count(band: Band, reading: Reading, found: Rollouts, line: int, label: int, *, known_only: bool) -> None:
    prompts = reading.prompts
    number = prompts.find(found.keys) if known_only else prompts.number(found.keys[0], line, label)
    if number is None:
        reading.without_row += len(found.rewards)
    else:
        prompts.add(number, found.rewards, band.threshold)


def _bad(order: Order, reading: Reading, file: RowFile, number: int, fault: ValueError) -> None:
    told = f"{file.name}, line {number}: {fault}"
    if not order.skip_bad:
        raise BadInput(f"{told}.", remedy="Mend the line, or pass over such lines with --skip-bad.")
    reading.bad_lines += 1
    reading.first_fault = reading.first_fault or told


def _label(order: Order, reading: Reading, row: Mapping[str, Any]) -> int:
    if order.group_by is None:
        return 0
    value: Any = row
    for part in order.group_by.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text not in reading.labels and len(reading.labels) == MOST_LABELS:
        raise BadInput(
            f"--group-by {order.group_by} has more than {MOST_LABELS} values.", remedy="Name a field that has few."
        )
    return reading.labels.setdefault(text, len(reading.labels))


def _kept_rows(
    order: Order, band: Band, file: RowFile, reading: Reading, selection: Selection, *, own: bool
) -> Iterator[dict[str, Any]]:
    """The first line of every prompt that is kept, in the order of the file. ``own``: the lines are prompts' rows."""
    prompts = reading.prompts
    wanted = {prompts.first_lines[number]: number for number in selection.kept()}
    for line_number, line in file.lines("writing"):
        number = wanted.get(line_number)
        if number is None:
            continue
        row = read_row(line)
        kept = row if own else prompt_row(row, order.reward)
        if order.annotate:
            tally = prompts.tally(number)
            kept |= {"difficulty": {"rate": band.rate(tally), "rollouts": tally.known, "failed": tally.failed}}
        yield kept


def _encoded(row: dict[str, Any]) -> bytes:
    """Readable where UTF-8 can carry it: half a surrogate pair stays the escape that it was."""
    try:
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(row).encode() + b"\n"


def counts_by_label(reading: Reading, selection: Selection) -> dict[str, Counter[str]]:
    """How many prompts of each label ended up where."""
    found: dict[str, Counter[str]] = {label: Counter() for label in reading.labels}
    names = list(reading.labels)
    for label, place in zip(reading.prompts.labels, selection.places, strict=True):
        found[names[label]][place.value] += 1
    return found
