"""The work of ``judge-server rubric new``: a rubric from answers on a terminal, from another rubric, or the commented
template."""

import sys
from pathlib import Path

import typer

from judge_server.authoring.emitting import yaml_of
from judge_server.authoring.interchange.record import slug
from judge_server.authoring.parsing import from_data
from judge_server.authoring.template import template, title_of
from judge_server.authoring.writing import replace_file
from judge_server.cli.actions import rubric_target
from judge_server.cli.running import fail

_SHORTEST = 3
_MOST_POINTS = 1e6
_INTRODUCTION = """\
A rubric is a list of statements, each true or false of a response, with points. Enter alone ends the list;
without any statement you get a commented template."""


def new(rubric_id: str, output: Path | None, source: str | None, rubrics: list[Path] | None) -> None:
    """Write the rubric to ``output``, or below rubrics/ if that exists; ``-`` prints it. ``source``: a rubric's file or
    id, whose content the new one begins with."""
    printed = output == Path("-")
    base = Path("rubrics") if Path("rubrics").is_dir() else Path()
    path = output or base / f"{rubric_id}.yaml"
    if not printed and path.exists():
        fail(f"{path} exists; name another file with --output.")
    commented = template(rubric_id)
    if source is not None:
        text = _copied(rubric_id, source, rubrics)
    elif not printed and sys.stdin.isatty() and sys.stdout.isatty():
        text = _asked(rubric_id) or commented
    else:
        text = commented
    if printed:
        typer.echo(text, nl=False)
        return
    replace_file(path, text)
    typer.echo(str(path))


def _copied(rubric_id: str, source: str, rubrics: list[Path] | None) -> str:
    found = rubric_target.one(source, rubrics).rubric
    return yaml_of(found.model_copy(update={"id": rubric_id, "version": "1.0.0"}))


def _asked(rubric_id: str) -> str | None:
    """The rubric that the answers make; None if there is no statement."""
    typer.echo(_INTRODUCTION)
    title = typer.prompt("Title", default=title_of(rubric_id)).strip()
    criteria: list[dict[str, object]] = []
    taken: set[str] = set()
    while statement := _statement(len(criteria) + 1):
        criteria.append({"id": slug(statement, taken), "statement": statement, "points": _points()})
    if not criteria:
        return None
    if all(one["points"] < 0 for one in criteria):  # type: ignore[operator]  # each is a number
        fail("every statement costs points, so that no response can earn any: add one with positive points.")
    data = {
        "id": rubric_id,
        "version": "1.0.0",
        "title": title or title_of(rubric_id),
        "aggregate": {"kind": "points", "clip": [0, 1]},
        "criteria": criteria,
    }
    return yaml_of(from_data(data).rubric)


def _statement(number: int) -> str:
    """A statement, or "" if there is no further one."""
    while True:
        given: str = typer.prompt(f"Statement {number}", default="", show_default=False).strip()
        if not given or len(given) >= _SHORTEST:
            return given
        typer.echo(f"A statement has at least {_SHORTEST} characters.")


def _points() -> float:
    while True:
        given: float = typer.prompt("Points if it is true (negative if that is bad)", default=5.0, type=float)
        if given and abs(given) <= _MOST_POINTS:
            return given
        typer.echo(f"Points are a number other than 0, up to {_MOST_POINTS:,.0f}.")
