"""The report as Markdown: the same as HTML without plots, with all texts escaped."""

import re
from collections.abc import Iterator
from html import escape

from judge_server.calibration.disagreement import Disagreement
from judge_server.report import prose, tables
from judge_server.report.first_screen import FirstScreen, explained, first_screens
from judge_server.report.model import Detail, Report
from judge_server.report.prose import visible

SPECIAL = re.compile(r"([\\`*_\[\]|#~$])")


def markdown(report: Report) -> str:
    """A whole document."""
    return "\n".join(sections(report)).rstrip() + "\n"


def escaped(content: str) -> str:
    """One line of text that no Markdown reader takes for markup, nor a page that takes in the document as it is.

    Characters of HTML are written as references, the others of Markdown behind a backslash.
    """
    return escape(SPECIAL.sub(r"\\\1", " ".join(visible(content).split())), quote=False)


def table(content: tables.Table) -> Iterator[str]:
    if content.caption:
        yield from (escaped(content.caption), "")
    yield f"| {' | '.join(escaped(name) for name in content.columns)} |"
    yield f"|{'|'.join('---' if place < content.numeric else '---:' for place in range(len(content.columns)))}|"
    yield from (f"| {' | '.join(escaped(value) for value in row)} |" for row in content.rows)
    yield ""


def sections(report: Report) -> Iterator[str]:
    yield from (f"# {escaped(prose.title(report))}", "", escaped(prose.facts(report)), "")
    for screen in first_screens(report):
        yield from first(screen)
    if report.summaries:
        yield from (escaped(explained()), "")
    for warning in report.warnings:
        yield from (f"> {escaped(warning)}", "")
    for judge in report.judges:
        yield from (f"## {escaped(judge)}, criterion by criterion", "", *table(tables.criteria_table(report, judge)))
    yield from statistics(report)
    for judge in report.judges:
        yield from judge_sections(report, judge)
    people = tables.metrics_table(report.humans.annotators, "person")
    if people is not None:
        yield from ("## People among themselves", "", prose.PEOPLE, "", *table(people))
    yield from ("## How this was measured", "")
    for paragraph in prose.method(report):
        yield from (paragraph, "")
    yield escaped(prose.provenance(report))


def first(screen: FirstScreen) -> Iterator[str]:
    yield from (f"## {escaped(screen.judge)}: {escaped(screen.kind)}", "", f"**{escaped(screen.opening)}**", "")
    for part in screen.parts:
        yield from (f"### {escaped(part.title)}", "", *(f"- {escaped(line)}" for line in part.lines), "")


def statistics(report: Report) -> Iterator[str]:
    yield from ("## Agreement", "", prose.HOW_TO_READ, "")
    yield from verdicts(report)
    for each in tables.headline_tables(report):
        yield from table(each)
    for note, titles in tables.reasons([side.overall for side in report.judges.values()]).items():
        yield f"- *{escaped(', '.join(titles))}*: {escaped(note)}."
    yield ""
    yield from table(tables.counts_table(report))
    changed = tables.changes_table(report)
    if changed is not None:
        yield from ("## Since the previous report", "", prose.UNPAIRED, "", *table(changed))
    checks = tables.checks_table(report)
    if checks is not None:
        yield from ("## Criteria that programs answer", "", prose.CHECKS, "", *table(checks))


def verdicts(report: Report) -> Iterator[str]:
    for judge, found in report.verdicts.items():
        yield from (f"**{escaped(judge)}: {tables.STANDINGS[found.standing]}.** {escaped(found.text)}", "")
        if found.worst is not None:
            yield from (escaped(found.worst.text), "")


def judge_sections(report: Report, judge: str) -> Iterator[str]:
    side = report.judges[judge]
    yield from (f"## Judge {escaped(judge)}", "")
    lacking = tables.missing_table(report, judge)
    if lacking is not None:
        yield from ("### What its missing labels could change", "", prose.MISSING, "", *table(lacking))
    drawn = {"all criteria": side.overall_detail} if side.overall_detail else side.details
    for name, detail in drawn.items():
        if detail.confusion:
            yield from table(matrix(name, detail))
    yield from ("### What sways it", "", *table(tables.bias_facts(report.bias[judge])))
    slices = report.bias[judge].slices
    if slices:
        rows = tuple((f"{s.trait}: {s.name}", f"{s.judge:.2f}", f"{s.humans:.2f}", tables.cell(s.gap)) for s in slices)
        yield from table(tables.Table(("slice", "judge's mean", "people's mean", "difference"), rows))
    for column, groups in ((tables.BAND, side.bands), ("tag", side.tags), ("person", side.annotators)):
        found = tables.metrics_table(groups, column)
        if found is not None:
            yield from table(found)
    ranked = report.disagreements.get(judge, ())
    if ranked:
        yield from ("### Where it disagrees, the clearest cases first", "", prose.DISAGREEMENTS, "")
        for place, each in enumerate(ranked, 1):
            yield from disagreement(place, each)


def matrix(name: str, detail: Detail) -> tables.Table:
    rows = tuple(
        (label, *(f"{count:,}" for count in row)) for label, row in zip(detail.labels, detail.confusion, strict=True)
    )
    return tables.Table(("people ↓ judge →", *detail.labels), rows, name)


def disagreement(place: int, found: Disagreement) -> Iterator[str]:
    yield from (f"#### {place}. {escaped(found.item)} · {escaped(found.criterion)}", "")
    for role, opinion in [("judge", found.judge), *(("person", each) for each in found.humans)]:
        reason = f": {escaped(opinion.rationale)}" if opinion.rationale else ""
        yield f"- {role} {escaped(opinion.annotator)} said **{escaped(opinion.label or 'no label')}**{reason}"
    yield ""
    for title, content in (("Prompt", found.prompt), ("Response", found.response), ("Reference", found.reference)):
        if content:
            yield from (f"{title}:", "", quoted(content), "")


def quoted(content: str) -> str:
    """A text of several lines as it stands, in an HTML block: in a fence its tags would stand in the file unescaped."""
    return f"<pre>{escape(visible(content), quote=False)}</pre>"
