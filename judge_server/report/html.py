"""The report as one HTML file: no script, no network, every text of the labels escaped."""

from collections.abc import Iterator

from judge_server.agreement.metric import Estimate
from judge_server.calibration.disagreement import AnnotatorLabel, Disagreement
from judge_server.report import prose, tables
from judge_server.report.markup import Markup, element, joined, text
from judge_server.report.model import Detail, Report
from judge_server.report.plots import DumbbellRow, ForestRow, dumbbells, forest, reliability
from judge_server.report.style import STYLE

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
TONES = {"short": "bad", "above": "good", "level": "good", "unclear": "fair", "alone": "fair", "unknown": "fair"}
MOST_MATRICES = 8
MOST_FOREST = 60
MOST_NARROW = 6  # columns that leave room for intervals on one line


def html(report: Report) -> str:
    """A whole page."""
    body = joined(sections(report))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", prose.title(report)),
        element("style", Markup(STYLE)),
    )
    return "<!doctype html>\n" + element("html", head, element("body", element("main", body)), lang="en") + "\n"


def sections(report: Report) -> Iterator[Markup]:
    yield element("h1", prose.title(report))
    yield element("p", prose.facts(report), class_="facts")
    yield from (verdict(report, judge) for judge in report.verdicts)
    yield from (element("div", warning, class_="warning") for warning in report.warnings)
    yield element("h2", "Agreement")
    yield element("p", prose.HOW_TO_READ, class_="soft")
    yield from (table(each) for each in tables.headline_tables(report))
    yield from missing(report)
    yield table(tables.counts_table(report))
    yield from changes(report)
    for judge in report.judges:
        yield from judge_sections(report, judge)
    yield from people(report)
    yield element("h2", "How this was measured")
    yield from (element("p", paragraph) for paragraph in prose.method(report))
    yield element("footer", prose.provenance(report), class_="soft")


def verdict(report: Report, judge: str) -> Markup:
    found = report.verdicts[judge]
    badge = element("div", f"{judge}: {tables.STANDINGS[found.standing]}", class_="badge")
    return element("div", badge, element("p", found.text), class_=f"verdict {TONES[found.standing]}")


def table(content: tables.Table) -> Markup:
    wide = len(content.columns) > MOST_NARROW
    figures = [all(figure_like(row[place]) for row in content.rows) for place in range(len(content.columns))]

    def line(row: tuple[str, ...], tag: str) -> Markup:
        cells = [
            element(
                tag if place else "th",
                stacked(value) if wide and figures[place] else value,
                class_="number" if place and figures[place] else None,
            )
            for place, value in enumerate(row)
        ]
        return element("tr", *cells)

    caption = [element("caption", content.caption)] if content.caption else []
    head = element("thead", line(content.columns, "th"))
    body = element("tbody", *(line(row, "td") for row in content.rows))
    return element("div", element("table", *caption, head, body, class_="wide" if wide else None), class_="scroll")


def stacked(value: str) -> str:
    """The interval below its value, where columns are narrow."""
    number, bracket, interval = value.partition(" [")
    return joined((text(number), element("br"), element("small", f"[{interval}"))) if bracket else value


def figure_like(value: str) -> bool:
    """Whether a cell holds a figure rather than words."""
    return not any(character.isalpha() for character in value)


def missing(report: Report) -> Iterator[Markup]:
    found = tables.reasons([side.overall for side in report.judges.values()])
    if found:
        lines = [element("li", element("em", ", ".join(titles)), f": {note}.") for note, titles in found.items()]
        summary = element("summary", "Figures that have no value, and why")
        yield element("details", summary, element("div", element("ul", *lines)))


def changes(report: Report) -> Iterator[Markup]:
    found = tables.changes_table(report)
    if found is not None:
        yield element("h2", "Since the previous report")
        yield element("p", prose.UNPAIRED, class_="soft")
        yield table(found)


def judge_sections(report: Report, judge: str) -> Iterator[Markup]:
    side = report.judges[judge]
    yield element("h2", f"Judge {judge}")
    if len(side.criteria) > 1:
        yield element("h3", "Criterion by criterion")
    yield figure(forest(forest_rows(report, judge), f"{judge}: agreement by criterion"), prose.FOREST)
    yield table(tables.criteria_table(report, judge))
    yield from reliabilities(report, judge)
    yield from matrices(report, judge)
    yield from slices(report, judge)
    yield from disagreements(report, judge)


def forest_rows(report: Report, judge: str) -> list[ForestRow]:
    side = report.judges[judge]
    rows = []
    for name in list(side.criteria)[:MOST_FOREST]:
        metric = tables.metric_of(side.details[name], side.criteria[name])
        key = metric if metric == "pearson" else f"{metric}_pairwise"
        people = report.humans.criteria.get(name, {}).get(key, Estimate())
        rows.append(ForestRow(name, side.criteria[name].get(key, Estimate()), people))
    if len(rows) > 1 and side.overall_detail is not None:
        metric = tables.metric_of(side.overall_detail, side.overall)
        key = metric if metric == "pearson" else f"{metric}_pairwise"
        rows.append(ForestRow("all criteria", side.overall[key], report.humans.overall.get(key, Estimate())))
    return rows


def figure(drawing: Markup, caption: str) -> Markup:
    return element("figure", drawing, element("figcaption", caption))


def details(report: Report, judge: str) -> list[tuple[str, Detail]]:
    """What to draw of a judge: all criteria together where they share a scale, else the first ones by themselves."""
    side = report.judges[judge]
    if side.overall_detail is not None:
        return [("all criteria" if len(side.details) > 1 else next(iter(side.details)), side.overall_detail)]
    return list(side.details.items())[:MOST_MATRICES]


def reliabilities(report: Report, judge: str) -> Iterator[Markup]:
    drawn = [(name, each) for name, each in details(report, judge) if each.reliability]
    if drawn:
        yield element("h3", "Do its probabilities mean what they say?")
        plots = [
            figure(reliability(each.reliability, f"Reliability of {judge}, {name}"), f"{name}. {prose.RELIABILITY}")
            for name, each in drawn
        ]
        yield element("div", *plots, class_="plots")


def matrices(report: Report, judge: str) -> Iterator[Markup]:
    drawn = [(name, each) for name, each in details(report, judge) if each.confusion and len(each.labels) <= 12]
    if drawn:
        yield element("h3", "What it said where people said something else")
        yield element("p", prose.MATRIX, class_="soft")
        yield element("div", *(matrix(name, each) for name, each in drawn), class_="matrices")


def matrix(name: str, detail: Detail) -> Markup:
    head = element(
        "thead", element("tr", element("th", "people ↓ judge →"), *(element("th", label) for label in detail.labels))
    )
    body = []
    for place, row in enumerate(detail.confusion):
        whole = sum(row) or 1
        cells = [
            element(
                "td",
                f"{count:,}",
                class_="right" if place == column else None,
                style=f"--heat:{0.04 + 0.7 * count / whole:.3f}",
            )
            for column, count in enumerate(row)
        ]
        body.append(element("tr", element("th", detail.labels[place]), *cells))
    return element("table", element("caption", name), head, element("tbody", *body), class_="matrix")


def slices(report: Report, judge: str) -> Iterator[Markup]:
    yield element("h3", "What sways it")
    panel = report.bias[judge]
    if panel.rate_gap.value is None and not panel.position:
        yield element("p", f"Nothing can be said: {panel.rate_gap.note}.", class_="soft")
    else:
        yield table(tables.bias_facts(report, judge))
    rows = [
        DumbbellRow(f"{each.trait}: {each.name}", each.judge, each.humans, each.gap)
        for each in panel.slices
        if each.judge is not None and each.humans is not None
    ]
    if rows:
        yield figure(dumbbells(rows, f"{judge}: mean ratings by slice"), prose.SLICES)
    tags = tables.metrics_table(report.judges[judge].tags, "tag")
    people_ = tables.metrics_table(report.judges[judge].annotators, "person")
    if tags is not None:
        yield table(tags)
    if people_ is not None and len(people_.rows) > 1:
        yield element("h3", "With each person")
        yield table(people_)


def people(report: Report) -> Iterator[Markup]:
    found = tables.metrics_table(report.humans.annotators, "person")
    if found is not None:
        yield element("h2", "People among themselves")
        yield element("p", prose.PEOPLE, class_="soft")
        yield table(found)


def disagreements(report: Report, judge: str) -> Iterator[Markup]:
    found = report.disagreements.get(judge, ())
    if found:
        yield element("h3", "Where it disagrees, the clearest cases first")
        yield element("p", prose.DISAGREEMENTS, class_="soft")
        yield from (disagreement(place, each) for place, each in enumerate(found, 1))


def disagreement(place: int, found: Disagreement) -> Markup:
    said = ", ".join(opinion.label or "no label" for opinion in found.humans)
    summary = element(
        "summary",
        f"{place}. {found.item}",
        element(
            "span", f"{found.criterion}: judge {found.judge.label or 'gave a score'}, people {said}", class_="soft"
        ),
    )
    texts = [
        element("div", element("h3", title), element("pre", content, dir="auto"))
        for title, content in (("Prompt", found.prompt), ("Response", found.response), ("Reference", found.reference))
        if content
    ]
    opinions = [
        opinion_row(found.judge, "judge", found.probability),
        *(opinion_row(each, "person", None) for each in found.humans),
    ]
    return element("details", summary, element("div", element("table", *opinions, class_="opinions"), *texts))


def opinion_row(opinion: AnnotatorLabel, role: str, probability: float | None) -> Markup:
    label = opinion.label or "no label"
    if probability is not None:
        label += f" ({probability:.0%})"
    return element(
        "tr",
        element("td", f"{role} {opinion.annotator}"),
        element("td", label),
        element("td", opinion.rationale or "no reason given", class_=None if opinion.rationale else "soft"),
    )
