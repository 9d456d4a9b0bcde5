"""Implements ``calibrate report`` and ``calibrate disagreements``: read, compute with progress, write and print."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from judge_server.agreement.alternative_annotator import AlternativeAnnotator
from judge_server.agreement.judge import Measurement
from judge_server.agreement.resampling import Resampling
from judge_server.authoring.writing import replace_file
from judge_server.calibration.disagreement import Disagreement
from judge_server.calibration.disagreement import disagreements as ranked
from judge_server.calibration.panels import views
from judge_server.calibration.readings import present
from judge_server.cli.actions import rubric_target
from judge_server.cli.actions.calibrate.labels import refuse
from judge_server.cli.running import fail, run
from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.scale import parse_scale
from judge_server.labels.splits import ReadingFile, read_test
from judge_server.report import compute as computing
from judge_server.report import tables
from judge_server.report.first_screen import FirstScreen, explained, first_screens
from judge_server.report.history import read_report, with_previous
from judge_server.report.html import html
from judge_server.report.markdown import markdown
from judge_server.report.model import Report
from judge_server.report.prose import visible
from judge_server.util.canonical import canonical_json


def as_text(found: Report) -> str:
    """The report's JSON."""
    return found.model_dump_json(indent=2) + "\n"


TONES = {
    "short": "red",
    "above": "green",
    "level": "green",
    "unclear": "yellow",
    "alone": "yellow",
    "unknown": "yellow",
}
COLOURS = {"good": "green", "bad": "red", "fair": "yellow"}
IN_TERMINAL = ("criterion", "trust", "more labels", "judge", "people", "items")
SHORTENED = 300
WRITERS: dict[str, Callable[[Report], str]] = {".html": html, ".htm": html, ".md": markdown, ".json": as_text}


@dataclass(frozen=True)
class ReportOptions:
    """The flags of the command."""

    file: Path
    judges: tuple[str, ...] | None
    criteria: tuple[str, ...] | None
    scales: tuple[str, ...] = ()
    split: str | None = None
    reader: str | None = None
    reason: str | None = None
    replicates: int = 1000
    seed: int = 0
    min_clusters: int = 20
    epsilon: float = 0.2
    limit: int = 50
    rubric: str | None = None
    rubrics: list[Path] | None = None

    @property
    def wish(self) -> computing.ReportContent:
        return computing.ReportContent(
            measurement=Measurement(
                resampling=Resampling(replicates=self.replicates, seed=self.seed, min_clusters=self.min_clusters),
                alternative=AlternativeAnnotator(epsilon=self.epsilon),
            ),
            judges=self.judges,
            criteria=self.criteria,
            disagreements=self.limit,
        )


def report(options: ReportOptions, outputs: tuple[Path, ...], previous: Path | None, *, as_json: bool) -> None:
    """Compute, write every output, and print the verdict or the JSON."""
    for path in outputs:
        if path.suffix.lower() not in WRITERS:
            fail(f"--output {path} ends in none of {', '.join(WRITERS)}.")
    try:
        earlier = read_report(previous) if previous else None
        labels, split = chosen(options)
        with progress() as advance:
            wish = replace(options.wish, rubric=rubric_of(options, labels))
            found = computing.compute(labels, wish, advance)
        found = found.model_copy(update={"subject": found.subject.model_copy(update={"split": split})})
        if earlier is not None:
            found = with_previous(found, earlier)
        for path in outputs:
            replace_file(path, WRITERS[path.suffix.lower()](found))
    except JudgeServerError as fault:
        refuse(fault)
    if as_json:
        typer.echo(as_text(found), nl=False)
    else:
        show(found, outputs)


def chosen(options: ReportOptions) -> tuple[LabelSet, str]:
    """The labels to work on and the name of their split; reading the test split is recorded beside the file."""
    labels = read_labels(options.file, scales=[parse_scale(text) for text in options.scales])
    if options.split not in {None, "dev", "test"}:
        raise BadInput(f"--split is {options.split!r}.", remedy="Give dev or test.")
    if options.split == "test":
        log = ReadingFile(options.file)
        return run(read_test(labels, log, reader=options.reader or "", reason=options.reason or "")), "test"
    if "test" in labels.splits.values():
        return labels.split("dev"), "dev"
    return labels, "all"


def rubric_of(options: ReportOptions, labels: LabelSet) -> Rubric | None:
    """The rubric that was named; None takes the one that the labels carry. Raises BadInput if it has none of the
    criteria."""
    if options.rubric is None:
        return None
    rubric = rubric_target.unchanged(options.rubric, options.rubrics)
    names = labels.table.criteria.names
    if not set(rubric.by_id).intersection(names):
        raise BadInput(
            f"{rubric.name} has none of the criteria of {options.file}: {', '.join(names[:20])}.",
            remedy=f"Name the rubric of these labels; this one has {', '.join(list(rubric.by_id)[:20])}.",
        )
    return rubric


@contextmanager
def progress() -> Iterator[computing.Progress]:
    """A bar on standard error, if that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("measuring", total=None)

        def advance(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=escape(what))

        yield advance


def show(found: Report, outputs: tuple[Path, ...]) -> None:
    """The first screen, the table by criterion, and the statistics, in a terminal."""
    console = Console(highlight=False)
    for screen in first_screens(found):
        print_first(console, screen)
    if found.summaries:
        console.print(f"[dim]{escape(explained())}[/]\n")
    for warning in found.warnings:
        console.print(f"[yellow]note:[/] {escape(visible(warning))}")
    for judge in found.judges:
        console.print(f"\n[bold]{escape(visible(judge))}, criterion by criterion[/]")
        print_table(console, tables.narrow(tables.criteria_table(found, judge), IN_TERMINAL))
    print_statistics(console, found)
    for path in outputs:
        typer.echo(f"written to {path}")
    if not outputs:
        typer.echo("plots, biases and disagreements: add -o report.html")


def print_first(console: Console, screen: FirstScreen) -> None:
    console.print(f"[bold]{escape(visible(screen.judge))}[/]: {escape(visible(screen.kind))}")
    console.print(f"[bold]{escape(visible(screen.opening))}[/]")
    for part in screen.parts:
        console.print(f"\n[bold {COLOURS[part.tone]}]{escape(visible(part.title))}[/]")
        for line in part.lines:
            console.print(Padding(f"- {escape(visible(line))}", (0, 0, 0, 2)))
    console.print()


def print_statistics(console: Console, found: Report) -> None:
    console.print("\n[bold]Statistics[/]")
    for judge, verdict in found.verdicts.items():
        console.print(
            f"[bold {TONES[verdict.standing]}]{escape(visible(judge))}: {tables.STANDINGS[verdict.standing]}[/]"
        )
        console.print(escape(visible(verdict.text)))
        if verdict.worst is not None:
            console.print(escape(visible(verdict.worst.text)))
        console.print()
    for content in tables.headline_tables(found):
        print_table(console, content)
    for judge in found.judges:
        lacking = tables.missing_table(found, judge)
        if lacking is not None:
            print_table(console, replace(lacking, caption=f"{judge}: what its missing labels could change"))


def print_table(console: Console, content: tables.Table) -> None:
    table = Table(title=escape(visible(content.caption)) or None, title_justify="left", box=None, pad_edge=False)
    for place, column in enumerate(content.columns):
        table.add_column(
            escape(visible(column)), justify="right" if place >= content.numeric else "left", overflow="fold"
        )
    for row in content.rows:
        table.add_row(*(escape(visible(value)) for value in row))
    console.print(table)


def list_disagreements(options: ReportOptions, *, as_json: bool) -> None:
    """Print what ``calibrate disagreements`` found, judge by judge."""
    try:
        labels, _ = chosen(options)
        labels = computing.chosen(labels, options.wish)
        single = list(views(labels))
        judges = present(labels, "judge")
        found = {judge: ranked(labels, single, judge, options.limit) for judge in judges}
    except JudgeServerError as fault:
        refuse(fault)
    if as_json:
        plain = {judge: [each.model_dump(mode="json") for each in rows] for judge, rows in found.items()}
        typer.echo(canonical_json(plain))
        return
    console = Console(highlight=False)
    for judge, rows in found.items():
        console.print(
            f"[bold]{escape(visible(judge))}[/]: {len(rows)} shown"
            if rows
            else f"{escape(visible(judge))} disagrees nowhere"
        )
        for place, each in enumerate(rows, 1):
            print_disagreement(console, place, each)


def print_disagreement(console: Console, place: int, found: Disagreement) -> None:
    console.print(f"\n[bold]{place}. {escape(visible(found.item))}[/]  {escape(visible(found.criterion))}")
    for role, opinion in [("judge", found.judge), *(("person", each) for each in found.humans)]:
        why = f": {brief(opinion.rationale)}" if opinion.rationale else ""
        console.print(f"  {role} {brief(opinion.annotator)} said [bold]{brief(opinion.label or 'no label')}[/]{why}")
    for name, text in (("prompt", found.prompt), ("response", found.response), ("reference", found.reference)):
        if text:
            console.print(f"  [dim]{name}:[/] {brief(text)}")


def brief(text: str) -> str:
    line = visible(" ".join(text.split()))
    return escape(line if len(line) <= SHORTENED else f"{line[:SHORTENED]}…")
