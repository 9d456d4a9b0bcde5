"""Pairs of a judge's raw values and people's labels of the same items, on which curves are fitted."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from judge_server.agreement.array import Flags, Floats, Ints
from judge_server.calibration.matching import Match
from judge_server.core.errors import BadInput
from judge_server.labels.label_set import LabelSet
from judge_server.labels.table import LabelTable
from judge_server.util.canonical import canonical_json


@dataclass(frozen=True, eq=False)
class Pairs:
    """One entry for each human label of an item that the judge gave a value: arrays of shape (labels,). ``target``: the
    value of the human's label in [0, 1]; ``cluster``: the prompt's number."""

    raw: Floats
    target: Floats
    item: Ints
    cluster: Ints

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def items(self) -> int:
        return len(np.unique(self.item))

    @property
    def clusters(self) -> int:
        return len(np.unique(self.cluster))

    @property
    def rarer(self) -> int:
        """The number of labels other than the most common one."""
        _, counts = np.unique(self.target, return_counts=True)
        return int(counts.sum() - counts.max()) if len(counts) else 0


def joined(several: Iterable[Pairs]) -> Pairs:
    """Concatenate all; an item on two criteria counts as two items."""
    parts = list(several)
    offset, items = 0, []
    for part in parts:
        items.append(part.item + offset)
        offset += int(part.item.max(initial=-1)) + 1
    return Pairs(
        np.concatenate([part.raw for part in parts]),
        np.concatenate([part.target for part in parts]),
        np.concatenate(items),
        np.concatenate([part.cluster for part in parts]),
    )


def pairs_of(labels: LabelSet, judge: str, matches: Mapping[str, Match]) -> dict[str, Pairs]:
    """Pairs by criterion. Raises BadInput for a judge that is not in the labels."""
    table = labels.table
    found = {name: values_of(table, judge, match) for name, match in matches.items()}
    return {name: paired(table, match, found[name], np.isfinite(found[name])) for name, match in matches.items()}


def require_judge(table: LabelTable, judge: str) -> None:
    known = table.annotators_of("judge")
    if judge not in known:
        raise BadInput(
            f"The file has no judge {judge!r}; its judges: {', '.join(known) or 'none'}.",
            remedy="Name one of them, or send the items to it with judge-server calibrate run.",
        )


def rows_of(table: LabelTable, judge: str, match: Match) -> Ints:
    """The rows of a judge on a criterion. Raises BadInput for a judge that is not in the labels."""
    require_judge(table, judge)
    return np.flatnonzero(_here(table, match) & (table.annotators.codes == table.annotators.index(judge)))


def values_of(table: LabelTable, judge: str, match: Match) -> Floats:
    """The judge's raw value of each item; nan without one. Raises BadInput for a judge that is not in the labels."""
    raw = np.full(len(table.items.names), np.nan)
    for row in rows_of(table, judge, match):
        raw[table.items.codes[row]] = raw_value(table, int(row), match)
    return raw


def _here(table: LabelTable, match: Match) -> Flags:
    name = match.scale.criterion
    here: Flags = table.criteria.codes == (table.criteria.index(name) if name in table.criteria.names else -1)
    return here


def paired(table: LabelTable, match: Match, raw: Floats, kept: Flags) -> Pairs:
    """People's labels of the ``kept`` items beside their ``raw`` values; both by item."""
    human = table.people & (table.labels.codes >= 0)
    people = np.flatnonzero(_here(table, match) & human & kept[table.items.codes])
    used = np.unique(table.labels.codes[people])
    worth = np.full(len(table.labels.names), np.nan)
    worth[used] = [match.value_of(table.labels.names[code]) for code in used]
    item = table.items.codes[people].astype(np.int64)
    return Pairs(raw[item], worth[table.labels.codes[people]], item, table.clusters.codes[people].astype(np.int64))


def raw_value(table: LabelTable, row: int, match: Match) -> float:
    """The judge's value in [0, 1]: its probability of being met, or of a scale the expected value (the label's value if
    it gave no probabilities); nan if there is no label."""
    if match.binary:
        return float(table.probabilities[row])
    shares = table.distributions.get(row)
    if shares and match.values:
        return min(sum(match.values[label] * share for label, share in shares.items()), 1.0)
    code = int(table.labels.codes[row])
    return match.value_of(table.labels.names[code]) if code >= 0 else float("nan")


def rows_digest(labels: LabelSet, judge: str) -> str:
    """Digest of one judge's items, criteria, labels and probabilities, independent of other annotators in the file."""
    table = labels.table
    if judge not in table.annotators.names:
        return ""
    lines = []
    for row in np.flatnonzero(table.annotators.codes == table.annotators.index(judge)):
        label = table.row(int(row))
        shares = None if label.probabilities is None else sorted(label.probabilities.items())
        lines.append(canonical_json([label.item, label.criterion, label.label, label.probability, shares]))
    return "sha256:" + hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogatepass")).hexdigest()
