"""The work of ``judge-server rubric import`` and ``export``: rubrics from and to the formats of other projects."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import typer

from judge_server.authoring.emitting import data_of, yaml_of
from judge_server.authoring.interchange import FORMATS, rubrics_as_rewards
from judge_server.authoring.interchange.record import records
from judge_server.authoring.writing import replace_file
from judge_server.cli.actions import rubric_target
from judge_server.cli.running import fail
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

RUBRICS_AS_REWARDS = "rubrics-as-rewards"


@dataclass(frozen=True)
class RubricImportOptions:
    """``output``: a .yaml file, or a directory for one file per rubric; ``rubric_id``: the id, or empty;
    ``pitfalls``: how statements of pitfalls are worded; ``ask`` shows each on the terminal."""

    output: Path | None
    rubric_id: str
    pitfalls: str | None
    as_jsonl: bool


def import_rubrics(file: Path, form: str, options: RubricImportOptions) -> None:
    output, rubric_id = options.output, options.rubric_id
    found = list(records(file))
    several = len(found) > 1
    if several and not options.as_jsonl and (output is None or output.suffix in (".yaml", ".yml")):
        fail(f"{file} holds {len(found)} rubrics: name a directory with --output, or give --jsonl.")
    read = _reader(form, options.pitfalls)
    made: list[Rubric] = []
    for number, (where, record) in enumerate(found, 1):
        own_id = f"{rubric_id}/row-{number}" if rubric_id and several else rubric_id
        made.append(read(record, where, own_id))
    _tell_pitfalls(made, form)
    if options.as_jsonl:
        _emit("".join(json.dumps(data_of(rubric), ensure_ascii=False) + "\n" for rubric in made), output)
    elif output is None or output.suffix in (".yaml", ".yml"):
        _emit(yaml_of(made[0]), output)
    else:
        _write_each(made, output)


def _reader(form: str, pitfalls: str | None) -> Callable[[Any, str, str], Rubric]:
    if form != RUBRICS_AS_REWARDS:
        if pitfalls is not None:
            fail("--pitfalls is for rubrics-as-rewards.")
        return FORMATS[form].read
    if pitfalls == "ask":
        return partial(rubrics_as_rewards.read, pitfalls=_ask)
    if pitfalls is None:
        return rubrics_as_rewards.read
    wording: rubrics_as_rewards.Wording = "bad" if pitfalls == "bad" else "good"
    return partial(rubrics_as_rewards.read, pitfalls=lambda _statement: wording)


def _ask(statement: str) -> rubrics_as_rewards.Wording:
    return "bad" if typer.confirm(f"{statement}\nIs this something bad, which costs points?", err=True) else "good"


def _tell_pitfalls(made: list[Rubric], form: str) -> None:
    pitfalls = [leaf for one in made for leaf in one.leaves if "importance:pitfall" in leaf.tags or leaf.points < 0]
    if form == RUBRICS_AS_REWARDS and pitfalls:
        bad = sum(leaf.points < 0 for leaf in pitfalls)
        typer.echo(
            f"pitfalls: {bad} bad things with negative points, {len(pitfalls) - bad} good ones with positive", err=True
        )


def _write_each(rubrics: list[Rubric], directory: Path) -> None:
    paths = [directory / f"{rubric.id}.yaml" for rubric in rubrics]
    if len(set(paths)) < len(paths):
        fail("two records have the same id; give --id to number them.")
    for path in paths:
        _refuse_to_overwrite(path)
    for path, rubric in zip(paths, rubrics, strict=True):
        replace_file(path, yaml_of(rubric))
    typer.echo(f"{len(paths)} rubrics in {directory}", err=True)


def export_rubric(target: str, form: str, output: Path | None, rubrics: list[Path] | None, *, lossy: bool) -> None:
    rubric = rubric_target.one(target, rubrics).rubric
    if form == "yaml":
        _emit(yaml_of(rubric), output)
    elif form == "json":
        _emit(rubric.canonical() + "\n", output)
    else:
        lost = FORMATS[form].losses(rubric)
        if lost and not lossy:
            raise BadInput(
                f"{form} cannot say everything that {rubric.name} says: {'; '.join(lost)}.",
                remedy="Give --lossy to leave that out.",
            )
        for line in lost:
            typer.echo(f"left out: {line}", err=True)
        _emit(_text(FORMATS[form].write(rubric), form), output)


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
