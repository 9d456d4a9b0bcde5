"""A file of labels before it is stored: which column stands for what, some rows as they are read, and what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from judge_server.labels.archive import described
from judge_server.labels.label import ROLES
from judge_server.labels.label_set import LabelSet
from judge_server.labels.readers.guessing import GuessedReading

_ROWS: Final = 8
_FINDINGS: Final = 20
_LONGEST: Final = 120
_WORDS: Final = {
    "item": "Item (the response that was labelled)",
    "criterion": "Criterion",
    "annotator": "Who labelled",
    "role": "Person or judge",
    "label": "Label (the answer)",
    "prompt": "Prompt",
    "response": "Response",
    "reference": "Reference answer",
    "rationale": "Note or reason",
    "saw_judge": "Labelled after seeing the judge's answer (true or false)",
    "cluster": "Prompt's name (rows of one prompt are counted together)",
    "tags": "Kind of item",
    "split": "Part (dev or test)",
}
_SAME_EVERYWHERE: Final = ("criterion", "annotator", "role")


@dataclass(frozen=True)
class ColumnChoice:
    """``column``: the chosen one, empty for none. ``constant``: the same in every row; None if it cannot be so.
    ``guessed``: nobody has chosen it, and the heading does not say it."""

    field: str
    words: str
    column: str
    constant: str | None
    guessed: bool


@dataclass(frozen=True)
class ShownImport:
    """``choices``: empty for a format that says itself what it holds. ``rows``: the first labels, as they are read;
    ``scales``: how the labels of each criterion are understood; ``more``: further findings."""

    choices: tuple[ColumnChoice, ...]
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    scales: tuple[str, ...]
    about: Mapping[str, Any] | None
    fault: str
    findings: tuple[Mapping[str, Any], ...]
    more: int


def shown_import(reading: GuessedReading, names: Sequence[str]) -> ShownImport:
    findings = () if reading.fault is None else tuple(reading.fault.extensions.get("findings") or ())
    count = 0 if reading.fault is None else reading.fault.extensions.get("count", len(findings))
    labels = reading.labels
    return ShownImport(
        choices=tuple(_choices(reading, names)),
        columns=tuple(names),
        rows=() if labels is None else tuple(_rows(labels)),
        scales=() if labels is None else tuple(_scale(one) for one in labels.scales),
        about=None if labels is None else described(labels),
        fault="" if reading.fault is None else str(reading.fault),
        findings=tuple({"row": "", "column": "", "suggestion": "", **one} for one in findings[:_FINDINGS]),
        more=max(count - _FINDINGS, 0),
    )


def _choices(reading: GuessedReading, names: Sequence[str]) -> list[ColumnChoice]:
    layout = reading.layout
    tidy = {name.strip().casefold(): name for name in reversed(names)}
    return [
        ColumnChoice(
            field=field,
            words=words,
            column=layout.columns.get(field, "" if field in layout.constants else tidy.get(field, "")),
            constant=layout.constants.get(field, "") if field in _SAME_EVERYWHERE else None,
            guessed=field in reading.added,
        )
        for field, words in _WORDS.items()
    ]


def _rows(labels: LabelSet) -> list[dict[str, str]]:
    shown = []
    for place in range(min(_ROWS, len(labels.table))):
        label = labels.table.row(place)
        item = labels.items.get(label.item)
        who = f"{label.annotator} ({label.role})" if label.role != ROLES[0] else label.annotator
        texts = {"prompt": item.prompt or "", "response": item.response or ""} if item is not None else {}
        shown.append(
            {
                "item": _short(label.item),
                "criterion": _short(label.criterion),
                "annotator": _short(who),
                "label": label.label if label.label is not None else f"none ({label.status})",
                "note": _short(label.rationale or ""),
                **{name: _short(text) for name, text in {"prompt": "", "response": "", **texts}.items()},
            }
        )
    return shown


def _scale(scale: Any) -> str:
    ordered = " < ".join(scale.classes) if scale.kind in ("binary", "ordinal") else ", ".join(scale.classes)
    return f"{scale.criterion}: {ordered or 'numbers'}" + (f"; {scale.positive} means met" if scale.positive else "")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
