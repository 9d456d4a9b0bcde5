"""The plots as SVG shapes, written by the page's template and coloured by its style sheet (light or dark)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, floor

from judge_server.agreement.metric import Estimate
from judge_server.agreement.probability import ReliabilityBin
from judge_server.calibration.headline import plain, spoken

WIDTH, ROW, TOP = 860, 40, 34
NAME_WIDTH, VALUE_WIDTH = 230, 160
SIDE, MARGIN = 300, 46
MOST_NAME = 34


@dataclass(frozen=True)
class Shape:
    """An SVG element: attributes, text and elements inside it are plain, and the template escapes them."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple["Shape", ...] = ()


def element(name: str, /, *children: "Shape | str", **attributes: str | float) -> Shape:
    """``class_`` is class, ``stroke_width`` is stroke-width."""
    return Shape(
        name,
        {key.rstrip("_").replace("_", "-"): written(value) for key, value in attributes.items()},
        "".join(child for child in children if isinstance(child, str)),
        tuple(child for child in children if isinstance(child, Shape)),
    )


def written(value: str | float) -> str:
    """A length with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class ForestRow:
    """One criterion: agreement of the judge with each person, and of the people with each other."""

    name: str
    judge: Estimate
    people: Estimate


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    left: float
    right: float

    def at(self, value: float) -> float:
        inside = min(self.high, max(self.low, value))
        return self.left + (inside - self.low) / (self.high - self.low) * (self.right - self.left)

    def ticks(self) -> list[float]:
        step = 0.2 if self.high - self.low <= 1.4 else 0.5
        return [round(step * count, 6) for count in range(ceil(self.low / step), floor(self.high / step + 1e-9) + 1)]


def forest(rows: Sequence[ForestRow], title: str) -> Shape:
    """One line per criterion: dot and interval of the judge, hollow diamond and interval of the people."""
    values = [
        bound
        for row in rows
        for each in (row.judge, row.people)
        for bound in (each.low, each.high, each.value)
        if bound is not None
    ]
    low = floor(min([0.0, *values]) / 0.2 - 1e-9) * 0.2 if min([0.0, *values]) < 0 else 0.0
    axis = _Axis(max(-1.0, low), 1.0, NAME_WIDTH, WIDTH - VALUE_WIDTH)
    height = TOP + ROW * len(rows) + 30
    bottom = TOP + ROW * len(rows)
    parts = [element("title", title)]
    for tick in axis.ticks():
        x = axis.at(tick)
        parts.append(
            element("line", class_="zero" if tick == 0 else "grid", x1=x, x2=x, y1=float(TOP - 6), y2=float(bottom))
        )
        parts.append(element("text", plain(tick), class_="soft", x=x, y=float(bottom + 18), text_anchor="middle"))
    parts += legend(axis.left)
    for place, row in enumerate(rows):
        parts.append(forest_row(row, axis, TOP + ROW * place + ROW / 2))
    return element("svg", *parts, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=title)


def legend(left: float) -> list[Shape]:
    return [
        element("circle", class_="judge", cx=left + 6, cy=12.0, r=5.0),
        element("text", "judge with each person", class_="soft", x=left + 18, y=16.0),
        diamond(left + 186, 12.0),
        element("text", "people with each other (the ceiling)", class_="soft", x=left + 198, y=16.0),
    ]


def forest_row(row: ForestRow, axis: _Axis, y: float) -> Shape:
    parts = [element("text", clipped(row.name), element("title", row.name), x=0.0, y=y + 4)]
    parts += whisker(row.people, axis, y + 7, "people")
    parts += whisker(row.judge, axis, y - 5, "judge")
    if row.people.value is not None:
        parts.append(diamond(axis.at(row.people.value), y + 7))
    if row.judge.value is not None:
        parts.append(element("circle", class_="judge", cx=axis.at(row.judge.value), cy=y - 5, r=5.0))
    parts.append(element("text", spoken(row.judge), x=float(WIDTH), y=y - 1, text_anchor="end"))
    people = spoken(row.people) if row.people.value is not None else "no ceiling"
    parts.append(element("text", people, class_="soft", x=float(WIDTH), y=y + 14, text_anchor="end"))
    return element("g", *parts)


def whisker(estimate: Estimate, axis: _Axis, y: float, side: str) -> list[Shape]:
    if estimate.low is None or estimate.high is None:
        return []
    return [element("line", class_=f"{side} thin", x1=axis.at(estimate.low), x2=axis.at(estimate.high), y1=y, y2=y)]


def diamond(x: float, y: float) -> Shape:
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in ((0, -6), (6, 0), (0, 6), (-6, 0)))
    return element("polygon", class_="people hollow", points=points)


def clipped(name: str) -> str:
    return name if len(name) <= MOST_NAME else f"{name[: MOST_NAME - 1]}…"


def reliability(bins: Sequence[ReliabilityBin], title: str) -> Shape:
    """The judge's probability against the people's rate; bars count the items of each bin."""
    size, bottom = SIDE + 2 * MARGIN, MARGIN + SIDE
    most = max((each.n for each in bins), default=0) or 1
    parts = [element("title", title)]
    for step in range(6):
        share = step / 5
        x, y = MARGIN + SIDE * share, bottom - SIDE * share
        parts += [
            element("line", class_="grid", x1=x, x2=x, y1=float(MARGIN), y2=float(bottom)),
            element("line", class_="grid", x1=float(MARGIN), x2=float(MARGIN + SIDE), y1=y, y2=y),
            element("text", plain(share), class_="soft", x=x, y=float(bottom + 17), text_anchor="middle"),
            element("text", plain(share), class_="soft", x=float(MARGIN - 8), y=y + 4, text_anchor="end"),
        ]
    parts.append(
        element("line", class_="zero", x1=float(MARGIN), y1=float(bottom), x2=float(MARGIN + SIDE), y2=float(MARGIN))
    )
    parts += [part for each in bins if each.n for part in reliability_bin(each, most, bottom)]
    curve = [each for each in bins if each.mean_probability is not None and each.rate is not None]
    points = " ".join(
        f"{MARGIN + SIDE * (e.mean_probability or 0):.1f},{bottom - SIDE * (e.rate or 0):.1f}" for e in curve
    )
    if curve:
        parts.append(element("path", class_="judge line faint", d=f"M {points}"))
    parts += [
        element(
            "text",
            "probability the judge gave",
            class_="soft",
            x=MARGIN + SIDE / 2,
            y=float(size - 8),
            text_anchor="middle",
        ),
        element(
            "text", "share of items that people call positive", class_="soft", x=float(MARGIN), y=float(MARGIN - 14)
        ),
    ]
    return element("svg", *parts, viewBox=f"0 0 {size} {size}", role="img", aria_label=title, style="max-width: 26rem")


def reliability_bin(each: ReliabilityBin, most: int, bottom: float) -> list[Shape]:
    width = SIDE * (each.high - each.low)
    tall = SIDE * 0.25 * each.n / most
    parts = [
        element(
            "rect",
            element("title", f"{each.n} items"),
            class_="bar",
            x=MARGIN + SIDE * each.low + 1,
            y=bottom - tall,
            width=width - 2,
            height=tall,
        )
    ]
    if each.mean_probability is None or each.rate is None:
        return parts
    x = MARGIN + SIDE * each.mean_probability
    if each.rate_low is not None and each.rate_high is not None:
        parts.append(
            element(
                "line",
                class_="judge thin",
                x1=x,
                x2=x,
                y1=bottom - SIDE * each.rate_low,
                y2=bottom - SIDE * each.rate_high,
            )
        )
    parts.append(element("circle", class_="judge", cx=x, cy=bottom - SIDE * each.rate, r=4.5))
    return parts


@dataclass(frozen=True)
class DumbbellRow:
    """One slice: the mean ratings of the judge and of the people, between 0 and 1."""

    name: str
    judge: float
    people: float
    gap: Estimate


def dumbbells(rows: Sequence[DumbbellRow], title: str) -> Shape:
    """One line per slice: the mean ratings of the people and of the judge."""
    axis = _Axis(0.0, 1.0, NAME_WIDTH, WIDTH - VALUE_WIDTH)
    step, bottom = 28, TOP + 28 * len(rows)
    parts = [element("title", title), *slice_legend(axis.left)]
    for tick in axis.ticks():
        x = axis.at(tick)
        parts.append(element("line", class_="grid", x1=x, x2=x, y1=float(TOP - 6), y2=float(bottom)))
        parts.append(element("text", plain(tick), class_="soft", x=x, y=float(bottom + 18), text_anchor="middle"))
    for place, row in enumerate(rows):
        y = TOP + step * place + step / 2
        sign = "+" if (row.gap.value or 0) > 0 else ""
        parts += [
            element("text", clipped(row.name), element("title", row.name), x=0.0, y=y + 4),
            element("line", class_="axis", x1=axis.at(row.people), x2=axis.at(row.judge), y1=y, y2=y),
            diamond(axis.at(row.people), y),
            element("circle", class_="judge", cx=axis.at(row.judge), cy=y, r=5.0),
            element("text", sign + spoken(row.gap), x=float(WIDTH), y=y + 4, text_anchor="end"),
        ]
    return element("svg", *parts, viewBox=f"0 0 {WIDTH} {bottom + 30}", role="img", aria_label=title)


def slice_legend(left: float) -> list[Shape]:
    return [
        element("circle", class_="judge", cx=left + 6, cy=12.0, r=5.0),
        element("text", "judge's mean rating", class_="soft", x=left + 18, y=16.0),
        diamond(left + 186, 12.0),
        element("text", "people's mean rating", class_="soft", x=left + 198, y=16.0),
        element("text", "judge − people", class_="soft", x=float(WIDTH), y=16.0, text_anchor="end"),
    ]
