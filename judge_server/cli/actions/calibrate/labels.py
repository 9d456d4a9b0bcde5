"""Implements ``calibrate import``: fetch, check, convert, split and store labels; reports every fault with its row."""

import json
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from judge_server.cli.actions import rubric_target
from judge_server.cli.running import BAD_USE, fail, run
from judge_server.core.errors import BadInput, BadRubric, JudgeServerError
from judge_server.labels.archive import described, keep
from judge_server.labels.label import ROLES, Role
from judge_server.labels.label_set import LabelSet
from judge_server.labels.public.catalogue import SETS, import_public
from judge_server.labels.public.download import download, is_url
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.guessing import guess_after, require_once, require_plausible
from judge_server.labels.readers.item_reading import read_items
from judge_server.labels.readers.layout import FIELDS, Layout
from judge_server.labels.readers.scale import parse_mapping, parse_scale
from judge_server.labels.sheet import sheet_columns, write_sheet
from judge_server.labels.splits import split_by_prompt
from judge_server.labels.writing import write_labels
from judge_server.store.store import Store

SHOWN = 20


@dataclass(frozen=True)
class ImportOptions:
    """The flags of the command."""

    name: str
    sources: tuple[str, ...]
    out: Path | None
    database: str | None
    scales: tuple[str, ...]
    mapping: tuple[str, ...]
    rubric: str | None
    columns: tuple[str, ...]
    criterion: str | None
    criterion_columns: tuple[str, ...]
    annotator: str | None
    role: str | None
    humans: tuple[str, ...]
    judges: tuple[str, ...]
    test_share: float | None
    seed: int
    unverified: bool
    cache: Path | None
    shown_to: tuple[str, ...]
    as_json: bool


def carry_out(options: ImportOptions) -> None:
    """Ends the command with status 2 and one line per finding if the labels cannot be used."""
    try:
        label_set = _public(options) if options.name in SETS else _own(options)
        if options.shown_to:
            limited = label_set.provenance.model_copy(update={"judges": options.shown_to})
            label_set = replace(label_set, provenance=limited)
        if options.test_share is not None:
            label_set = split_by_prompt(label_set, test_share=options.test_share, seed=options.seed)
        if options.out is not None:
            write_labels(label_set, options.out)
    except JudgeServerError as fault:
        refuse(fault)
    if options.database is not None:
        run(_keep(label_set, options.database))
    _tell(label_set, options)


def refuse(fault: JudgeServerError) -> NoReturn:
    """The error, and below it the findings with their rows."""
    findings = fault.extensions.get("findings") or ()
    if not findings:
        fail(str(fault))
    count = fault.extensions.get("count", len(findings))
    source = "rubric" if isinstance(fault, BadRubric) else "labels"
    typer.echo(f"error: {count} {'fault' if count == 1 else 'faults'} in the {source}", err=True)
    for finding in findings[:SHOWN]:
        places = [f"{name} {finding[name]}" for name in ("row", "line", "column") if name in finding]
        advice = f" ({finding['suggestion']})" if finding.get("suggestion") else ""
        typer.echo(f"  {', '.join(places) or 'file'}: {finding['message']}{advice}", err=True)
    if count > SHOWN:
        typer.echo(f"  and {count - SHOWN} more", err=True)
    raise typer.Exit(BAD_USE)


def _public(options: ImportOptions) -> LabelSet:
    if not options.sources:
        manifest = SETS[options.name].manifest
        known = [*(file.name for file in manifest.files), *manifest.upstream]
        raise BadInput(
            f"The labels of {options.name} are not part of judge-server; they stand in {manifest.source}.",
            remedy=f"Name them with --from FILE or --from URL: {', '.join(known)}.",
        )
    directory = options.cache or _user_cache() / options.name
    paths = [_fetch(source, directory) if is_url(source) else Path(source) for source in options.sources]
    return import_public(options.name, paths, unverified=options.unverified)


def _own(options: ImportOptions) -> LabelSet:
    path = Path(options.name)
    if not path.is_file():
        raise BadInput(
            f"{options.name!r} is neither a file nor a public set.", remedy=f"The sets are {', '.join(sorted(SETS))}."
        )
    if options.sources:
        raise BadInput("--from goes with the name of a public set.", remedy=f"Leave it out: {path} is read itself.")
    rubric = rubric_target.unchanged(options.rubric, None) if options.rubric else None
    scales = [parse_scale(text) for text in options.scales]
    mapping = [parse_mapping(text) for text in options.mapping]
    layout = _layout(options)
    read = partial(read_labels, path, scales=scales, rubric=rubric, mapping=mapping)
    require_once(layout.columns)
    try:
        return read(layout=layout)
    except BadInput as fault:
        guess = guess_after(fault, path, layout)
        if guess is None:
            raise
        flags = _flags(guess, layout)
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            typer.echo(f"a guess: judge-server calibrate import {path} {flags}", err=True)
            raise
        typer.echo(f"The columns of {path.name} have other names. A guess: {flags}")
        if not typer.confirm("Read the file so?"):
            raise
        found = read(layout=guess)
        require_plausible(found, guess)
        return found


def _flags(guess: Layout, layout: Layout) -> str:
    """What the guess adds, as flags to type."""
    columns = [f"--column {shlex.quote(f'{field}={column}')}" for field, column in guess.columns.items()]
    columns = columns[len(layout.columns) :]
    constants = [f"--{name} {value}" for name, value in guess.constants.items() if name not in layout.constants]
    return " ".join([*columns, *constants])


def _layout(options: ImportOptions) -> Layout:
    columns = {}
    for pair in options.columns:
        field, separator, column = pair.partition("=")
        if not separator or field not in FIELDS:
            raise BadInput(f"--column {pair!r} is not FIELD=COLUMN.", remedy=f"The fields are {', '.join(FIELDS)}.")
        columns[field] = column
    annotators: dict[str, Role] = {**dict.fromkeys(options.humans, "human"), **dict.fromkeys(options.judges, "judge")}
    if options.role is not None and options.role not in ROLES:
        raise BadInput(f"--role: {options.role!r} is none of {', '.join(ROLES)}.", remedy="Write --role human.")
    given = {"criterion": options.criterion, "annotator": options.annotator, "role": options.role}
    constants = {name: value for name, value in given.items() if value}
    criteria = {}
    for text in options.criterion_columns:
        name, equals, column = text.partition("=")
        criteria[column if equals else text] = name
    if annotators and criteria:
        raise BadInput(
            "--criterion-column is for a row for each item and person, --human and --judge for a row for each item.",
            remedy="Give one of the two.",
        )
    return Layout(columns=columns, constants=constants, annotators=annotators, criteria=criteria)


def make_sheet(
    named: str, items: Path, annotator: str, out: Path | None, rubrics: list[Path] | None, *, xlsx: bool
) -> None:
    """Ends the command with status 2 and one line per finding if the items cannot be used."""
    try:
        rubric = rubric_target.unchanged(named, rubrics)
        found, clusters = read_items(items)
        path = out or items.with_name(f"{items.stem}.{_file_part(annotator)}{'.xlsx' if xlsx else '.csv'}")
        columns = sheet_columns(rubric, found, clusters, annotator)
        write_sheet(path, columns)
    except JudgeServerError as fault:
        refuse(fault)
    criteria = sum(bool(column.choices) for column in columns)
    typer.echo(f"{path}: {_some(len(found), 'item')}, {'1 criterion' if criteria == 1 else f'{criteria} criteria'}")
    typer.echo(f"filled in, it is read by: judge-server calibrate import {path} --out labels.csv")


def _file_part(annotator: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", annotator) or "annotator"


def _fetch(url: str, directory: Path) -> Path:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(url.rsplit("/", 1)[-1][:40], total=None)
        return download(url, directory, lambda done, total: progress.update(task, completed=done, total=total))


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "judge-server" / "labels"


async def _keep(label_set: LabelSet, database: str) -> None:
    store = await Store.open(database)
    try:
        await keep(label_set, store.labels)
    finally:
        await store.close()


def _tell(label_set: LabelSet, options: ImportOptions) -> None:
    if options.as_json:
        told = {"id": label_set.id, "version": label_set.version, "digest": label_set.digest, **described(label_set)}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    counts = label_set.counts
    typer.echo(
        f"{label_set.id}: {counts.labels} labels of {_some(counts.humans, 'human')} and "
        f"{_some(counts.judges, 'judge')} on {_some(counts.items, 'item')}, {_some(counts.clusters, 'prompt')}, "
        f"{'1 criterion' if counts.criteria == 1 else f'{counts.criteria} criteria'}; "
        f"{counts.abstained} abstained, {counts.invalid} invalid"
    )
    for scale in label_set.scales[:SHOWN]:
        typer.echo(f"  {scale.criterion}: {scale.kind} {_classes(scale.kind, scale.classes)}".rstrip())
    if label_set.splits:
        typer.echo(
            f"  split: {counts.clusters - counts.test_clusters} prompts dev, {counts.test_clusters} test (locked)"
        )
    _tell_notes(label_set.notes)
    typer.echo(f"  {label_set.digest}")
    if options.out is not None:
        typer.echo(f"written to {options.out}; next: judge-server calibrate report {options.out}")
    elif options.database is None:
        typer.echo("checked only: keep the labels with --out FILE or --database URL")


def _tell_notes(notes: Sequence[str]) -> None:
    for note in notes[:SHOWN]:
        typer.secho(f"  note: {note}", fg=typer.colors.YELLOW)


def _some(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _classes(kind: str, classes: Sequence[str]) -> str:
    return (" < " if kind in ("binary", "ordinal") else ", ").join(classes)


def show(database: str | None, *, as_json: bool) -> None:
    """Print public sets with source, licence and files, and the stored label sets."""
    kept = run(_kept(database)) if database else []
    if as_json:
        public = {name: one.manifest.model_dump(mode="json", exclude_none=True) for name, one in SETS.items()}
        typer.echo(json.dumps({"public": public, "stored": kept}, ensure_ascii=False, indent=2))
        return
    for name, one in SETS.items():
        manifest = one.manifest
        typer.echo(f"{name}: {manifest.title}")
        commit = f" at {manifest.commit}" if manifest.commit else ""
        typer.echo(f"  {manifest.source}{commit}, {manifest.licence}")
        for file in manifest.files:
            typer.echo(f"  {file.name}  sha256 {file.sha256}")
        for path in manifest.upstream:
            typer.echo(f"  {path}  (no checksum: give --unverified)")
    for entry in kept:
        typer.echo(f"stored: {entry['id']}@{entry['version']} {entry['digest']}")


async def _kept(database: str) -> list[dict[str, Any]]:
    store = await Store.open(database)
    try:
        return [stored.model_dump(mode="json") for stored in await store.labels.sets()]
    finally:
        await store.close()
