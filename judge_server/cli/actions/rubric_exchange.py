"""The work of ``judge-server rubric import`` and ``export``: rubrics from and to the formats of other projects."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from math import nan
from pathlib import Path
from typing import Any

import typer

from judge_server.authoring.emitting import data_of, yaml_of
from judge_server.authoring.interchange import FORMATS, format_of, rubrics_as_rewards
from judge_server.authoring.interchange.record import files_of, records
from judge_server.authoring.interchange.tracked import tracked, unread
from judge_server.authoring.reading import read as read_yaml
from judge_server.authoring.writing import replace_file
from judge_server.cli.actions import rubric_target
from judge_server.cli.running import fail
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

RUBRICS_AS_REWARDS = "rubrics-as-rewards"
Reader = Callable[[Any, str, str], Rubric]
AUTO = "auto"
_MOST_TOLD = 30
_MOST_REFUSED = 10


@dataclass(frozen=True)
class RubricImportOptions:
    """``output``: a .yaml file, or a directory for one file per rubric; ``rubric_id``: the id, or empty;
    ``pitfalls``: how statements of pitfalls are worded, ``ask`` shows each on the terminal; ``as_jsonl``: a rubric a
    line; ``as_submissions``: a line with id, prompt, reference and rubric; ``strict``: refuse if anything is left;
    ``values``: what words of an enumeration are worth, as ``WORD=NUMBER``; ``skip_refused``: leave out and count the
    records that are refused, instead of refusing all."""

    output: Path | None
    rubric_id: str
    pitfalls: str | None
    as_jsonl: bool
    as_submissions: bool = False
    strict: bool = False
    values: tuple[str, ...] = ()
    skip_refused: bool = False


@dataclass(frozen=True)
class _Imported:
    rubric: Rubric
    submission: dict[str, Any]


@dataclass
class _ReadRecords:
    """What the records of the files were read as: the rubrics, how many of which format, the fields not carried over,
    and the records that were refused."""

    made: list[_Imported] = field(default_factory=list)
    forms: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    refused: list[BadInput] = field(default_factory=list)

    def record(self, record: Any, where: str, form: str, options: RubricImportOptions) -> None:
        try:
            name = format_of(record, where) if form == AUTO else form
            whole = tracked(record)
            parts = FORMATS[name].split(whole)
        except BadInput as fault:
            self.refused.append(_at(where, fault))
            return
        kept = [part for part in parts if self._part(part, where, name, options)]
        self.forms[name] += len(kept)
        self.left.update(unread(*kept, *([whole] if kept else [])))

    def _part(self, part: Any, where: str, name: str, options: RubricImportOptions) -> bool:
        try:
            self.made.append(_imported(part, where, name, options))
        except BadInput as fault:
            self.refused.append(_at(where, fault))
            return False
        return True


def _at(where: str, fault: BadInput) -> BadInput:
    """The fault with the place of the record, if it does not name it."""
    named = where.rsplit(":", 1)[0] in fault.detail
    return fault if named else BadInput(f"{where}: {fault.detail}", remedy=fault.remedy)


def list_formats() -> None:
    for name, form in FORMATS.items():
        typer.echo(f"{name:20} {form.about}")


def import_rubrics(path: Path, form: str, options: RubricImportOptions) -> None:
    if form not in (AUTO, *FORMATS):
        fail(f"there is no format {form!r}: {', '.join((AUTO, *FORMATS))}.")
    output = options.output
    one_file = output is None or output.suffix in (".yaml", ".yml")
    lines = options.as_jsonl or options.as_submissions
    read = _ReadRecords()
    for file in files_of(path):
        for where, record in records_in(file):
            read.record(record, where, form, options)
    _tell_refused(read, options)
    made = read.made
    made = made if lines else _different(made)
    made = _numbered(made, options.rubric_id) if len(made) > 1 else made
    if len(made) > 1 and one_file and not lines:
        fail(f"{path} holds {len(made)} rubrics: name a directory with --output, or give --jsonl or --submissions.")
    _tell(made, read, options)
    if lines:
        _emit("".join(_line(one, whole=options.as_submissions) for one in made), output)
    elif output is None or one_file:
        _emit(_readable(made[0].rubric), output)
    else:
        _write_each([one.rubric for one in made], output)


def records_in(file: Path) -> Iterator[tuple[str, Any]]:
    """``records`` of a file, of Parquet too."""
    if file.name.lower().endswith(".parquet"):
        from judge_server.labels.readers.parquet import rows

        yield from ((f"{file}:{number}", row) for number, row in rows(file))
    else:
        yield from records(file)


def _imported(record: Any, where: str, form: str, options: RubricImportOptions) -> _Imported:
    rubric = _reader(form, options)(record, where, options.rubric_id)
    return _Imported(rubric, FORMATS[form].submission(record) if options.as_submissions else {})


def _different(made: list[_Imported]) -> list[_Imported]:
    """Each content once: many rows may have the same rubric."""
    found: dict[str, _Imported] = {}
    for one in made:
        found.setdefault(one.rubric.model_copy(update={"id": "a", "title": "a"}).canonical(), one)
    if len(found) < len(made):
        typer.echo(f"{len(made)} records hold {len(found)} different rubrics", err=True)
    return list(found.values())


def _numbered(made: list[_Imported], rubric_id: str) -> list[_Imported]:
    """Several rubrics with the id of the options get one each: ``ID/row-1``, ``ID/row-2``, …"""
    if not rubric_id:
        return made
    return [
        replace(one, rubric=one.rubric.model_copy(update={"id": f"{rubric_id}/row-{number}"}))
        for number, one in enumerate(made, 1)
    ]


def _line(one: _Imported, *, whole: bool) -> str:
    rubric = data_of(one.rubric)
    return json.dumps({**one.submission, "rubric": rubric} if whole else rubric, ensure_ascii=False) + "\n"


def _tell_refused(read: _ReadRecords, options: RubricImportOptions) -> None:
    """Raises BadInput for refused records, unless they are to be left out and others remain: then they are told with
    their count."""
    refused = read.refused
    if not refused:
        return
    if len(refused) == 1 and not (options.skip_refused and read.made):
        raise refused[0]
    told = [f"  {fault.detail}" for fault in refused[:_MOST_REFUSED]]
    if len(refused) > _MOST_REFUSED:
        told.append(f"  and {len(refused) - _MOST_REFUSED:,} more")
    if options.skip_refused and read.made:
        typer.echo("\n".join((f"left out, because they cannot be read: {len(refused):,}", *told)), err=True)
        return
    hint = "--skip-refused leaves them out and counts them." if read.made else ""
    raise BadInput(
        "\n".join((f"{len(refused):,} of {len(refused) + len(read.made):,} records cannot be read:", *told, "")),
        remedy=" ".join(filter(None, (refused[0].remedy, hint))),
    )


def _tell(made: list[_Imported], read: _ReadRecords, options: RubricImportOptions) -> None:
    """What was made of what, and what was not carried over, on standard error. With ``strict`` nothing may be left."""
    forms, left = read.forms, read.left
    kinds = Counter(leaf.kind for one in made for leaf in one.rubric.leaves)
    shown = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    named = ", ".join(f"{count} {name}" for name, count in forms.most_common())
    typer.echo(f"read: {named}; criteria: {shown}", err=True)
    _tell_pitfalls([one.rubric for one in made], forms)
    if not left:
        return
    told = ", ".join(f"{name} ({count})" for name, count in left.most_common(_MOST_TOLD))
    more = f", and {len(left) - _MOST_TOLD} more" if len(left) > _MOST_TOLD else ""
    hint = "" if options.as_submissions else " --submissions keeps prompt, reference and id."
    typer.echo(f"not carried over: {told}{more}.{hint}", err=True)
    if options.strict:
        fail("--strict: the fields above would be lost.")


def _reader(form: str, options: RubricImportOptions) -> Reader:
    told: dict[str, Any] = {}
    if options.pitfalls and "pitfalls" in FORMATS[form].takes:
        told["pitfalls"] = _ask if options.pitfalls == "ask" else lambda _statement: options.pitfalls
    if options.values and "values" in FORMATS[form].takes:
        told["values"] = dict(map(_value, options.values))
    return partial(FORMATS[form].read, **told)


def _value(given: str) -> tuple[str, float]:
    word, _, number = given.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = nan
    if not word or not 0 <= value <= 1:
        fail(f"--value {given!r} is not WORD=NUMBER with a number in [0, 1].")
    return word, value


def _ask(statement: str) -> rubrics_as_rewards.Wording:
    return "bad" if typer.confirm(f"{statement}\nIs this something bad, which costs points?", err=True) else "good"


def _tell_pitfalls(made: list[Rubric], forms: Counter[str]) -> None:
    """The signs: of pitfalls in lists, and of graders, whose prompts do not say if a positive verdict is good."""
    leaves = [leaf for one in made for leaf in one.leaves]
    pitfalls = [leaf for leaf in leaves if "importance:pitfall" in leaf.tags or leaf.points < 0]
    bad = sum(leaf.points < 0 for leaf in leaves)
    if forms[RUBRICS_AS_REWARDS] and pitfalls:
        typer.echo(
            f"pitfalls: {bad} bad things with negative points, {len(pitfalls) - bad} good ones with positive", err=True
        )
    elif any("pitfalls" in FORMATS[name].takes for name in forms):
        typer.echo(f"a positive verdict is good in {len(leaves) - bad}, bad in {bad}; --pitfalls says so", err=True)


def _readable(rubric: Rubric) -> str:
    """The rubric as YAML. Raises BadRubric that names the bound if the file would be larger than rubrics may be."""
    text = yaml_of(rubric)
    read_yaml(text, rubric.name)
    return text


def _write_each(rubrics: list[Rubric], directory: Path) -> None:
    paths = [directory / f"{rubric.id}.yaml" for rubric in rubrics]
    if len(set(paths)) < len(paths):
        fail("two records have the same id; give --id to number them.")
    for path in paths:
        _refuse_to_overwrite(path)
    texts = [_readable(rubric) for rubric in rubrics]
    for path, text in zip(paths, texts, strict=True):
        replace_file(path, text)
    typer.echo(f"{len(paths)} rubrics in {directory}", err=True)


def export_rubric(target: str, form: str, output: Path | None, rubrics: list[Path] | None, *, lossy: bool) -> None:
    rubric = rubric_target.one(target, rubrics).rubric
    if form == "yaml":
        _emit(yaml_of(rubric), output)
    elif form == "json":
        _emit(rubric.canonical() + "\n", output)
    else:
        write, losses = FORMATS[form].write, FORMATS[form].losses
        if write is None or losses is None:
            fail(f"{form} is read, not written.")
        lost = losses(rubric)
        if lost and not lossy:
            raise BadInput(
                f"{form} cannot say everything that {rubric.name} says: {'; '.join(lost)}.",
                remedy="Give --lossy to leave that out.",
            )
        for line in lost:
            typer.echo(f"left out: {line}", err=True)
        _emit(_text(write(rubric), form), output)


def _text(written: Any, form: str) -> str:
    """HealthBench rows are one line each, as in its files."""
    return json.dumps(written, ensure_ascii=False, indent=None if form == "healthbench" else 2) + "\n"


def _emit(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    _refuse_to_overwrite(output)
    replace_file(output, text)
    typer.echo(str(output), err=True)


def _refuse_to_overwrite(path: Path) -> None:
    if path.exists():
        fail(f"{path} exists; name another with --output.")
