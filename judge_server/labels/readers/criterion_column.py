"""Sheets with a column for each criterion: finds these columns and converts the sheet to the long format."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Final

from judge_server.core.criterion import AnyLeaf
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.layout import FIELDS, LABEL, Layout, is_fact
from judge_server.labels.readers.records import Chunk

NOTES: Final = "notes"
_CRITERION, _ROLE = "\0criterion", "\0role"  # cannot occur in a file's heading
_BETWEEN: Final = " < "
_UNORDERED: Final = " | "
_HEADING: Final = re.compile(r".*\[(?P<criterion>[a-z][a-z0-9_]{0,99}): (?P<classes>[^\[\]]+)\]\s*", re.DOTALL)


def heading_of(leaf: AnyLeaf, scale: CriterionScale) -> str:
    """``States a dose. [dose: unmet < met]``, which ``criterion_in`` reads; options without an order are divided by
    ``|``. Raises BadInput for options with brackets, or ``<`` or ``|`` between blanks, which would be ambiguous in a
    heading."""
    odd = next((name for name in scale.classes if {"<", "|"} & set(name.split()) or {"[", "]"} & set(name)), None)
    if odd is not None:
        raise BadInput(
            f"criterion {leaf.id!r}: the option {odd!r} cannot be written in a sheet's heading.",
            remedy="Write the option without brackets and without < or | between blanks.",
        )
    between = _UNORDERED if scale.kind == "nominal" else _BETWEEN
    return f"{' '.join(leaf.statement.split())} [{leaf.id}: {between.join(scale.classes)}]"


def criterion_in(heading: str) -> CriterionScale | None:
    """The criterion named by a sheet's heading, with its scale; None for any other heading."""
    found = _HEADING.fullmatch(heading)
    if found is None:
        return None
    unordered = _UNORDERED in found["classes"]
    classes = tuple(name.strip() for name in found["classes"].split(_UNORDERED if unordered else _BETWEEN))
    if len(classes) < 2 or not all(classes) or len(set(classes)) < len(classes):
        return None
    if unordered:
        return CriterionScale(criterion=found["criterion"], kind="nominal", classes=classes)
    kind: Any = "binary" if len(classes) == 2 else "ordinal"
    positive = classes[1] if len(classes) == 2 else None
    return CriterionScale(criterion=found["criterion"], kind=kind, classes=classes, positive=positive)


@dataclass(frozen=True)
class CriterionColumns:
    """``criteria``: criterion by column; ``scales``: those named by headings."""

    criteria: Mapping[str, str] = field(default_factory=dict)
    scales: tuple[CriterionScale, ...] = ()


def criterion_columns(names: Sequence[str], layout: Layout, rubric: Rubric | None) -> CriterionColumns:
    """The columns that hold one criterion each: those of the layout, else those whose heading names a criterion with
    its scale, or is the id or statement of a criterion of the rubric. None if the file has a criterion column or a
    column for each annotator."""
    if layout.criteria:
        return CriterionColumns(layout.criteria)
    tidy = {name.strip().casefold() for name in names}
    if layout.annotators or "criterion" in tidy or {"criterion"} & {*layout.columns, *layout.constants}:
        return CriterionColumns()
    named = {name: scale for name in names if (scale := criterion_in(name)) is not None}
    if named:
        return CriterionColumns({name: scale.criterion for name, scale in named.items()}, tuple(named.values()))
    known = {_key(text): leaf.id for leaf in (rubric.leaves if rubric else ()) for text in (leaf.id, leaf.statement)}
    fields = {*FIELDS, NOTES}
    return CriterionColumns(
        {name: known[_key(name)] for name in names if _key(name) in known and name.strip().casefold() not in fields}
    )


def tell_unread(
    names: Sequence[str], layout: Layout, columns: CriterionColumns, rubric: Rubric | None, findings: LabelFindings
) -> None:
    """In a sheet of criteria every column counts: one that is nearly a criterion's name is a finding, others that are
    not read are noted."""
    read = {*columns.criteria, *layout.columns.values()}
    ids = {*columns.criteria.values()}
    missing = {_key(text): leaf.id for leaf in (rubric.leaves if rubric else ()) for text in (leaf.id, leaf.statement)}
    missing = {key: name for key, name in missing.items() if name not in ids}
    left = []
    for name in names:
        tidy = name.strip().casefold()
        if not tidy or name in read or tidy in {*FIELDS, NOTES} or is_fact(name.strip()):
            continue
        close = get_close_matches(_key(name), missing, 1)
        if close:
            meant = missing[close[0]]
            advice = f"Rename it to {meant!r}, or name it: --criterion-column {meant}={name!r}."
            findings.add(1, name, f"the column {name!r} is no criterion of the rubric; {meant!r} has no column", advice)
        else:
            left.append(repr(name))
    if left:
        findings.notes.append(f"Columns that are not read: {', '.join(left[:20])}.")


def _key(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(".?!")


def with_criteria(layout: Layout, columns: CriterionColumns, names: Sequence[str]) -> Layout:
    """The layout for a sheet with these columns: annotators are people unless a column says otherwise, and the notes
    are the rationale of every label in the row."""
    tidy = {name.strip().casefold(): name for name in reversed(names)}
    roles = {} if "role" in tidy or "role" in layout.columns else {"role": "human"}
    renamed = dict(layout.columns)
    if NOTES in tidy and "rationale" not in {*tidy, *renamed}:
        renamed["rationale"] = tidy[NOTES]
    return replace(layout, criteria=columns.criteria, constants={**roles, **layout.constants}, columns=renamed)


SOURCES: Final[Mapping[str, str]] = {"label": LABEL, "criterion": _CRITERION}


def unpivot_criteria(chunk: Chunk, criteria: Mapping[str, str]) -> Iterator[Chunk]:
    """The chunk once for each criterion, with that column as the label. Empty cells are not labelled yet and are left
    out."""
    for column, criterion in criteria.items():
        cells = chunk.columns[column]
        kept = [place for place, cell in enumerate(cells) if cell is not None and str(cell).strip()]
        if not kept:
            continue
        own = {name: [values[place] for place in kept] for name, values in chunk.columns.items()}
        yield Chunk(chunk.rows[kept], {**own, LABEL: own[column], _CRITERION: [criterion] * len(kept)})
