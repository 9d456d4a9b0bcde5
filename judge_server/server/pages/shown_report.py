"""A calibration report as the page shows it: drawings that can be followed, and tables, each with split and size."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from judge_server.core.calibration import Calibration
from judge_server.core.caller import current_caller
from judge_server.util.wording import many

if TYPE_CHECKING:  # these need the calibration extra, and a server without it serves the other pages
    from judge_server.calibration.label_part import LabelPart
    from judge_server.report.excerpt import Excerpt
    from judge_server.report.figures import FigureLinks, Figures
    from judge_server.report.first_screen import FirstScreen
    from judge_server.report.html import JudgeSection, PageTable
    from judge_server.report.model import JudgeVerdict, Report

FILTERS: Final = ("criterion", "annotator", "kind")


@dataclass(frozen=True)
class ShownReport:
    """``badge``: split and size, which stand at every figure; ``missing``: why figures have no value, with their
    names; ``bins``: the numbers of each reliability diagram."""

    badge: str
    screen: "FirstScreen"
    explained: str
    verdict: "JudgeVerdict"
    standing: str
    headline: tuple["PageTable", ...]
    counts: "PageTable"
    judge: "JudgeSection"
    figures: "Figures"
    bins: tuple["PageTable", ...]
    missing: dict[str, list[str]]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ShownExcerpt:
    """The figures of a part. ``told``: which part, in words; ``criteria``: each with its ceiling."""

    badge: str
    told: str
    criteria: "PageTable"
    bias: "PageTable | None"
    figures: "Figures"
    bins: tuple["PageTable", ...]


@dataclass(frozen=True)
class FigureFilter:
    """One choice of the form above the figures. ``all_of_them``: the words for no choice."""

    name: str
    label: str
    all_of_them: str
    chosen: str
    options: tuple[str, ...]


def may_list(record: Calibration) -> bool:
    """Whether the caller may see single items of a run: those of the test part stay locked, and texts of other callers
    are for those who write rubrics or label."""
    return record.split == "dev" and current_caller.get().may("label", "author")


def figure_links(address: str, record: Calibration, selection: "LabelPart") -> "FigureLinks":
    """``address``: of the run's page. Chosen filters stay chosen."""
    from judge_server.report.figures import FigureLinks

    def chosen(**changed: str) -> dict[str, str]:
        return {name: value for name, value in {**selection.model_dump(), **changed}.items() if value}

    def filtered(name: str) -> Callable[[str], str]:
        return lambda value: f"{address}?{urlencode(chosen(**{name: value}))}#figures"

    def items(criterion: str, **cell: str) -> str:
        narrowed = chosen(criterion=criterion) if criterion else chosen()
        return f"{address}/items?{urlencode(narrowed | cell)}" if may_list(record) else ""

    return FigureLinks(
        criterion=filtered("criterion"),
        bin=lambda criterion, place: items(criterion, bin=place),
        cell=lambda criterion, people, judge: items(criterion, people=people, judge=judge),
        kind=filtered("kind"),
    )


def filters_of(report: "Report", judge: str, selection: "LabelPart") -> tuple[FigureFilter, ...]:
    """What can be chosen; a choice of one is left out."""
    from judge_server.calibration.label_part import KINDS

    kinds = tuple(f"{one.trait}: {one.name}" for one in report.bias[judge].slices if one.trait in KINDS)
    every = (
        FigureFilter("criterion", "Criterion", "all criteria", selection.criterion, tuple(report.subject.criteria)),
        FigureFilter("annotator", "Person", "everybody", selection.annotator, report.subject.humans),
        FigureFilter("kind", "Kind of items", "all items", selection.kind, kinds),
    )
    return tuple(one for one in every if len(one.options) > 1 or one.chosen)


def selection_of(given: Mapping[str, str]) -> "LabelPart":
    """The filters in the URL."""
    from judge_server.calibration.label_part import LabelPart

    return LabelPart(**{name: given.get(name, "") for name in FILTERS})


def shown_report(report: "Report", judge: str, links: "FigureLinks") -> ShownReport:
    """The caller has read the report, so what measures judges is installed."""
    from judge_server.report import tables
    from judge_server.report.first_screen import explained, first_screen
    from judge_server.report.html import judge_section, table

    subject, verdict = report.subject, report.verdicts[judge]
    section = judge_section(report, judge, links)
    return ShownReport(
        badge=sized(subject.split, subject.items, subject.clusters),
        screen=first_screen(report, judge),
        explained=explained(),
        verdict=verdict,
        standing=tables.STANDINGS[verdict.standing],
        headline=tuple(table(each) for each in tables.headline_tables(report)),
        counts=table(tables.counts_table(report)),
        judge=section,
        figures=section.figures,
        bins=tuple(table(each.table) for each in section.figures.reliabilities),
        missing=tables.reasons([report.judges[judge].overall]),
        warnings=report.warnings,
    )


def shown_excerpt(found: "Excerpt", record: Calibration, selection: "LabelPart", links: "FigureLinks") -> ShownExcerpt:
    from judge_server.report.figures import excerpt_figures, excerpt_table
    from judge_server.report.html import optional, table

    figures = excerpt_figures(found, record.judge.name, links)
    return ShownExcerpt(
        badge=sized(record.split, found.items, found.clusters),
        told=part_told(selection),
        criteria=table(excerpt_table(found)),
        bias=optional(figures.bias),
        figures=figures,
        bins=tuple(table(each.table) for each in figures.reliabilities),
    )


def part_told(selection: "LabelPart") -> str:
    """The chosen part in words; empty for all."""
    said = (
        f"criterion {selection.criterion}" if selection.criterion else "",
        f"the labels of {selection.annotator}" if selection.annotator else "",
        f"items of the kind {selection.kind}" if selection.kind else "",
    )
    return ", ".join(filter(None, said))


def sized(split: str, items: int, prompts: int) -> str:

    return f"{split}: {many(items, 'item')}, {many(prompts, 'prompt')}"
