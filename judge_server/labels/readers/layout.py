"""Maps the columns of a file to the fields of a label, and converts wide tables to long ones."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Final

from judge_server.labels.label import Role
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.records import Chunk

REQUIRED: Final = ("item", "criterion", "annotator", "role", "label")
TEXTS: Final = ("prompt", "response", "reference", "writer", "language")
FACTS: Final = "facts"
SAW_JUDGE: Final = "saw_judge"
OPTIONAL: Final = ("probability", "probabilities", "cluster", "rationale", SAW_JUDGE, *TEXTS, "tags", FACTS, "split")
FIELDS: Final = (*REQUIRED, *OPTIONAL)
_MOST_LOOKED_AT: Final = 200  # columns searched for a similar name
_LONGEST_NAME: Final = 200
_OTHER_NAMES: Final = {
    "item": ("item_id", "id", "example", "example_id", "sample", "sample_id", "question_id", "uid"),
    "criterion": ("criterion_id", "criteria", "dimension", "aspect", "metric", "question", "attribute"),
    "annotator": ("annotator_id", "rater", "rater_id", "labeler", "labeller", "worker", "user", "judge", "expert"),
    "role": ("kind", "annotator_type", "source", "type"),
    "label": ("rating", "score", "value", "annotation", "verdict", "answer", "class"),
}


@dataclass(frozen=True)
class Layout:
    """How to read a table whose heading does not say it. ``columns``: the file's column for a field; ``constants``: a
    field that is the same in every row; ``annotators``: columns that hold one annotator's labels each (a wide table),
    with their roles; ``criteria``: columns that hold one criterion's labels each, with its id."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    annotators: Mapping[str, Role] = field(default_factory=dict)
    criteria: Mapping[str, str] = field(default_factory=dict)

    @property
    def divided(self) -> frozenset[str]:
        """The fields that other columns stand for."""
        if self.annotators:
            return frozenset(("annotator", "role", "label"))
        return frozenset(("criterion", "label") if self.criteria else ())

    @property
    def answers(self) -> tuple[str, ...]:
        """The columns that hold the labels of a wide table."""
        return (*self.annotators, *self.criteria)


LONG: Final = Layout()


def resolve(names: Sequence[str], layout: Layout, findings: LabelFindings) -> dict[str, str]:
    """Field → column of the file. Adds a finding for each required field without a column."""
    tidy = {name.strip().casefold(): name for name in reversed(names)}
    found: dict[str, str] = {}
    for wanted in FIELDS:
        if wanted in layout.constants or wanted in layout.divided:
            continue
        source = layout.columns.get(wanted)
        if source is None and wanted in tidy:
            found[wanted] = tidy[wanted]
        elif source in names:
            found[wanted] = str(source)
        elif source is not None or wanted in REQUIRED:
            _missing(wanted, source, names, found, findings)
    found |= {f"{FACTS}.{name.strip()[len(FACTS) + 1 :]}": name for name in names if is_fact(name.strip())}
    for column in layout.answers:
        if column not in names:
            findings.add(1, column, f"there is no column {column!r}", _near(column, names))
    counts = Counter(names)
    for name in sorted({name for name in (*found.values(), *layout.answers) if name and counts[name] > 1}):
        findings.add(1, name, f"the column {name!r} appears twice", "Keep one of them.")
    _spelled_twice(names, found, findings)
    return found


def _doubled(name: str) -> str | None:
    """The column of which ``label.1`` is a second one, as programs rename equal headings; None for other names."""
    stem, dot, number = name.rpartition(".")
    return stem if dot and number.isdecimal() and len(number) < 3 else None


def _spelled_twice(names: Sequence[str], found: Mapping[str, str], findings: LabelFindings) -> None:
    """Two headings that differ only in case, such as Label and label, or in a number, such as label and label.1: which
    one is meant is not known."""
    for name in names:
        if (stem := _doubled(name)) and stem in found.values():
            findings.add(1, name, f"the column {name!r} is a second {stem!r}", "Keep one, or rename the other.")
    spellings: dict[str, set[str]] = {}
    for name in names:
        spellings.setdefault(name.strip().casefold(), set()).add(name)
    read = {name.strip().casefold() for name in found.values()}
    for key, same in spellings.items():
        if len(same) > 1 and key in read and not {key} & {name for name in found.values() if name not in same}:
            first, other = sorted(same)[:2]
            findings.add(1, other, f"the columns {first!r} and {other!r} differ only in case", "Keep one of them.")


_MORE_NAMES: Final = {
    "prompt": ("question", "instruction", "input", "query"),
    "response": ("answer", "completion", "output", "text"),
    "rationale": ("comment", "reason", "explanation", "notes"),
    "cluster": ("prompt_id", "question_id"),
}


def guessed(names: Sequence[str], layout: Layout) -> Layout | None:
    """The layout with a column for every missing field that has a usual name among ``names``, and people as annotators
    if no column says their role. None if a required field stays without a column."""
    tidy = {name.strip().casefold(): name for name in reversed(names)}
    columns, constants = dict(layout.columns), dict(layout.constants)
    taken = {*columns.values()}
    for wanted, usual in (*_OTHER_NAMES.items(), *_MORE_NAMES.items()):
        known = wanted in tidy or wanted in columns or wanted in constants or wanted in layout.divided
        free = (tidy[name] for name in usual if name in tidy and tidy[name] not in taken)
        column = None if known else next(free, None)
        if column is not None and not (wanted == "role" and layout.divided):
            columns[wanted] = column
            taken.add(column)
        elif not known and wanted == "role":
            constants["role"] = "human"
        elif not known and wanted in REQUIRED:
            return None
    return (
        None
        if (columns, constants) == (layout.columns, layout.constants)
        else replace(layout, columns=columns, constants=constants)
    )


def is_fact(name: str) -> bool:
    """Whether a column or field holds one fact: ``facts.NAME``."""
    return name[: len(FACTS) + 1].casefold() == f"{FACTS}." and len(name) > len(FACTS) + 1


def _missing(
    wanted: str, source: str | None, names: Sequence[str], found: Mapping[str, str], findings: LabelFindings
) -> None:
    names = [name[:_LONGEST_NAME] for name in names[:_MOST_LOOKED_AT]]
    shown = ", ".join(names[:20]) or "nothing"
    if source is not None:
        findings.add(1, source, f"there is no column {source!r} for {wanted}; found: {shown}", _near(source, names))
        return
    free = [name for name in names if name not in found.values()]
    likely = [name for name in free if name.strip().casefold() in _OTHER_NAMES.get(wanted, ())]
    close = get_close_matches(wanted, free, 1)
    guess = next(iter(likely or close), None)
    if guess is not None:
        advice = f"Rename {guess!r} to {wanted!r}, or: judge-server calibrate import FILE --column {wanted}={guess}."
    elif wanted == "annotator":
        advice = (
            "If one person labelled everything: judge-server calibrate import FILE --annotator NAME. If each annotator "
            "has a column: --human COLUMN --judge COLUMN --column item=COLUMN --criterion NAME."
        )
    elif wanted == "criterion":
        advice = (
            "If all rows are of one criterion: judge-server calibrate import FILE --criterion NAME. If each criterion "
            "has a column: --criterion-column NAME=COLUMN, or --rubric if the headings are its ids or statements."
        )
    else:
        advice = (
            "If each annotator has a column: judge-server calibrate import FILE --human COLUMN --judge COLUMN "
            "--column item=COLUMN --criterion NAME --out labels.csv."
        )
    findings.add(1, wanted, f"the column {wanted!r} is missing; found: {shown}", advice)


def _near(wanted: str, names: Sequence[str]) -> str:
    close = get_close_matches(wanted, [name[:_LONGEST_NAME] for name in names[:_MOST_LOOKED_AT]], 1)
    return f"Did you mean {close[0]!r}?" if close else "Name one of the file's columns."


LABEL, ANNOTATOR, ROLE = "\0label", "\0annotator", "\0role"  # cannot occur in a file's heading
SOURCES: Mapping[str, str] = {"label": LABEL, "annotator": ANNOTATOR, "role": ROLE}


def unpivot(chunk: Chunk, annotators: Mapping[str, Role]) -> Iterator[Chunk]:
    """The chunk once for each annotator, with that column as the label."""
    size = len(chunk.rows)
    for column, role in annotators.items():
        own = {LABEL: chunk.columns[column], ANNOTATOR: [column] * size, ROLE: [role] * size}
        yield Chunk(chunk.rows, {**chunk.columns, **own})
