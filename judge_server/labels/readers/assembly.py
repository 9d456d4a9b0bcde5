"""Builds the label set from gathered rows once all checks pass."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from judge_server.core.errors import BadInput
from judge_server.labels.label import CriterionScale, Item, Role
from judge_server.labels.label_set import LabelSet, Provenance
from judge_server.labels.observations import observed
from judge_server.labels.readers.checking import (
    check_annotators,
    check_duplicates,
    check_names,
    check_probabilities,
    check_summaries,
    clusters_of,
    roles_of,
    splits_of,
)
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.gathering import Gathering, facts_in
from judge_server.labels.readers.layout import FACTS, is_fact
from judge_server.labels.readers.placing import Placed, Placer
from judge_server.labels.table import ABSTAINED, Column, LabelTable

_NAMED: Final = ("item", "criterion", "annotator")


def assemble(
    gathering: Gathering,
    findings: LabelFindings,
    scales: Mapping[str, CriterionScale],
    *,
    name: str,
    provenance: Provenance,
    mapping: Iterable[tuple[str, str, str]] = (),
) -> LabelSet:
    """Raises BadInput with every finding, including those from reading the file. The version is the first twelve digits
    of the file's checksum, or of the digest if there is no file."""
    if not len(gathering.rows):
        findings.refuse_if_any()
        raise BadInput(
            f"{findings.source} holds no labels.",
            remedy="Each row below the heading is one label; see judge-server docs labels.",
        )
    check_names(gathering, findings)
    check_annotators(gathering, findings)
    check_summaries(gathering, findings)
    roles = roles_of(gathering, findings)
    clusters, cluster_codes = clusters_of(gathering, findings)
    splits = splits_of(gathering, clusters, cluster_codes, findings)
    check_probabilities(gathering, findings)
    check_duplicates(gathering, findings)
    placed = Placer(gathering, roles, scales, findings, mapping).place()
    findings.refuse_if_any()
    table = _table(gathering, placed, roles, Column(clusters, cluster_codes))
    made = LabelSet(
        id=name,
        version="",
        provenance=provenance,
        scales=placed.scales,
        table=table,
        items=_items(gathering),
        splits=splits,
        notes=(*findings.notes, *placed.notes, *_nothing_given(placed)),
    )
    made = observed(made)
    version = (provenance.checksum or made.digest).removeprefix("sha256:")[:12]
    return replace(made, version=version)


def _nothing_given(placed: Placed) -> Iterator[str]:
    """A note about a file in which every label is empty."""
    if (placed.labels.codes == ABSTAINED).all():
        yield "No row has a label. Colours, ticks and comments of a sheet are not read: write the answers as words."


def _table(gathering: Gathering, placed: Placed, roles: tuple[Role, ...], clusters: Column) -> LabelTable:
    column = {key: Column(gathering.numbering[key].names, gathering.codes(key)) for key in _NAMED}
    return LabelTable(
        items=column["item"],
        criteria=column["criterion"],
        annotators=column["annotator"],
        clusters=clusters,
        labels=placed.labels,
        roles=roles,
        probabilities=gathering.probabilities,
        rows=gathering.rows,
        rationales=gathering.rationales,
        invalid=placed.invalid,
        distributions=gathering.distributions,
        saw_judge=frozenset(gathering.saw_judge),
    )


def _items(gathering: Gathering) -> dict[str, Item]:
    """The items that have more than an id in the file."""
    texts = {field: column for field, column in gathering.texts.items() if any(column)}
    found: dict[str, Item] = {}
    for place, name in enumerate(gathering.numbering["item"].names if texts else ()):
        own = {field: column[place] for field, column in texts.items() if place < len(column) and column[place]}
        tags = tuple(dict.fromkeys(tag.strip() for tag in own.pop("tags", "").split(";") if tag.strip()))
        facts = dict(facts_in(own.pop(FACTS, "{}")) or {})
        facts |= {field.removeprefix(f"{FACTS}."): own.pop(field) for field in list(own) if is_fact(field)}
        if own or tags or facts:
            found[name] = Item(id=name, tags=tags, facts=facts, **own)
    return found
