"""Checks of rows that do not depend on labels: names, roles, clusters, splits, probabilities, duplicates."""

import re
from collections.abc import Sequence
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from judge_server.labels.label import ROLES, Role
from judge_server.labels.label_set import Split
from judge_server.labels.readers.finding import MOST_KEPT, LabelFindings
from judge_server.labels.readers.gathering import Gathering
from judge_server.labels.readers.word import dates_of_entries, is_summary, several_at_once
from judge_server.labels.table import Codes

LONGEST_NAME: Final = 400
_SHORTENED: Final = re.compile(r"[0-9]([.,][0-9]+)?[eE]\+?[0-9]{2,}")
_MOST_SUMMARIES: Final = 8  # rows of sums and means below a table
Longs = NDArray[np.int64]


def check_names(gathering: Gathering, findings: LabelFindings) -> None:
    """Items, criteria and annotators have printable names of bounded length."""
    for key in ("item", "criterion", "annotator", "cluster"):
        codes = gathering.codes(key)
        dates = dates_of_entries(gathering.numbering[key].known) if key in ("item", "cluster") else ()
        for code, name in enumerate(gathering.numbering[key].names):
            if name in dates:
                message = f"the {key} {name!r} is a date: spreadsheets make dates of entries such as 1-2"
                advice = "Format the column as text, and enter it again."
                _add_at(findings, gathering.rows, codes == code, key, message, advice)
            elif not name and key != "cluster":
                message, advice = f"the {key} is empty", f"Every row names its {key}."
                _add_at(findings, gathering.rows, codes == code, key, message, advice)
            elif len(name) > LONGEST_NAME:
                message, advice = f"the {key} has {len(name)} characters", f"Use a short id of at most {LONGEST_NAME}."
                _add_at(findings, gathering.rows, codes == code, key, message, advice)
            elif not name.isprintable() and any(ord(char) < 32 or ord(char) == 127 for char in name):
                message = f"the {key} {name[:40]!r} holds a control character"
                _add_at(findings, gathering.rows, codes == code, key, message, "Remove it.")
            elif key == "item" and _SHORTENED.fullmatch(name):
                message = f"the item {name!r} is a long number that a spreadsheet shortened: its last digits are lost"
                _add_at(
                    findings,
                    gathering.rows,
                    codes == code,
                    key,
                    message,
                    "Format the column as text, and enter it again.",
                )


def check_annotators(gathering: Gathering, findings: LabelFindings) -> None:
    """An annotator is one person: ``ann; bob`` beside ``ann`` is a consensus, which would count as a third person."""
    codes, names = gathering.codes("annotator"), gathering.numbering["annotator"].names
    folded = {name.casefold() for name in names}
    for code, name in enumerate(names):
        if len(name) <= LONGEST_NAME and several_at_once(name, folded - {name.casefold()}):
            message = f"the annotator {name!r} names several annotators at once"
            advice = "Give each a row of their own, or the consensus a name of its own."
            _add_at(findings, gathering.rows, codes == code, "annotator", message, advice)


def check_summaries(gathering: Gathering, findings: LabelFindings) -> None:
    """The last items of a table are no sums or means of those above."""
    items, names = gathering.codes("item"), gathering.numbering["item"].names
    for code in range(len(names) - 1, max(len(names) - 1 - _MOST_SUMMARIES, 1), -1):
        if not is_summary(names[code]):
            return
        message, advice = f"the item {names[code][:40]!r} looks like a row of sums or means", "Remove the row."
        _add_at(findings, gathering.rows, items == code, "item", message, advice)


def roles_of(gathering: Gathering, findings: LabelFindings) -> tuple[Role, ...]:
    """The role of each annotator; findings for unknown roles and for annotators with two roles."""
    roles, rows = gathering.codes("role"), gathering.rows
    words = [name.casefold() for name in gathering.numbering["role"].names]
    meaning = np.array([ROLES.index(word) if word in ROLES else -1 for word in words], dtype=np.int64)
    meant = meaning[roles] if len(roles) else np.empty(0, dtype=np.int64)
    for code in np.flatnonzero(meaning < 0):
        word = gathering.numbering["role"].names[code]
        advice = "Write human, judge or check."
        _add_at(findings, rows, roles == code, "role", f"the role {word[:40]!r} is unknown", advice)
    annotators, names = gathering.codes("annotator"), gathering.numbering["annotator"].names
    known = meant >= 0
    counts = np.bincount(annotators[known] * len(ROLES) + meant[known], minlength=len(ROLES) * len(names))
    counts = counts.reshape(len(names), len(ROLES))
    for code in np.flatnonzero((counts > 0).sum(axis=1) > 1):
        _add_two_roles(findings, rows, annotators == code, meant, names[code])
    return tuple(ROLES[int(place)] for place in counts.argmax(axis=1))


def _add_two_roles(findings: LabelFindings, rows: Codes, own: NDArray[np.bool_], meant: Longs, name: str) -> None:
    """Name the first row of each of the annotator's first two roles."""
    told = [
        (int(rows[np.flatnonzero(own & (meant == place))[0]]), role)
        for place, role in enumerate(ROLES)
        if (own & (meant == place)).any()
    ]
    (one, first), (other, second) = told[:2]
    findings.add(
        max(one, other),
        "role",
        f"annotator {name!r} is a {first} in row {one} and a {second} in row {other}",
        "An annotator has one role: rename one of the two.",
    )


def clusters_of(gathering: Gathering, findings: LabelFindings) -> tuple[tuple[str, ...], Codes]:
    """The cluster of each row; an item without a cluster is its own cluster. An item in two clusters is a finding."""
    numbering = gathering.numbering["cluster"]
    items, codes = gathering.codes("item"), gathering.codes("cluster")
    names = gathering.numbering["item"].names
    nameless = numbering.known.get("")
    if nameless is not None and len(codes):
        own = np.fromiter((numbering[name] for name in names), dtype=np.int32, count=len(names))
        codes = np.where(codes == nameless, own[items], codes).astype(np.int32)
    rows = _second_of(items, codes)
    for row in rows[:MOST_KEPT]:
        item = names[items[row]]
        findings.add(
            int(gathering.rows[row]),
            "cluster",
            f"item {item!r} is in another cluster here than in an earlier row",
            "A cluster is the item's prompt, and an item has one prompt.",
        )
    return numbering.names, codes


def splits_of(
    gathering: Gathering, clusters: tuple[str, ...], codes: Codes, findings: LabelFindings
) -> dict[str, Split]:
    """The split of each cluster that has one. A prompt in both splits is a finding: it would leak."""
    words, rows = gathering.numbering["split"].names, gathering.rows
    splits = gathering.codes("split")
    for code, word in enumerate(words):
        if word.casefold() not in ("", "dev", "test"):
            _add_at(
                findings, rows, splits == code, "split", f"the split {word[:40]!r} is unknown", "Write dev or test."
            )
    for row in _second_of(codes, splits)[:MOST_KEPT]:
        cluster = clusters[codes[row]]
        findings.add(
            int(rows[row]),
            "split",
            f"prompt {cluster!r} is in another split here than in an earlier row",
            "Split by prompt (cluster): all its rows go to one split.",
        )
    firsts = np.unique(codes, return_index=True)[1]
    said = {clusters[codes[row]]: words[splits[row]].casefold() for row in firsts}
    return {cluster: cast("Split", word) for cluster, word in said.items() if word in ("dev", "test")}


def check_probabilities(gathering: Gathering, findings: LabelFindings) -> None:
    values = gathering.probabilities
    wrong = np.flatnonzero((values < 0) | (values > 1))
    for row in wrong[:MOST_KEPT]:
        findings.add(
            int(gathering.rows[row]),
            "probability",
            f"the probability {values[row]:g} is not between 0 and 1",
            "Give the probability of the positive class, from 0 to 1 (not a percentage).",
        )
    findings.count += max(0, len(wrong) - MOST_KEPT)


def check_duplicates(gathering: Gathering, findings: LabelFindings) -> None:
    """An annotator labels an item once per criterion."""
    item, criterion, annotator = (gathering.codes(key).astype(np.int64) for key in ("item", "criterion", "annotator"))
    sizes = [len(gathering.numbering[key].known) for key in ("criterion", "annotator")]
    keys = (item * sizes[0] + criterion) * sizes[1] + annotator
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    again = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    for place in again[:MOST_KEPT]:
        row, first = order[place], order[np.searchsorted(ordered, ordered[place])]
        names = [gathering.numbering[key].names for key in ("item", "criterion", "annotator")]
        findings.add(
            int(gathering.rows[row]),
            "annotator",
            f"{names[2][annotator[row]]!r} labels item {names[0][item[row]]!r} on {names[1][criterion[row]]!r} twice: "
            f"already in row {int(gathering.rows[first])}",
            "Keep one of the two rows; give repeated judgments of one annotator different annotator names.",
        )
    findings.count += max(0, len(again) - MOST_KEPT)


def _second_of(owners: Codes, owned: Codes) -> Longs:
    """For each owner, the first row whose value differs from the owner's first row."""
    if not len(owners):
        return np.empty(0, dtype=np.int64)
    _, firsts, places = np.unique(owners, return_index=True, return_inverse=True)
    differing = np.flatnonzero(owned != owned[firsts][places])
    return differing[np.unique(owners[differing], return_index=True)[1]]


def _add_at(
    findings: LabelFindings, rows: Codes, where: NDArray[np.bool_], column: str, message: str, suggestion: str
) -> None:
    places: Sequence[int] = np.flatnonzero(where).tolist()
    findings.add_rows([int(rows[place]) for place in places[:MOST_KEPT]], column, message, suggestion)
    findings.count += max(0, len(places) - MOST_KEPT)
