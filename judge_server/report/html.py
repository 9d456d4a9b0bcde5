"""The report as one HTML file without scripts or network access; the template escapes all label texts."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from judge_server.agreement.metric import Estimate
from judge_server.calibration.disagreement import Disagreement
from judge_server.report import prose, tables
from judge_server.report.first_screen import explained, first_screens
from judge_server.report.model import Detail, Report
from judge_server.report.plots import DumbbellRow, ForestRow, Shape, dumbbells, forest, reliability

TONES = {"short": "bad", "above": "good", "level": "good", "unclear": "fair", "alone": "fair", "unknown": "fair"}
MOST_MATRICES = 8
MOST_FOREST = 60
MOST_NARROW = 6  # most columns with intervals on one line


@dataclass(frozen=True)
class PageCell:
    """``interval``: shown below the text; empty if both fit on one line."""

    text: str
    interval: str
    figure: bool


@dataclass(frozen=True)
class PageTable:
    """``wide``: many columns, so intervals are shown below their values."""

    caption: str
    wide: bool
    columns: tuple[PageCell, ...]
    rows: tuple[tuple[PageCell, ...], ...]


@dataclass(frozen=True)
class PageMatrix:
    """``rows``: for each label the counts as text, each with its heat from 0 to 1."""

    caption: str
    labels: tuple[str, ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True)
class JudgeSection:
    """The page's section on one judge. ``no_bias``: the reason if ``bias`` is None."""

    name: str
    several: bool
    forest: Shape
    criteria: PageTable
    reliabilities: tuple[tuple[str, Shape], ...]
    matrices: tuple[PageMatrix, ...]
    missing: PageTable | None
    bias: PageTable | None
    no_bias: str | None
    slices: Shape | None
    bands: PageTable | None
    tags: PageTable | None
    persons: PageTable | None
    disagreements: tuple[Disagreement, ...]


def html(report: Report) -> str:
    """A whole page."""
    return (
        page()
        .get_template("report.html.j2")
        .render(
            report=report,
            prose=prose,
            tables=tables,
            tones=TONES,
            screens=first_screens(report),
            explained=explained() if report.summaries else "",
            headline=[table(each) for each in tables.headline_tables(report)],
            missing=tables.reasons([side.overall for side in report.judges.values()]),
            counts=table(tables.counts_table(report)),
            checks=optional(tables.checks_table(report)),
            changes=optional(tables.changes_table(report)),
            judges=[judge_section(report, judge) for judge in report.judges],
            people=optional(tables.metrics_table(report.humans.annotators, "person")),
        )
    )


@lru_cache(maxsize=1)
def page() -> Environment:
    """Templates that escape every value and show hidden characters."""
    return Environment(
        loader=PackageLoader("judge_server.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=shown,
    )


def shown(value: object) -> object:
    """Texts with their hidden characters made visible; markup from template macros is unchanged."""
    return prose.visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def optional(content: tables.Table | None) -> PageTable | None:
    return None if content is None else table(content)


def table(content: tables.Table) -> PageTable:
    wide = len(content.columns) > MOST_NARROW
    figures = [all(figure_like(row[place]) for row in content.rows) for place in range(len(content.columns))]

    def line(row: tuple[str, ...]) -> tuple[PageCell, ...]:
        return tuple(cell(value, figure, wide) for value, figure in zip(row, figures, strict=True))

    return PageTable(content.caption, wide, line(content.columns), tuple(line(row) for row in content.rows))


def cell(value: str, figure: bool, wide: bool) -> PageCell:
    """The interval is shown below its value if columns are narrow."""
    number, bracket, interval = value.partition(" [")
    if wide and figure and bracket:
        return PageCell(number, f"[{interval}", figure)
    return PageCell(value, "", figure)


def figure_like(value: str) -> bool:
    """Whether a cell holds a number rather than words."""
    return not any(character.isalpha() for character in value)


def judge_section(report: Report, judge: str) -> JudgeSection:
    side, panel = report.judges[judge], report.bias[judge]
    nothing = panel.rate_gap.value is None and not panel.position
    persons = tables.metrics_table(side.annotators, "person")
    return JudgeSection(
        name=judge,
        several=len(side.criteria) > 1,
        forest=forest(forest_rows(report, judge), f"{judge}: agreement by criterion"),
        criteria=table(tables.criteria_table(report, judge)),
        reliabilities=tuple(reliabilities(report, judge)),
        matrices=tuple(matrices(report, judge)),
        missing=optional(tables.missing_table(report, judge)),
        bias=None if nothing else table(tables.bias_facts(report, judge)),
        no_bias=panel.rate_gap.note if nothing else None,
        slices=slices(report, judge),
        bands=optional(tables.metrics_table(side.bands, tables.BAND)),
        tags=optional(tables.metrics_table(side.tags, "tag")),
        persons=optional(persons) if persons is not None and len(persons.rows) > 1 else None,
        disagreements=report.disagreements.get(judge, ()),
    )


def forest_rows(report: Report, judge: str) -> list[ForestRow]:
    side = report.judges[judge]
    rows = []
    for name in list(side.criteria)[:MOST_FOREST]:
        metric = tables.metric_of(side.details[name], side.criteria[name])
        key = tables.pairwise_name(metric)
        people = report.humans.criteria.get(name, {}).get(key, Estimate())
        rows.append(ForestRow(name, side.criteria[name].get(key, Estimate()), people))
    if len(rows) > 1 and side.overall_detail is not None:
        metric = tables.metric_of(side.overall_detail, side.overall)
        key = tables.pairwise_name(metric)
        rows.append(ForestRow("all criteria", side.overall[key], report.humans.overall.get(key, Estimate())))
    return rows


def details(report: Report, judge: str) -> list[tuple[str, Detail]]:
    """What to draw of a judge: all criteria together if they share a scale, else the first ones individually."""
    side = report.judges[judge]
    if side.overall_detail is not None:
        return [("all criteria" if len(side.details) > 1 else next(iter(side.details)), side.overall_detail)]
    return list(side.details.items())[:MOST_MATRICES]


def reliabilities(report: Report, judge: str) -> Iterator[tuple[str, Shape]]:
    for name, each in details(report, judge):
        if each.reliability:
            yield name, reliability(each.reliability, f"Reliability of {judge}, {name}")


def matrices(report: Report, judge: str) -> Iterator[PageMatrix]:
    for name, each in details(report, judge):
        if each.confusion and len(each.labels) <= 12:
            rows = [
                tuple((f"{count:,}", f"{0.04 + 0.7 * count / (sum(row) or 1):.3f}") for count in row)
                for row in each.confusion
            ]
            yield PageMatrix(name, each.labels, tuple(rows))


def slices(report: Report, judge: str) -> Shape | None:
    rows = [
        DumbbellRow(f"{each.trait}: {each.name}", each.judge, each.humans, each.gap)
        for each in report.bias[judge].slices
        if each.judge is not None and each.humans is not None
    ]
    return dumbbells(rows, f"{judge}: mean ratings by slice") if rows else None
