"""The report as one HTML file without scripts or network access; the template escapes all label texts."""

from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from judge_server.calibration.disagreement import Disagreement
from judge_server.report import prose, tables
from judge_server.report.figures import FigureLinks, Figures, report_figures
from judge_server.report.first_screen import explained, first_screens
from judge_server.report.model import Report

TONES = {"short": "bad", "above": "good", "level": "good", "unclear": "fair", "alone": "fair", "unknown": "fair"}
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
class JudgeSection:
    """The page's section on one judge."""

    name: str
    several: bool
    figures: Figures
    criteria: PageTable
    missing: PageTable | None
    bias: PageTable | None
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


def judge_section(report: Report, judge: str, links: FigureLinks | None = None) -> JudgeSection:
    """``links``: where the parts of the figures lead to, on a page."""
    side, figures = report.judges[judge], report_figures(report, judge, links)
    persons = tables.metrics_table(side.annotators, "person")
    return JudgeSection(
        name=judge,
        several=len(side.criteria) > 1,
        figures=figures,
        criteria=table(tables.criteria_table(report, judge)),
        missing=optional(tables.missing_table(report, judge)),
        bias=optional(figures.bias),
        bands=optional(tables.metrics_table(side.bands, tables.BAND)),
        tags=optional(tables.metrics_table(side.tags, "tag")),
        persons=optional(persons) if persons is not None and len(persons.rows) > 1 else None,
        disagreements=report.disagreements.get(judge, ()),
    )
