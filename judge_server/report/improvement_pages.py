"""The record of an attempt to improve a judge as Markdown and as one HTML file without scripts; every text of labels
and proposals is escaped."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from judge_server.calibration.improvement import Improvement, PartSize, TriedChange
from judge_server.report.markdown import escaped
from judge_server.util.wording import p_value

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "td,th{text-align:left;padding:.2em .8em;vertical-align:top}"
)


@dataclass(frozen=True)
class Section:
    """``lines``: paragraphs; ``rows``: a table below ``columns``."""

    title: str
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = field(default=())


def markdown(found: Improvement) -> str:
    parts = [f"# {escaped(_title(found))}", ""]
    for section in _sections(found):
        parts += [f"## {escaped(section.title)}", "", *(f"{escaped(line)}\n" for line in section.lines)]
        if section.rows:
            parts.append(f"| {' | '.join(section.columns)} |")
            parts.append("|---" * len(section.columns) + "|")
            parts += [f"| {' | '.join(escaped(cell) for cell in row)} |" for row in section.rows]
            parts.append("")
    return "\n".join(parts)


def html(found: Improvement) -> str:
    title = escape(_title(found))
    parts = [
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>",
    ]
    for section in _sections(found):
        parts.append(f"<h2>{escape(section.title)}</h2>")
        parts += [f"<p>{escape(line)}</p>" for line in section.lines]
        if section.rows:
            head = "".join(f"<th>{escape(name)}</th>" for name in section.columns)
            body = "".join(_html_row(row) for row in section.rows)
            parts.append(f"<table><tr>{head}</tr>{body}</table>")
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _html_row(row: tuple[str, ...]) -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"


def _title(found: Improvement) -> str:
    return f"Improving {found.judge} under {found.rubric.id}@{found.rubric.version}"


def _sections(found: Improvement) -> Iterator[Section]:
    yield Section("Result", (found.text, *found.notes))
    yield Section("What these labels can show", tuple(_shown(part) for part in found.parts))
    unclear = tuple(
        (
            one.criterion,
            one.statement,
            f"{one.disagreed} of {one.items}{_range(one.low, one.high)}",
            ", ".join(one.examples),
        )
        for one in found.clarity
    )
    told = "Where people disagree, no judge can agree with all of them: mend the statement first."
    columns = ("criterion", "statement", "items on which people disagree", "for example")
    yield Section(
        "Is the rubric clear?", (told if unclear else "No item was labelled by two people.",), columns, unclear
    )
    if found.turned:
        yield Section("Scales that may be turned round", tuple(f"{one}." for one in found.turned))
    columns = ("candidate", "change", "on the revise part, which drove it", "on the select part")
    for title, kept in (("What helped", True), ("What did not help", False)):
        rows = tuple(_row(one) for one in found.candidates if one.kept is kept)
        yield Section(title, () if rows else ("Nothing.",), columns, rows)
    yield Section("How it was decided", (_method(found),))


def _shown(part: PartSize) -> str:
    return (
        f"{part.name}: {part.ratings} ratings from {part.prompts} prompts. At 85 % agreement the interval is "
        f"± {100 * part.half_width:.0f} points; a change shows from {part.fewest} prompts on that all favour it."
    )


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" ({low:.0%} to {high:.0%})"


def _row(one: TriedChange) -> tuple[str, str, str, str]:
    change = "; ".join(one.diff)
    if one.refused is not None:
        return one.name, change, "", f"refused before it was measured: {one.refused}"
    seen = "" if one.seen is None else str(one.seen)
    if one.test is None:
        return one.name, change, seen, "not tried: it is no better where it was made"
    adjusted = "" if one.adjusted_p is None else f"; adjusted for all candidates {p_value(one.adjusted_p)}"
    return one.name, change, seen, f"{one.test}{adjusted}"


def _method(found: Improvement) -> str:
    return (
        f"Prompts were divided with seed {found.seed}: the disagreements of the revise part drove the candidates, the "
        "select part chose among them (exact sign-flip tests by prompt, rating by rating and with every label counted "
        "alike, of which the larger p is adjusted by Holm's method within a rung), and "
        f"the locked test split was {'read once' if found.final is not None else 'not read'}. "
        f"{found.questions} ratings were asked of the judge before the test split. In all: {found.spent}. Labels "
        f"{found.labels}."
    )
