"""Terminal output of rubrics, findings and differences."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from judge_server.authoring.diff import RubricDifference
from judge_server.authoring.finding import RubricFinding, Severity
from judge_server.core.criterion import AnyLeaf, Binary, CheckCriterion, Choice, Criterion, Group, Scale
from judge_server.core.review import RubricReview
from judge_server.core.rubric import Rubric

_COLORS = {
    Severity.ERROR: typer.colors.RED,
    Severity.WARNING: typer.colors.YELLOW,
    Severity.INFO: typer.colors.BLUE,
}
_CHANGE_COLORS = {"added": typer.colors.GREEN, "removed": typer.colors.RED}


def print_json(value: Any) -> None:
    """JSON on standard output, for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_findings(findings: Sequence[RubricFinding]) -> None:
    for found in findings:
        typer.secho(str(found), fg=_COLORS[found.severity])


def counts(findings: Sequence[RubricFinding]) -> dict[str, int]:
    """Number of findings of each severity."""
    found = Counter(entry.severity for entry in findings)
    return {f"{severity}s" if severity != "info" else "infos": found[severity] for severity in Severity}


def summary(files: int, findings: Sequence[RubricFinding], hidden: int = 0) -> str:
    """One line: what was checked and what was found."""
    number = counts(findings)
    parts = [_many(number["errors"], "error"), _many(number["warnings"], "warning")]
    if number["infos"]:
        parts.append(_many(number["infos"], "remark"))
    text = f"{_many(files, 'file')}: {', '.join(parts)}"
    return f"{text} ({_many(hidden, 'remark')} not shown: --all)" if hidden else text


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def print_rubric(rubric: Rubric, published: bool | None, review: RubricReview | None = None) -> None:
    """Head lines, then a table with a line for each criterion, groups indented."""
    console = Console(highlight=False)
    state = {True: "published", False: "not published", None: ""}[published]
    console.print(f"[bold]{escape(rubric.name)}[/bold]  {escape(rubric.title)}  [dim]{state}[/dim]")
    console.print(f"[dim]{rubric.digest}[/dim]")
    console.print(f"review: {escape((review or RubricReview()).told(datetime.now(UTC).date()))}")
    if rubric.description:
        console.print(escape(rubric.description.strip()))
    aggregate = rubric.aggregate.model_dump(mode="json", exclude_defaults=True)
    missing = rubric.missing.model_dump(mode="json")
    console.print(f"aggregate: {escape(_inline(aggregate))}   missing: {escape(_inline(missing))}")
    guard = rubric.guard.model_dump(mode="json", exclude_defaults=True)
    if guard:
        console.print(f"guard: {escape(_inline(guard))}")
    table = Table(show_lines=True, expand=False)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("criterion", overflow="fold")
    table.add_column("statement")
    _rows(table, rubric.criteria, 0)
    console.print(table)


def _rows(table: Table, criteria: tuple[Criterion, ...], level: int) -> None:
    for node in criteria:
        name = escape("· " * level + node.id)
        text = node.statement if isinstance(node, Group) else _statement(node)
        table.add_row(f"{node.points:g}", name, f"{escape(text)}\n[dim]{escape(_details(node))}[/dim]")
        if isinstance(node, Group):
            _rows(table, node.criteria, level + 1)


def _details(node: Criterion) -> str:
    """Kind, gate, condition, tags and number of examples, in one line."""
    parts = [f"check {node.check.kind}" if isinstance(node, CheckCriterion) else node.kind]
    if isinstance(node, Group):
        parts[0] += f" {node.aggregate.kind}"
    elif node.gate:
        parts.append(f"gate: {node.gate.when} → at most {node.gate.reward:g}")
    parts += [f"when {path} {_inline(rule.model_dump(mode='json'))}" for path, rule in node.when.items()]
    if node.tags:
        parts.append(", ".join(node.tags))
    if isinstance(node, Binary | Choice):
        parts.append(_many(len(node.examples), "example"))
    return " | ".join(parts)


def _statement(leaf: AnyLeaf) -> str:
    if isinstance(leaf, Choice):
        between = " < " if isinstance(leaf, Scale) else " | "
        return f"{leaf.statement} ({between.join(option.label for option in leaf.options)})"
    if isinstance(leaf, Binary) and (items := leaf.any_of or leaf.all_of):
        return f"{leaf.statement} ({'any' if leaf.any_of else 'all'} of: {'; '.join(items)})"
    return leaf.statement


def _inline(value: dict[str, Any]) -> str:
    return ", ".join(f"{name.rstrip('_')} {json.dumps(item, ensure_ascii=False)}" for name, item in value.items())


def print_difference(difference: RubricDifference, why: str | None = None) -> None:
    """Criterion by criterion in words. ``why``: the reason for which the older version was withdrawn."""
    typer.echo(f"{difference.old.id}@{difference.old.version} {difference.old.digest}")
    typer.echo(f"{difference.new.id}@{difference.new.version} {difference.new.digest}")
    if why:
        typer.echo(f"{difference.old.version} is withdrawn: {why}")
    where: str | None = "no criterion yet"
    for change in difference.changes:
        if change.criterion != where:
            where = change.criterion
            typer.secho(where or "the rubric", bold=True)
        what = " ".join(filter(None, (change.kind, change.field)))
        typer.secho(f"  {change.step:5}  {what}: {change.told}", fg=_CHANGE_COLORS.get(change.kind))
    if not difference.changes:
        typer.echo("no change")
    else:
        typer.echo(f"{difference.step} change: the next version is {difference.suggested_version}")
