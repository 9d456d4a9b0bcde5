"""Reads a file whose columns have other names: by a guess, which whoever reads it confirms or corrects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from judge_server.core.errors import BadInput
from judge_server.labels.label_set import LabelSet
from judge_server.labels.readers.label_reading import names_in
from judge_server.labels.readers.layout import FIELDS, Layout, guessed

Reading = Callable[[Layout], LabelSet]
_FEWEST_ROWS: Final = 20  # below this nothing is concluded from how often a value occurs
_MOST_CLASSES: Final = 30  # of labels that are no numbers


@dataclass(frozen=True)
class GuessedReading:
    """``layout``: as the file was read, or as it would be if ``fault`` were mended; ``added``: the fields that were
    guessed. ``labels``: None with a fault."""

    layout: Layout
    added: tuple[str, ...]
    labels: LabelSet | None
    fault: BadInput | None


def read_guessing(path: Path, layout: Layout, read: Reading, *, guess: bool = True) -> GuessedReading:
    """The file as ``layout`` says; if columns are missing and ``guess``, with columns of usual names in their place."""
    try:
        labels = read(layout)
        require_plausible(labels, layout)
        return GuessedReading(layout, (), labels, None)
    except BadInput as fault:
        other = guess_after(fault, path, layout) if guess else None
        if other is None:
            return GuessedReading(layout, (), None, fault)
    added = added_by(other, layout)
    try:
        labels = read(other)
        require_plausible(labels, other)
    except BadInput as fault:
        return GuessedReading(other, added, None, fault)
    return GuessedReading(other, added, labels, None)


def guess_after(fault: BadInput, path: Path, layout: Layout) -> Layout | None:
    """The layout to try after this fault; None if it is not about missing columns or nothing fits."""
    findings = fault.extensions.get("findings") or ()
    lacking = any("is missing; found" in finding["message"] for finding in findings)
    return guessed(names_in(path), layout) if lacking else None


def added_by(guess: Layout, layout: Layout) -> tuple[str, ...]:
    """The fields that the guess fills, in the usual order."""
    new = {*guess.columns, *guess.constants} - {*layout.columns, *layout.constants}
    return tuple(name for name in FIELDS if name in new)


def require_once(columns: Mapping[str, str]) -> None:
    """Raises BadInput if one column stands for two fields: one of them would hold what it is not."""
    homes: dict[str, str] = {}
    for name, column in columns.items():
        if column in homes:
            raise BadInput(
                f"The column {column!r} is given for {homes[column]} and for {name}.",
                remedy="Choose another column for one of them, or none.",
            )
        homes[column] = name


def require_plausible(labels: LabelSet, layout: Layout) -> None:
    """Raises BadInput for chosen columns that cannot be what they are chosen for, and would make figures wrong: as many
    criteria as rows, or labels that are texts."""
    counts = labels.counts
    column = layout.columns.get("criterion")
    if column is not None and counts.labels >= _FEWEST_ROWS and counts.criteria > counts.labels / 4:
        raise BadInput(
            f"The column {column!r} names {counts.criteria:,} criteria in {counts.labels:,} rows: it is no criterion.",
            remedy="Choose the column that says which question was answered, or one name for every row.",
        )
    column = layout.columns.get("label")
    for scale in labels.scales if column is not None else ():
        if len(scale.classes) > _MOST_CLASSES and not all(_numeric(name) for name in scale.classes):
            raise BadInput(
                f"The column {column!r} holds {len(scale.classes)} different labels of {scale.criterion}: it is text.",
                remedy="Choose the column with the answers; a text belongs to rationale.",
            )


def _numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
