"""Implements ``calibrate cascade``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from judge_server.calibration.cascade_choice import CascadeChoice, Wanted, choose_cascade
from judge_server.cli.calibrate import sources
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import part_of
from judge_server.settings.settings import Settings
from judge_server.store.store import Store
from judge_server.wiring.archive import open_archive

_SELF_CHOSEN = "The figures above are on the items that chose the band, so they flatter it."
_LOCKED = (
    "For its real agreement give --reader and --reason: they read the locked test split once, and the reading is "
    "recorded."
)
_DEV_ALONE = (
    "This file holds the dev split alone. For its real agreement choose on a file with both splits: judge-server "
    "calibrate run --split all --reader NAME --reason TEXT writes it, with one judge on the labels, with the other on "
    "that file."
)
_NO_SPLIT = (
    "For its real agreement keep some prompts back before you choose: judge-server calibrate import FILE --test-share "
    "0.4 --out split.csv."
)


@dataclass(frozen=True)
class CascadeOptions:
    """The flags of the command."""

    file: Path
    rubric: str
    judges: tuple[str, str]
    agreement: float | None
    budget: float | None
    by_criterion: bool
    reader: str | None
    reason: str | None
    as_json: bool


async def choose(settings: Settings, options: CascadeOptions) -> bool:
    """False if some choice found no band."""
    async with open_archive(sources.looking_back(settings), migrate=False) as (store, shelf):
        labels = await sources.label_set(str(options.file), store)
        rubric = await sources.rubric(options.rubric, shelf)
        locked = "test" in labels.splits.values()
        dev = labels.split("dev") if locked else labels
        test = await _test(labels, options, store)
        wanted = Wanted(agreement=options.agreement, budget=options.budget)
        found = choose_cascade(dev, test, options.judges, rubric, wanted, by_criterion=options.by_criterion)
    if options.as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    else:
        _show(found, options, _LOCKED if locked else _DEV_ALONE if labels.splits else _NO_SPLIT)
    return all(one.chosen for one in found)


async def _test(labels: LabelSet, options: CascadeOptions, store: Store) -> LabelSet | None:
    """The locked split, if it is to be read. Raises BadInput if there is none."""
    if options.reader is None and options.reason is None:
        return None
    log = sources.reading_log(str(options.file), store)
    return await part_of(labels, "test", log, reader=options.reader or "", reason=options.reason or "")


def _show(found: Sequence[CascadeChoice], options: CascadeOptions, how: str) -> None:
    """``how``: the way to figures on labels that chose nothing."""
    console = Console(soft_wrap=True)
    first, then = options.judges
    for one in found:
        console.print(f"{one.criterion or 'all binary criteria'}: {one.labels} labels of {one.clusters} prompts")
        if one.curve:
            console.print(_table(one, first, then))
        if one.chosen is None:
            console.print(f"Nothing is chosen: {one.reason}.")
        elif one.held_out is not None:
            held = one.held_out
            console.print(
                f"On {held.labels} labels of {held.clusters} prompts that chose nothing: "
                f"agreement {held.agreement:.3f} ({held.low:.3f} to {held.high:.3f}), {held.asked:.1%} asked twice; "
                f"{first} alone {held.first:.3f}, {then} alone {held.then:.3f}."
            )
    if any(one.chosen and one.held_out is None for one in found):
        console.print(f"{_SELF_CHOSEN} {how}")
    chosen = {one.criterion: one.chosen.band for one in found if one.chosen}
    if chosen:
        console.print(f"\n[judges.NAME]\ncascade = {_toml(first, then, chosen)}", markup=False)


def _table(one: CascadeChoice, first: str, then: str) -> Table:
    table = Table(title="on the labels that choose", title_justify="left")
    for heading in ("band", "asked twice", "agreement", ""):
        table.add_column(heading, justify="left" if heading in ("band", "") else "right")
    table.add_row(f"{first} alone", "0.0%", f"{one.first:.3f}", "")
    for point in one.curve:
        mark = "chosen" if point == one.chosen else ""
        low, high = point.band
        table.add_row(f"[{low:g}, {high:g}]".replace("[", r"\["), f"{point.asked:.1%}", f"{point.agreement:.3f}", mark)
    table.add_row(f"{then} alone", "100.0%", f"{one.then:.3f}", "")
    return table


def _toml(first: str, then: str, chosen: dict[str | None, tuple[float, float]]) -> str:
    def band(given: tuple[float, float]) -> str:
        return f"[{given[0]:g}, {given[1]:g}]"

    if None in chosen:
        bands = band(chosen[None])
    else:
        bands = "{" + ", ".join(f"{criterion} = {band(given)}" for criterion, given in chosen.items()) + "}"
    return f'{{first = "{first}", then = "{then}", band = {bands}}}'
