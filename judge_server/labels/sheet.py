"""Sheets that people fill in: a row per item, a column per criterion, headed by its statement and the allowed
answers."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from judge_server.core.condition import applies
from judge_server.core.criterion import CheckCriterion, Criterion, Group
from judge_server.core.errors import BadInput
from judge_server.core.fact import value_in
from judge_server.core.rubric import Rubric
from judge_server.labels.label import Item
from judge_server.labels.readers.criterion_column import NOTES, heading_of
from judge_server.labels.readers.heading import marked
from judge_server.labels.readers.scale import scales_of
from judge_server.labels.readers.workbook import SheetColumn, write_workbook

NOT_APPLICABLE: Final = "n/a"
_WIDE: Final = 60


def sheet_columns(
    rubric: Rubric, items: Sequence[Item], clusters: Mapping[str, str], annotator: str
) -> list[SheetColumn]:
    """A criterion that does not apply to an item by its condition is prefilled with n/a. Raises BadSubmission for facts
    that cannot be read."""
    judged = [leaf for leaf in rubric.leaves if not isinstance(leaf, CheckCriterion)]
    if not judged:
        raise BadInput(f"{rubric.name} has no criterion that people can label.", remedy="Name another rubric.")
    scales = {scale.criterion: scale for scale in scales_of(rubric)}
    known = [_known(rubric, item) for item in items]
    applicable = [set(_applicable(rubric.criteria, one, _asked_later(rubric, one))) for one in known]
    columns = [
        SheetColumn("item", cells=[item.id for item in items]),
        SheetColumn("annotator", cells=[annotator] * len(items)),
        SheetColumn("prompt", _WIDE, cells=[item.prompt or "" for item in items]),
        SheetColumn("response", _WIDE, cells=[item.response or "" for item in items]),
        SheetColumn("reference", _WIDE, cells=[item.reference or "" for item in items]),
        SheetColumn("cluster", cells=[clusters.get(item.id, "") for item in items]),
        *_facts(items),
    ]
    columns = [
        column for column in columns if column.name in ("item", "annotator", "prompt", "response") or any(column.cells)
    ]
    for leaf in judged:
        classes = scales[leaf.id].classes
        cells = ["" if leaf.id in here else NOT_APPLICABLE for here in applicable]
        note = f"Answers: {', '.join(classes)}; {NOT_APPLICABLE} if it does not apply or cannot be said."
        name = heading_of(leaf, scales[leaf.id])
        columns.append(SheetColumn(name, 30, (*reversed(classes), NOT_APPLICABLE), note, cells))
    return [*columns, SheetColumn(NOTES, _WIDE, cells=[""] * len(items))]


def _facts(items: Sequence[Item]) -> Iterator[SheetColumn]:
    for name in dict.fromkeys(name for item in items for name in item.facts):
        yield SheetColumn(f"facts.{name}", cells=[_fact_text(item.facts.get(name)) for item in items])


def _fact_text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _known(rubric: Rubric, item: Item) -> dict[str, Any]:
    return {"facts": rubric.read_facts(item.facts).facts, "reference": item.reference, "policy": None}


def _asked_later(rubric: Rubric, known: Mapping[str, Any]) -> frozenset[str]:
    """Paths of facts that nobody gave and that a judge will be asked for: what depends on them may apply."""
    facts = known["facts"]
    return frozenset(f"facts.{fact.name}" for fact in rubric.facts_to_ask if value_in(facts, fact.name) is None)


def _applicable(criteria: Sequence[Criterion], known: Mapping[str, Any], unknown: frozenset[str]) -> Iterator[str]:
    for criterion in criteria:
        certain = {path: wanted for path, wanted in criterion.when.items() if path not in unknown}
        if not applies(certain, known):
            continue
        if isinstance(criterion, Group):
            yield from _applicable(criterion.criteria, known, unknown)
        else:
            yield criterion.id


def write_sheet(path: Path, columns: Sequence[SheetColumn]) -> None:
    """Write ``.csv`` or ``.xlsx``, by the name's suffix. Raises BadInput if the file exists: it may hold labels."""
    if path.exists():
        raise BadInput(f"{path} exists and may hold labels.", remedy="Name another file with --out.")
    if path.suffix not in (".csv", ".xlsx"):
        raise BadInput(f"{path.name}: sheets are written as .csv or .xlsx.", remedy="Name the file so.")
    try:
        if path.suffix == ".xlsx":
            write_workbook(path, "labels", columns)
            return
        with path.open(
            "w", encoding="utf-8-sig", newline=""
        ) as file:  # the byte order mark tells spreadsheets that it is UTF-8
            writer = csv.writer(file)
            writer.writerow([marked(column.name) for column in columns])
            writer.writerows(
                [marked(cell) for cell in row] for row in zip(*(one.cells for one in columns), strict=True)
            )
    except OSError as fault:
        raise BadInput(f"{path}: {fault.strerror}.", remedy="Name a file that can be written.") from fault
