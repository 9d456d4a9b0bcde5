"""The figures of one judge, drawn or as tables, for documents and for pages, on which they can be followed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from judge_server.agreement.metric import Estimate
from judge_server.agreement.probability import ReliabilityBin
from judge_server.calibration.bias import BiasPanel
from judge_server.calibration.headline import NAMES, spoken, standing
from judge_server.report import tables
from judge_server.report.excerpt import Excerpt
from judge_server.report.model import Detail, Report
from judge_server.report.plots import DumbbellRow, ForestRow, ForestWords, Link, Shape, dumbbells, forest, reliability
from judge_server.report.prose import share
from judge_server.util.wording import plain

MOST_MATRICES = 8
MOST_FOREST = 60
MOST_LABELS = 12
ALL = "all criteria"
WITHOUT_FILTER = ("length",)  # kinds of items that no filter takes: their texts are not kept with the figures


@dataclass(frozen=True)
class FigureLinks:
    """Where parts of a figure lead to; an empty address for what can only be focused. ``bin``: by criterion (empty:
    all) and the number of the bin; ``cell``: by criterion, people's label and the judge's; ``kind``: by name."""

    criterion: Link
    bin: Callable[[str, str], str]
    cell: Callable[[str, str, str], str]
    kind: Link


@dataclass(frozen=True)
class MatrixCell:
    """``heat``: the share of the row, from 0 to 1. ``link``: empty if nothing can be listed. ``told``: in words."""

    count: str
    heat: str
    told: str
    link: str = ""


@dataclass(frozen=True)
class PageMatrix:
    """``rows``: for each of people's labels the counts of the judge's."""

    caption: str
    labels: tuple[str, ...]
    rows: tuple[tuple[MatrixCell, ...], ...]


@dataclass(frozen=True)
class Reliability:
    """``table``: the same numbers as the drawing."""

    caption: str
    drawing: Shape
    table: tables.Table


@dataclass(frozen=True)
class Figures:
    """``no_bias``: why ``bias`` is None."""

    forest: Shape
    reliabilities: tuple[Reliability, ...]
    matrices: tuple[PageMatrix, ...]
    bias: tables.Table | None
    no_bias: str | None
    slices: Shape | None


def report_figures(report: Report, judge: str, links: FigureLinks | None = None) -> Figures:
    side = report.judges[judge]
    several = len(side.details) > 1
    rows = []
    for name in list(side.criteria)[:MOST_FOREST]:
        key = tables.pairwise_name(tables.metric_of(side.details[name], side.criteria[name]))
        people = report.humans.criteria.get(name, {}).get(key, Estimate())
        rows.append(ForestRow(name, side.criteria[name].get(key, Estimate()), people))
    if len(rows) > 1 and side.overall_detail is not None:
        key = tables.pairwise_name(tables.metric_of(side.overall_detail, side.overall))
        people = report.humans.overall.get(key, Estimate())
        rows.append(ForestRow(ALL, side.overall[key], people, all_of_them=True))
    drawing = forest(rows, f"{judge}: agreement by criterion", None if links is None else links.criterion)
    return _figures(drawing, side.details, side.overall_detail if several else None, report.bias[judge], judge, links)


def excerpt_figures(found: Excerpt, judge: str, links: FigureLinks) -> Figures:
    rows = [ForestRow(name, row.judge, row.people) for name, row in list(found.criteria.items())[:MOST_FOREST]]
    drawing = forest(rows, f"{judge}: agreement by criterion", links.criterion)
    return _figures(drawing, found.details, found.whole, found.bias, judge, links)


def versions_forest(old: Mapping[str, Estimate], new: Mapping[str, Estimate], title: str) -> Shape:
    """The judge's agreement with each person in two runs, by criterion: dots of the new one, diamonds of the old."""
    words = ForestWords(dot="after", diamond="before", no_diamond="not measured before")
    nothing = Estimate(note="not measured in this run")
    rows = [ForestRow(name, new.get(name, nothing), old.get(name, nothing)) for name in dict.fromkeys((*new, *old))]
    return forest(rows[:MOST_FOREST], title, lambda _: "", words)


def headline_of(report: Report, judge: str) -> dict[str, Estimate]:
    """The judge's figure of each criterion, as the forest shows it."""
    side = report.judges[judge]
    keys = {
        name: tables.pairwise_name(tables.metric_of(side.details[name], own)) for name, own in side.criteria.items()
    }
    return {name: own.get(keys[name], Estimate(note="there is no figure")) for name, own in side.criteria.items()}


def excerpt_table(found: Excerpt) -> tables.Table:
    """One line per criterion: the judge, the ceiling, the difference."""
    rows = [
        (
            name,
            NAMES.get(row.metric, row.metric),
            tables.cell(row.judge) if row.judge.value is not None else row.judge.note or "–",
            tables.cell(row.people),
            tables.cell(row.gap),
            tables.STANDINGS[standing(row.judge, row.gap)],
            f"{found.details[name].counts.items:,}",
        )
        for name, row in found.criteria.items()
    ]
    columns = ("criterion", "metric", "judge", "people", "difference", "beside people", "items")
    return tables.Table(columns, tuple(rows), numeric=2)


def _figures(
    drawing: Shape,
    every: Mapping[str, Detail],
    whole: Detail | None,
    panel: BiasPanel,
    judge: str,
    links: FigureLinks | None,
) -> Figures:
    chosen = [("", whole)] if whole is not None else list(every.items())[:MOST_MATRICES]
    nothing = panel.rate_gap.value is None and not panel.position
    return Figures(
        forest=drawing,
        reliabilities=tuple(_reliabilities(chosen, judge, links)),
        matrices=tuple(_matrices(chosen, links)),
        bias=None if nothing else tables.bias_facts(panel),
        no_bias=panel.rate_gap.note if nothing else None,
        slices=_slices(panel, judge, links),
    )


def _reliabilities(
    chosen: Sequence[tuple[str, Detail]], judge: str, links: FigureLinks | None
) -> Iterator[Reliability]:
    for name, each in chosen:
        if each.reliability:
            title = f"Reliability of {judge}, {name or ALL}"
            drawing = reliability(each.reliability, title, None if links is None else _bins(links, name))
            yield Reliability(name or ALL, drawing, _bins_table(each.reliability))


def _bins(links: FigureLinks, criterion: str) -> Link:
    return lambda place: links.bin(criterion, place)


def _bins_table(bins: Sequence[ReliabilityBin]) -> tables.Table:
    rows = [
        (
            f"{plain(each.low)} to {plain(each.high)}",
            f"{each.n:,}",
            plain(each.mean_probability),
            spoken(Estimate(value=each.rate, low=each.rate_low, high=each.rate_high)),
        )
        for each in bins
        if each.mean_probability is not None
    ]
    return tables.Table(("probability", "items", "judge on average", "people call positive"), tuple(rows))


def _matrices(chosen: Sequence[tuple[str, Detail]], links: FigureLinks | None) -> Iterator[PageMatrix]:
    for name, each in chosen:
        if each.confusion and len(each.labels) <= MOST_LABELS:
            rows = [
                tuple(
                    _counted(name, (people, said), count, sum(row), links)
                    for said, count in zip(each.labels, row, strict=True)
                )
                for people, row in zip(each.labels, each.confusion, strict=True)
            ]
            yield PageMatrix(name or ALL, each.labels, tuple(rows))


def _counted(name: str, labels: tuple[str, str], count: int, whole: int, links: FigureLinks | None) -> MatrixCell:
    people, said = labels
    told = f"{share(count, whole)} that people called {people}, the judge called {said}"
    link = "" if links is None or not count else links.cell(name, people, said)
    return MatrixCell(f"{count:,}", f"{0.04 + 0.7 * count / (whole or 1):.3f}", told, link)


def _slices(panel: BiasPanel, judge: str, links: FigureLinks | None) -> Shape | None:
    rows = [
        DumbbellRow(f"{each.trait}: {each.name}", each.judge, each.humans, each.gap)
        for each in panel.slices
        if each.judge is not None and each.humans is not None
    ]

    def link(name: str) -> str:
        return "" if links is None or name.startswith(WITHOUT_FILTER) else links.kind(name)

    return dumbbells(rows, f"{judge}: mean ratings by slice", None if links is None else link) if rows else None
