"""Reads a file of labels completely and reports all of its faults at once."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Final

from judge_server.core.rubric import Rubric
from judge_server.labels.about import About, read_about
from judge_server.labels.label import CriterionScale
from judge_server.labels.label_set import LabelSet, Provenance
from judge_server.labels.readers import delimited, parquet, workbook
from judge_server.labels.readers import layout as wide
from judge_server.labels.readers.assembly import assemble
from judge_server.labels.readers.criterion_column import SOURCES as CRITERION_SOURCES
from judge_server.labels.readers.criterion_column import criterion_columns, tell_unread, unpivot_criteria, with_criteria
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.foreign import ForeignFormat, converted, format_of, records_of
from judge_server.labels.readers.form import OBJECTS, Form, form_of
from judge_server.labels.readers.gathering import Gathering, facts_in
from judge_server.labels.readers.heading import chunks_below, table_of_rows
from judge_server.labels.readers.layout import FACTS, FIELDS, LONG, Layout, is_fact, resolve
from judge_server.labels.readers.records import ROWS, Chunk, Record, chunks_of, records
from judge_server.labels.readers.scale import scales_of

Sourced = Iterator[tuple[Chunk, Mapping[str, str]]]
_AS_NAMED: Final = {field: field for field in FIELDS}


def read_labels(
    path: Path,
    *,
    scales: Iterable[CriterionScale] | None = None,
    rubric: Rubric | None = None,
    layout: Layout = LONG,
    mapping: Iterable[tuple[str, str, str]] = (),
) -> LabelSet:
    """The label set in ``path``: long format (item, criterion, annotator, role, label …) as CSV, JSON Lines, a JSON
    list or Parquet, a Label Studio export, or HealthBench's meta-evaluation; detected by content.

    ``scales`` take precedence over the file's ``.about.json``, that over ``rubric`` (then only its criteria are
    allowed); other scales are inferred from the labels. ``layout`` renames columns or reads a wide table. ``mapping``:
    the meaning of words, as (criterion, word, class), applied first. Raises BadInput whose ``findings`` give row,
    column, message and remedy.
    """
    findings = LabelFindings(path.name)
    gathering = Gathering(findings)
    opened = _open(path, layout, rubric, findings)
    for chunk, sources in opened.chunks:
        gathering.add(chunk, sources, opened.layout.constants)
    about = read_about(path)
    given = _given(scales, about, rubric, opened.scales)
    if rubric is not None:
        _check_criteria(gathering, rubric, findings)
    made = assemble(
        gathering,
        findings,
        given,
        name=about.id or path.name.split(".")[0],
        provenance=_provenance(path, about),
        mapping=mapping,
    )
    return replace(made, judges=about.judges, rubric=rubric or about.rubric)


def names_in(path: Path) -> list[str]:
    """The columns of a table, or the fields of its first record."""
    findings = LabelFindings(path.name)
    form = form_of(path)
    if form in OBJECTS:
        first = next(records(path, form, findings), None)
        return [] if first is None else [str(name) for name in first[1]]
    return _table_of(path, form, findings)[0]


def labels_from(
    rows: Iterable[Record],
    source: str,
    *,
    name: str,
    provenance: Provenance,
    scales: Iterable[CriterionScale] = (),
) -> LabelSet:
    """A label set from records in the long format, with their row numbers. Raises BadInput like ``read_labels``."""
    findings = LabelFindings(source)
    gathering = Gathering(findings)
    for chunk in chunks_of(rows, FIELDS):
        gathering.add(chunk, _AS_NAMED, {})
    return assemble(gathering, findings, {scale.criterion: scale for scale in scales}, name=name, provenance=provenance)


@dataclass(frozen=True)
class _Opened:
    """``chunks`` come with the column of every field; ``scales``: those named by headings."""

    chunks: Sourced
    layout: Layout
    scales: tuple[CriterionScale, ...] = ()


def _open(path: Path, layout: Layout, rubric: Rubric | None, findings: LabelFindings) -> _Opened:
    form = form_of(path)
    if form in OBJECTS:
        return _Opened(_objects(records(path, form, findings), layout, findings), layout)
    names, chunks = _table_of(path, form, findings)
    if "criterion" not in names and "annotator" not in names and not layout.columns:
        peeked, some = _table_of(path, form, LabelFindings(path.name), at_once=1)
        first = next(records_of(some(peeked)), None)
        if first is not None and (foreign := format_of(first[1])) is not None:
            return _Opened(_foreign(foreign, records_of(chunks(names)), layout, findings), layout)
    columns = criterion_columns(names, layout, rubric)
    if columns.criteria:
        layout = with_criteria(layout, columns, names)
        tell_unread(names, layout, columns, rubric, findings)
    return _Opened(_table(names, layout, findings, chunks), layout, columns.scales)


def _table_of(
    path: Path, form: Form, findings: LabelFindings, at_once: int = ROWS
) -> tuple[list[str], Callable[[list[str]], Iterator[Chunk]]]:
    """The heading, and a function that gives the chunks of the named columns. ``at_once``: rows that a packed file
    unpacks together."""
    if form is Form.PARQUET:
        return parquet.heading(path), lambda used: parquet.chunks(path, used, at_once)
    if form is Form.WORKBOOK:
        table = table_of_rows(workbook.rows(path, findings))
        return table.names, lambda _used: chunks_below(table, findings, unmark=False)
    return delimited.heading(path, findings), lambda _used: delimited.chunks(path, findings)


def _objects(found: Iterator[Record], layout: Layout, findings: LabelFindings) -> Sourced:
    first = next(found, None)
    if first is None:
        findings.refuse_if_any()
        return
    rows: Iterator[Record] = chain([first], found)
    foreign = format_of(first[1])
    if foreign is not None:
        yield from _foreign(foreign, rows, layout, findings)
        return
    rows = map(_with_facts, rows)
    names = [name for name in first[1] if not is_fact(name)]
    optional = [field for field in FIELDS if field not in names and field not in layout.columns]
    known = resolve(names, layout, findings)
    findings.refuse_if_any()
    known |= {field: field for field in optional if field not in known and field not in layout.constants}
    wanted = list(dict.fromkeys([*known.values(), *layout.answers]))
    yield from _laid_out(chunks_of(rows, wanted), known, layout)


def _foreign(foreign: ForeignFormat, rows: Iterable[Record], layout: Layout, findings: LabelFindings) -> Sourced:
    found = converted(foreign, list(rows), layout.constants, findings)
    yield from ((chunk, _AS_NAMED) for chunk in chunks_of(found, FIELDS))


def _with_facts(found: Record) -> Record:
    """The record with its keys ``facts.NAME`` merged into one object, because records may have different ones."""
    row, record = found
    dotted = [name for name in record if is_fact(name)]
    if not dotted:
        return found
    own = record.get(FACTS)
    facts = facts_in(own) if isinstance(own, str) and own.strip() else own
    if facts is None or facts == "":
        facts = {}
    if not isinstance(facts, Mapping):
        return found  # the column is already reported
    inner = {name[len(FACTS) + 1 :]: record[name] for name in dotted}
    return row, {**{name: value for name, value in record.items() if name not in dotted}, FACTS: {**facts, **inner}}


def _table(
    names: Sequence[str], layout: Layout, findings: LabelFindings, chunks: Callable[[list[str]], Iterator[Chunk]]
) -> Sourced:
    known = resolve(names, layout, findings)
    findings.refuse_if_any()
    used = list(dict.fromkeys([*known.values(), *layout.answers]))
    yield from _laid_out(chunks(used), known, layout)


def _laid_out(chunks: Iterable[Chunk], known: Mapping[str, str], layout: Layout) -> Sourced:
    for chunk in chunks:
        if layout.annotators:
            yield from ((own, {**known, **wide.SOURCES}) for own in wide.unpivot(chunk, layout.annotators))
        elif layout.criteria:
            sources = {**known, **CRITERION_SOURCES}
            yield from ((own, sources) for own in unpivot_criteria(chunk, layout.criteria))
        else:
            yield chunk, known


def _given(
    scales: Iterable[CriterionScale] | None, about: About, rubric: Rubric | None, headings: Iterable[CriterionScale]
) -> dict[str, CriterionScale]:
    """The named scales by criterion; the last one wins."""
    named = [*headings, *(scales_of(rubric) if rubric else ()), *about.scales, *(scales or ())]
    return {scale.criterion: scale for scale in named}


def _check_criteria(gathering: Gathering, rubric: Rubric, findings: LabelFindings) -> None:
    known = list(rubric.by_id)
    codes = gathering.codes("criterion")
    for code, name in enumerate(gathering.numbering["criterion"].names):
        if name in rubric.by_id or not name:
            continue
        close = get_close_matches(name, known, 1)
        rows = gathering.rows[codes == code]
        findings.add(
            int(rows[0]),
            "criterion",
            f"criterion {name!r} is not in {rubric.name}, in {len(rows)} rows from here",
            f"Did you mean {close[0]!r}?" if close else f"The rubric has: {', '.join(known[:20])}.",
        )


def _provenance(path: Path, about: About) -> Provenance:
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    known = about.provenance or Provenance(source=path.name)
    return known.model_copy(update={"checksum": f"sha256:{checksum}"})
