"""The runs on one label set, oldest first, each with the judge's figure and the human ceiling."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from judge_server.core.calibration import Calibration
from judge_server.util.wording import plain


@dataclass(frozen=True)
class ShownRun:
    """``value``, ``low``, ``high`` and ``people``: numbers for the drawing, or empty; ``judge`` and ``ceiling``: as the
    table shows them."""

    place: int
    record: Calibration
    here: bool
    value: str
    low: str
    high: str
    people: str
    judge: str
    ceiling: str


def history(every: Iterable[Calibration], here: str, criterion: str) -> tuple[ShownRun, ...]:
    """``criterion``: empty for all together. Runs without such a figure are left out; empty if fewer than two are
    left."""
    found = [(one, _figures(one, criterion)) for one in sorted(every, key=lambda each: each.created_at)]
    known = [(one, figures) for one, figures in found if figures]
    if len(known) < 2:
        return ()
    return tuple(_shown(place, one, figures, here) for place, (one, figures) in enumerate(known, 1))


def _figures(record: Calibration, criterion: str) -> Mapping[str, Any]:
    """The headline figure and its ceiling; empty if there is none."""
    summary: Mapping[str, Any] = record.summary
    own = summary.get("criteria", {}).get(criterion, {}) if criterion else summary.get("overall", {})
    return {"judge": own.get(own["headline"], {}), "people": own.get("human_ceiling", {})} if "headline" in own else {}


def _shown(place: int, record: Calibration, figures: Mapping[str, Any], here: str) -> ShownRun:
    judge, people = figures["judge"], figures["people"]
    return ShownRun(
        place=place,
        record=record,
        here=record.id == here,
        value=_number(judge.get("value")),
        low=_number(judge.get("low")),
        high=_number(judge.get("high")),
        people=_number(people.get("value")),
        judge=_told(judge),
        ceiling=_told(people),
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _told(figure: Mapping[str, Any]) -> str:
    value, low, high = (figure.get(name) for name in ("value", "low", "high"))
    if value is None:
        return "–"
    interval = f" [{plain(low)}, {plain(high)}]" if low is not None and high is not None else ", no interval"
    return plain(value) + interval
