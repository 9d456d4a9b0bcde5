"""The plots as SVG shapes, written by the page's template and coloured by its style sheet (light or dark)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor

from judge_server.agreement.metric import Estimate
from judge_server.agreement.probability import ReliabilityBin
from judge_server.calibration.headline import spoken
from judge_server.util.wording import plain

WIDTH, ROW, TOP = 860, 40, 34
NAME_WIDTH, VALUE_WIDTH = 230, 160
SIDE, MARGIN = 300, 46
MOST_NAME = 34
Link = Callable[[str], str]  # where a criterion, a bin's number or a slice leads to


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


def point(link: str | None, told: tuple[str, ...], at: tuple[float, float], *children: Shape) -> Shape:
    """A mark of a plot. With a ``link`` it can be focused, and followed if the link is not empty; ``told`` appears at
    ``at``, line below line, while the mark is pointed at or has the focus."""
    if link is None:
        return element("g", *children)
    x, y = at
    lines = [element("text", line, class_="tip", x=x, y=y + 13.0 * place) for place, line in enumerate(told)]
    spoken_of = ". ".join(told)
    if not link:
        return element("g", *children, *lines, class_="point", tabindex="0", role="img", aria_label=spoken_of)
    return element("a", *children, *lines, class_="point", href=link, aria_label=spoken_of)


def picture(title: str, width: int, height: int, parts: Sequence[Shape], *, linked: bool, **more: str) -> Shape:
    """The whole drawing. One with links is a group: a browser hides what stands inside an image from screen readers."""
    role = "group" if linked else "img"
    return element("svg", *parts, viewBox=f"0 0 {width} {height}", role=role, aria_label=title, **more)


@dataclass(frozen=True)
class ForestRow:
    """One criterion: agreement of the judge with each person, and of the people with each other. ``all_of_them``: all
    criteria together."""

    name: str
    judge: Estimate
    people: Estimate
    all_of_them: bool = False


@dataclass(frozen=True)
class ForestWords:
    """What dots and diamonds are, and what stands where the diamond's figure is not known."""

    dot: str = "judge with each person"
    diamond: str = "people with each other (the ceiling)"
    no_diamond: str = "no ceiling"


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


def forest(rows: Sequence[ForestRow], title: str, link: Link | None = None, words: ForestWords | None = None) -> Shape:
    """One line per criterion: dot and interval of the judge, hollow diamond and interval of the people. ``link``: by
    the criterion's name."""
    words = words or ForestWords()
    values = [
        bound
        for row in rows
        for each in (row.judge, row.people)
        for bound in (each.low, each.high, each.value)
        if bound is not None
    ]
    low = floor(min([0.0, *values]) / 0.2 - 1e-9) * 0.2 if min([0.0, *values]) < 0 else 0.0
    axis = _Axis(max(-1.0, low), 1.0, NAME_WIDTH, WIDTH - VALUE_WIDTH)
    bottom = TOP + ROW * len(rows)
    height = bottom + (30 if link is None else 62)
    parts = [element("title", title)] if link is None else []
    for tick in axis.ticks():
        x = axis.at(tick)
        parts.append(
            element("line", class_="zero" if tick == 0 else "grid", x1=x, x2=x, y1=float(TOP - 6), y2=float(bottom))
        )
        parts.append(element("text", plain(tick), class_="soft", x=x, y=float(bottom + 18), text_anchor="middle"))
    parts += legend(axis.left, words)
    for place, row in enumerate(rows):
        marks = forest_row(row, axis, TOP + ROW * place + ROW / 2, words, linked=link is not None)
        href = None if link is None else "" if row.all_of_them else link(row.name)
        parts.append(point(href, forest_told(row, words), (0.0, bottom + 38.0), *marks))
    return picture(title, WIDTH, height, parts, linked=link is not None)


def legend(left: float, words: ForestWords) -> list[Shape]:
    return [
        element("circle", class_="judge", cx=left + 6, cy=12.0, r=5.0),
        element("text", words.dot, class_="soft", x=left + 18, y=16.0),
        diamond(left + 186, 12.0),
        element("text", words.diamond, class_="soft", x=left + 198, y=16.0),
    ]


def forest_told(row: ForestRow, words: ForestWords) -> tuple[str, ...]:
    return (f"{row.name}: {words.dot}, {evidence(row.judge)}", f"{words.diamond}, {evidence(row.people)}")


def evidence(found: Estimate) -> str:
    """A figure with what it rests on, or why it has no interval or no value."""
    if found.value is None:
        return f"no figure: {found.note}" if found.note else "no figure"
    size = f"{spoken(found)} on {found.n:,} ratings of {found.clusters:,} prompts"
    return size if found.has_interval or not found.note else f"{size}; no interval: {found.note}"


def forest_row(row: ForestRow, axis: _Axis, y: float, words: ForestWords, *, linked: bool) -> list[Shape]:
    """``linked``: with a transparent field that can be pointed at anywhere in the row."""
    field = element("rect", class_="field", x=0.0, y=y - ROW / 2 + 1, width=float(WIDTH), height=float(ROW - 2))
    name = [] if linked else [element("title", row.name)]
    parts = [*([field] if linked else []), element("text", clipped(row.name), *name, x=0.0, y=y + 4)]
    parts += whisker(row.people, axis, y + 7, "people")
    parts += whisker(row.judge, axis, y - 5, "judge")
    if row.people.value is not None:
        parts.append(diamond(axis.at(row.people.value), y + 7))
    if row.judge.value is not None:
        parts.append(element("circle", class_="judge", cx=axis.at(row.judge.value), cy=y - 5, r=5.0))
    parts.append(element("text", spoken(row.judge), x=float(WIDTH), y=y - 1, text_anchor="end"))
    people = spoken(row.people) if row.people.value is not None else words.no_diamond
    parts.append(element("text", people, class_="soft", x=float(WIDTH), y=y + 14, text_anchor="end"))
    return parts


def whisker(estimate: Estimate, axis: _Axis, y: float, side: str) -> list[Shape]:
    if estimate.low is None or estimate.high is None:
        return []
    return [element("line", class_=f"{side} thin", x1=axis.at(estimate.low), x2=axis.at(estimate.high), y1=y, y2=y)]


def diamond(x: float, y: float) -> Shape:
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in ((0, -6), (6, 0), (0, 6), (-6, 0)))
    return element("polygon", class_="people hollow", points=points)


def clipped(name: str) -> str:
    return name if len(name) <= MOST_NAME else f"{name[: MOST_NAME - 1]}…"


def reliability(bins: Sequence[ReliabilityBin], title: str, link: Link | None = None) -> Shape:
    """The judge's probability against the people's rate; bars count the items of each bin. ``link``: by the number of
    the bin, from 0."""
    size, bottom = SIDE + 2 * MARGIN, MARGIN + SIDE
    most = max((each.n for each in bins), default=0) or 1
    parts = [element("title", title)] if link is None else []
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
    curve = [each for each in bins if each.mean_probability is not None and each.rate is not None]
    points = " ".join(
        f"{MARGIN + SIDE * (e.mean_probability or 0):.1f},{bottom - SIDE * (e.rate or 0):.1f}" for e in curve
    )
    if curve:
        parts.append(element("path", class_="judge line faint", d=f"M {points}"))
    for place, each in enumerate(bins):
        if each.n:
            marks = reliability_bin(each, most, bottom, linked=link is not None)
            href = None if link is None else link(str(place))
            parts.append(point(href, bin_told(each), (0.0, 11.0), *marks))
    parts += reliability_axes(size)
    return picture(title, size, size, parts, linked=link is not None, style="max-width: 26rem")


def reliability_axes(size: float) -> list[Shape]:
    middle, across = MARGIN + SIDE / 2, "probability the judge gave"
    return [
        element("text", across, class_="soft", x=middle, y=float(size - 8), text_anchor="middle"),
        element(
            "text", "share of items that people call positive", class_="soft", x=float(MARGIN), y=float(MARGIN - 8)
        ),
    ]


def bin_told(each: ReliabilityBin) -> tuple[str, ...]:
    items = "1 item" if each.n == 1 else f"{each.n:,} items"
    first = f"{items} with a probability from {plain(each.low)} to {plain(each.high)}"
    if each.mean_probability is None or each.rate is None:
        return (first,)
    rate = Estimate(value=each.rate, low=each.rate_low, high=each.rate_high)
    return (first, f"the judge said {plain(each.mean_probability)} on average, people {spoken(rate)}")


def reliability_bin(each: ReliabilityBin, most: int, bottom: float, *, linked: bool) -> list[Shape]:
    """``linked``: with a transparent field that can be pointed at anywhere above the bin."""
    width, left = SIDE * (each.high - each.low), MARGIN + SIDE * each.low
    tall = SIDE * 0.25 * each.n / most
    count = [] if linked else [element("title", f"{each.n} items")]
    field = element("rect", class_="field", x=left + 1, y=bottom - SIDE, width=width - 2, height=float(SIDE))
    bar = element("rect", *count, class_="bar", x=left + 1, y=bottom - tall, width=width - 2, height=tall)
    parts = [*([field] if linked else []), bar]
    if each.mean_probability is None or each.rate is None:
        return parts
    x = MARGIN + SIDE * each.mean_probability
    if each.rate_low is not None and each.rate_high is not None:
        low, high = bottom - SIDE * each.rate_low, bottom - SIDE * each.rate_high
        parts.append(element("line", class_="judge thin", x1=x, x2=x, y1=low, y2=high))
    parts.append(element("circle", class_="judge", cx=x, cy=bottom - SIDE * each.rate, r=4.5))
    return parts


@dataclass(frozen=True)
class DumbbellRow:
    """One slice: the mean ratings of the judge and of the people, between 0 and 1."""

    name: str
    judge: float
    people: float
    gap: Estimate


def dumbbells(rows: Sequence[DumbbellRow], title: str, link: Link | None = None) -> Shape:
    """One line per slice: the mean ratings of the people and of the judge. ``link``: by the slice's name."""
    axis = _Axis(0.0, 1.0, NAME_WIDTH, WIDTH - VALUE_WIDTH)
    step, bottom = 28, TOP + 28 * len(rows)
    parts = [*([element("title", title)] if link is None else []), *slice_legend(axis.left)]
    for tick in axis.ticks():
        x = axis.at(tick)
        parts.append(element("line", class_="grid", x1=x, x2=x, y1=float(TOP - 6), y2=float(bottom)))
        parts.append(element("text", plain(tick), class_="soft", x=x, y=float(bottom + 18), text_anchor="middle"))
    for place, row in enumerate(rows):
        y = TOP + step * place + step / 2
        field = element("rect", class_="field", x=0.0, y=y - step / 2 + 1, width=float(WIDTH), height=float(step - 2))
        marks = [*([] if link is None else [field]), *dumbbell(row, axis, y, linked=link is not None)]
        href = None if link is None else link(row.name)
        parts.append(point(href, dumbbell_told(row), (0.0, bottom + 38.0), *marks))
    return picture(title, WIDTH, bottom + (30 if link is None else 48), parts, linked=link is not None)


def dumbbell(row: DumbbellRow, axis: _Axis, y: float, *, linked: bool) -> list[Shape]:
    sign = "+" if (row.gap.value or 0) > 0 else ""
    name = [] if linked else [element("title", row.name)]
    return [
        element("text", clipped(row.name), *name, x=0.0, y=y + 4),
        element("line", class_="axis", x1=axis.at(row.people), x2=axis.at(row.judge), y1=y, y2=y),
        diamond(axis.at(row.people), y),
        element("circle", class_="judge", cx=axis.at(row.judge), cy=y, r=5.0),
        element("text", sign + spoken(row.gap), x=float(WIDTH), y=y + 4, text_anchor="end"),
    ]


def dumbbell_told(row: DumbbellRow) -> tuple[str, ...]:
    means = f"{row.name}: judge {plain(row.judge)} on average, people {plain(row.people)}"
    return (f"{means}; difference {evidence(row.gap)}",)


def slice_legend(left: float) -> list[Shape]:
    return [
        element("circle", class_="judge", cx=left + 6, cy=12.0, r=5.0),
        element("text", "judge's mean rating", class_="soft", x=left + 18, y=16.0),
        diamond(left + 186, 12.0),
        element("text", "people's mean rating", class_="soft", x=left + 198, y=16.0),
        element("text", "judge − people", class_="soft", x=float(WIDTH), y=16.0, text_anchor="end"),
    ]
