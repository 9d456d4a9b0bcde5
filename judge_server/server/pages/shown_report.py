"""A calibration report as the page shows it: drawings and tables of the HTML report, each with split and size."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # these need the calibration extra, and a server without it serves the other pages
    from judge_server.report.first_screen import FirstScreen
    from judge_server.report.html import JudgeSection, PageTable
    from judge_server.report.model import JudgeVerdict, Report


@dataclass(frozen=True)
class ShownReport:
    """``badge``: split and size, which stand at every figure; ``missing``: why figures have no value, with their
    names."""

    badge: str
    screen: "FirstScreen"
    explained: str
    verdict: "JudgeVerdict"
    standing: str
    headline: tuple["PageTable", ...]
    counts: "PageTable"
    judge: "JudgeSection"
    missing: dict[str, list[str]]
    warnings: tuple[str, ...]
    set_id: str


def shown_report(report: "Report", judge: str) -> ShownReport:
    """The caller has read the report, so what measures judges is installed."""
    from judge_server.report import tables
    from judge_server.report.first_screen import explained, first_screen
    from judge_server.report.html import judge_section, table

    subject, verdict = report.subject, report.verdicts[judge]
    return ShownReport(
        badge=f"{subject.split}: {subject.items:,} items, {subject.clusters:,} prompts",
        screen=first_screen(report, judge),
        explained=explained(),
        verdict=verdict,
        standing=tables.STANDINGS[verdict.standing],
        headline=tuple(table(each) for each in tables.headline_tables(report)),
        counts=table(tables.counts_table(report)),
        judge=judge_section(report, judge),
        missing=tables.reasons([report.judges[judge].overall]),
        warnings=report.warnings,
        set_id=subject.id,
    )
