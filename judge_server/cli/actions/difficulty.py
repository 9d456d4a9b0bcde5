"""Implements ``data difficulty``: combine the rewards of each prompt, select, and write the kept rows.

The rollouts are read twice if their own rows are written: first for the rewards, then for the rows.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from judge_server.cli.actions.row_file import RowFile, opened, written
from judge_server.cli.actions.runs import write_history
from judge_server.cli.running import fail, run
from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.difficulty.band import Band, BandPlace
from judge_server.difficulty.rollout import KEYS_OF_A_PROMPT, Rollouts, keys_of, prompt_row, read_rollouts, read_row
from judge_server.difficulty.selection import Bar, Prompts, Selection, select
from judge_server.settings.settings import Settings

MOST_LABELS = 1_000


@dataclass(frozen=True)
class DifficultyOptions:
    """What the flags asked for. ``band``: the fields of one. ``run``: a run in the database of the settings, whose
    judgments are read instead of ``file``."""

    file: str
    band: Mapping[str, Any]
    run: str | None = None
    settings: Settings | None = None
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
class RolloutCounts:
    """What was read. ``labels``: the values of ``--group-by``, in order of appearance."""

    prompts: Prompts = field(default_factory=Prompts)
    labels: dict[str, int] = field(default_factory=dict)
    rollouts: int = 0
    failed: int = 0
    bad_lines: int = 0
    first_fault: str = ""
    without_row: int = 0
    repeated_rows: int = 0
    judgments: bool = False


def carry_out(options: DifficultyOptions) -> None:
    """Ends the command with status 2 if something cannot be read or written."""
    try:
        if options.band["interval"] not in (None, "inside", "overlap"):
            raise BadInput(f"--interval {options.band['interval']}: unknown.", remedy="Write inside or overlap.")
        band = Band(**options.band)
        with ExitStack() as stack:
            rollouts = stack.enter_context(_rollouts(options))
            rows = stack.enter_context(opened(options.prompts)) if options.prompts else None
            _difficulty(options, band, rollouts, rows)
    except JudgeServerError as fault:
        fail(str(fault))


@contextmanager
def _rollouts(options: DifficultyOptions) -> Iterator[RowFile]:
    """The file, or one made from the stored judgments of the run: a line for each prompt."""
    if options.run is None or options.settings is None:
        with opened(options.file) as file:
            yield file
        return
    with tempfile.NamedTemporaryFile() as kept:
        run(write_history(options.settings, options.run, kept))
        kept.flush()
        yield RowFile(f"run {options.run}", Path(kept.name))


def _difficulty(options: DifficultyOptions, band: Band, rollouts: RowFile, rows: RowFile | None) -> None:
    counts = RolloutCounts()
    if rows is not None:
        _read_prompts(options, rows, counts)
    _read_rollouts(options, band, rollouts, counts, known_only=rows is not None)
    if options.output and rows is None and counts.judgments:
        raise BadInput(
            f"{rollouts.name} holds judgments, and these do not hold the prompts that --output should have.",
            remedy="Name the file of prompts or submissions with --prompts.",
        )
    selection = select(counts.prompts, band, target=options.target, seed=options.seed)
    if options.output:
        with written(options.output) as stream:
            for row in _kept_rows(options, band, rows or rollouts, counts, selection, own=rows is not None):
                stream.write(_encoded(row))
    show(options, band, counts, selection)


def _read_prompts(options: DifficultyOptions, rows: RowFile, counts: RolloutCounts) -> None:
    for number, line in rows.lines("prompts"):
        try:
            row = read_row(line)
            key, *others = keys_of(row, options.key, KEYS_OF_A_PROMPT)
            label = _label(options, counts, row)
        except ValueError as fault:
            _bad(options, counts, rows, number, fault)
            continue
        before = len(counts.prompts)
        counts.prompts.also(counts.prompts.number(key, number, label), others)
        counts.repeated_rows += len(counts.prompts) == before


def _read_rollouts(
    options: DifficultyOptions, band: Band, rollouts: RowFile, counts: RolloutCounts, *, known_only: bool
) -> None:
    for number, line in rollouts.lines("rollouts"):
        try:
            found = read_rollouts(line, options.key, options.reward)
            label = 0 if known_only else _label(options, counts, found.row)
        except ValueError as fault:
            _bad(options, counts, rollouts, number, fault)
            continue
        counts.rollouts += len(found.rewards)
        counts.failed += found.rewards.count(None)
        counts.judgments = counts.judgments or found.judgment
        _count(band, counts, found, number, label, known_only=known_only)


def _count(band: Band, counts: RolloutCounts, found: Rollouts, line: int, label: int, *, known_only: bool) -> None:
    prompts = counts.prompts
    number = prompts.find(found.keys) if known_only else prompts.number(found.keys[0], line, label)
    if number is None:
        counts.without_row += len(found.rewards)
    else:
        prompts.add(number, found.rewards, band.threshold)


def _bad(options: DifficultyOptions, counts: RolloutCounts, file: RowFile, number: int, fault: ValueError) -> None:
    told = f"{file.name}, line {number}: {fault}"
    if not options.skip_bad:
        raise BadInput(f"{told}.", remedy="Mend the line, or pass over such lines with --skip-bad.")
    counts.bad_lines += 1
    counts.first_fault = counts.first_fault or told


def _label(options: DifficultyOptions, counts: RolloutCounts, row: Mapping[str, Any]) -> int:
    if options.group_by is None:
        return 0
    value: Any = row
    for part in options.group_by.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text not in counts.labels and len(counts.labels) == MOST_LABELS:
        raise BadInput(
            f"--group-by {options.group_by} has more than {MOST_LABELS} values.", remedy="Name a field that has few."
        )
    return counts.labels.setdefault(text, len(counts.labels))


def _kept_rows(
    options: DifficultyOptions, band: Band, file: RowFile, counts: RolloutCounts, selection: Selection, *, own: bool
) -> Iterator[dict[str, Any]]:
    """The first line of every kept prompt, in file order. ``own``: the lines are prompts' rows."""
    prompts = counts.prompts
    wanted = {prompts.first_lines[number]: number for number in selection.kept()}
    for line_number, line in file.lines("writing"):
        number = wanted.get(line_number)
        if number is None:
            continue
        row = read_row(line)
        kept = row if own else prompt_row(row, options.reward)
        if options.annotate:
            tally = prompts.tally(number)
            kept |= {"difficulty": {"rate": band.rate(tally), "rollouts": tally.known, "failed": tally.failed}}
        yield kept


def _encoded(row: dict[str, Any]) -> bytes:
    """JSON without escapes, except for half a surrogate pair, which UTF-8 cannot encode."""
    try:
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(row).encode() + b"\n"


def counts_by_label(counts: RolloutCounts, selection: Selection) -> dict[str, Counter[str]]:
    """Number of prompts by label and outcome."""
    found: dict[str, Counter[str]] = {label: Counter() for label in counts.labels}
    names = list(counts.labels)
    for label, place in zip(counts.prompts.labels, selection.places, strict=True):
        found[names[label]][place.value] += 1
    return found


WIDTH = 40
_REASONS = {
    BandPlace.KEPT: "kept",
    BandPlace.TOO_HARD: "too hard",
    BandPlace.TOO_EASY: "too easy",
    BandPlace.ZERO_VARIANCE: "all rewards equal",
    BandPlace.UNCERTAIN: "interval not inside the band",
    BandPlace.TOO_FEW: "not enough evidence",
    BandPlace.NOT_DRAWN: "inside the band, not drawn",
}


def show(options: DifficultyOptions, band: Band, counts: RolloutCounts, selection: Selection) -> None:
    """Print to standard output, or to standard error if the rows go to standard output."""
    to_error = options.output == "-"
    report = summary(options, band, counts, selection)
    if options.as_json:
        typer.echo(json.dumps(report), err=to_error)
    else:
        _print(Console(stderr=to_error, highlight=False), options, band, report, selection)


def summary(options: DifficultyOptions, band: Band, counts: RolloutCounts, selection: Selection) -> dict[str, Any]:
    report: dict[str, Any] = {
        "prompts": len(counts.prompts),
        "rollouts": counts.rollouts,
        "failed_rollouts": counts.failed,
        "rollouts_without_prompt": counts.without_row,
        "repeated_prompt_rows": counts.repeated_rows,
        "bad_lines": counts.bad_lines,
        "first_fault": counts.first_fault or None,
        "counts": {place.value: count for place, count in selection.counts().items()},
        "histogram": [
            {"start": bar.start, "end": bar.end, "prompts": bar.prompts, "kept": bar.kept} for bar in selection.bars
        ],
        "band": dict(options.band),
        "target": options.target,
        "seed": options.seed,
    }
    if options.group_by:
        report["groups"] = {label: dict(places) for label, places in counts_by_label(counts, selection).items()}
    return report


def _print(
    console: Console, options: DifficultyOptions, band: Band, report: dict[str, Any], selection: Selection
) -> None:
    counts = report["counts"]
    console.print(_histogram(selection.bars, "mean reward" if band.mean else "pass rate"))
    table = Table("prompts", "", box=None, show_header=False)
    for place, reason in _REASONS.items():
        if counts[place.value] or place is BandPlace.KEPT:
            table.add_row(f"{counts[place.value]}", reason)
    console.print(table)
    if options.group_by:
        console.print(_groups(options.group_by, report["groups"]))
    console.print(
        f"{report['prompts']} prompts, {report['rollouts']} rollouts, {report['failed_rollouts']} of them without a "
        f"reward; {counts['kept']} prompts kept" + (f" in {options.output}" if options.output else ""),
        markup=False,
        soft_wrap=True,
    )
    for line in _notes(options, report):
        console.print(line, markup=False, soft_wrap=True)


def _notes(options: DifficultyOptions, report: dict[str, Any]) -> list[str]:
    notes = []
    if options.target is not None and report["counts"]["kept"] < options.target:
        notes.append(f"note: only {report['counts']['kept']} of the {options.target} prompts asked for are in the band")
    if report["rollouts_without_prompt"]:
        notes.append(f"note: {report['rollouts_without_prompt']} rollouts are about no row of {options.prompts}")
    if report["repeated_prompt_rows"]:
        notes.append(
            f"note: {report['repeated_prompt_rows']} rows of {options.prompts} repeat a prompt and were left out"
        )
    if report["bad_lines"]:
        notes.append(f"note: {report['bad_lines']} lines could not be read; the first: {report['first_fault']}")
    return notes


def _histogram(bars: tuple[Bar, ...], what: str) -> Table:
    table = Table(what, "", "prompts", "kept", box=None)
    for column in (2, 3):
        table.columns[column].justify = "right"
    most = max((bar.prompts for bar in bars), default=0) or 1
    for bar in bars:
        full, kept = round(WIDTH * bar.prompts / most), round(WIDTH * bar.kept / most)
        drawn = f"[green]{'█' * kept}[/][dim]{'░' * (full - kept)}[/]"
        table.add_row(f"{bar.start:.2f} – {bar.end:.2f}", drawn, str(bar.prompts), str(bar.kept))
    return table


def _groups(field: str, groups: dict[str, dict[str, int]]) -> Table:
    shown = [place for place in BandPlace if any(counts.get(place.value) for counts in groups.values())]
    table = Table(field, *(_REASONS[place] for place in shown), "prompts", box=None)
    for label, counts in sorted(groups.items(), key=lambda pair: -sum(pair[1].values())):
        figures = [str(counts.get(place.value, 0)) for place in shown]
        table.add_row(Text(_printable(label)), *figures, str(sum(counts.values())))
    return table


def _printable(text: str) -> str:
    """Escape control sequences and unprintable characters."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
