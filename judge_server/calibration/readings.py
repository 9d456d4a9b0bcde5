"""Defines which rows count as readings of a judge.

A row with the role judge is a reading. An answer by a program is not: agreement with a word count says nothing about a
judge. A criterion that people labelled but the judge was never asked is an error, not a missing label.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from judge_server.agreement.array import Flags
from judge_server.core.criterion import CheckCriterion
from judge_server.core.errors import BadInput
from judge_server.core.fitted_map import MapSet
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import VerdictStatus
from judge_server.labels.label import Role
from judge_server.labels.label_set import LabelSet
from judge_server.util.wording import many


@dataclass(frozen=True)
class Readings:
    """``judged``: the criteria that judges read. ``checked``: those that programs answer, None without any."""

    judged: LabelSet
    checked: LabelSet | None


def readings(labels: LabelSet) -> Readings:
    """Split the label set into criteria that judges read and criteria that programs answer, without labels of people
    who had seen what a judge said, and without criteria on which people only abstained; the notes name both. Raises
    BadInput if people abstained on all."""
    labels = with_answers(given_blind(labels))
    table = labels.table
    programs = with_role(labels, "check")
    if not programs.any():
        return Readings(labels, None)
    own = np.isin(table.criteria.codes, np.unique(table.criteria.codes[programs]))
    judges = with_role(labels, "judge")
    return Readings(
        judged=replace(labels, table=table.select(~own)), checked=replace(labels, table=table.select(own & ~judges))
    )


def given_blind(labels: LabelSet) -> LabelSet:
    """Without the labels of people who had seen what a judge said about the item: they lean towards it. Raises BadInput
    if that are all labels of people."""
    table = labels.table
    if not table.saw_judge:
        return labels
    if not table.people.any():
        raise BadInput(
            "Everybody had seen the judge's answer before labelling.", remedy="Label some items without looking at it."
        )
    seen = ~table.counted
    names = sorted({table.annotators.names[code] for code in table.annotators.codes[seen]})
    note = (
        f"{many(int(seen.sum()), 'label')} by {', '.join(names)} {'is' if seen.sum() == 1 else 'are'} left out: given "
        "after seeing the judge's answer."
    )
    return replace(labels, table=table.select(~seen), notes=(*labels.notes, note))


def with_answers(labels: LabelSet) -> LabelSet:
    """Without the criteria on which people gave rows but no label: nothing can be measured there."""
    table = labels.table
    human = with_role(labels, "human")
    asked = np.unique(table.criteria.codes[human])
    answered = np.unique(table.criteria.codes[human & (table.labels.codes >= 0)])
    silent = np.setdiff1d(asked, answered)
    if not len(silent):
        return labels
    if not len(answered):
        raise BadInput("People abstained on every criterion.", remedy="Label some items with a class of the scale.")
    names = ", ".join(table.criteria.names[code] for code in silent)
    note = f"People only abstained on {names}: nothing is measured there."
    kept = replace(labels, table=table.select(~np.isin(table.criteria.codes, silent)))
    return replace(kept, notes=(*labels.notes, note))


def of_judges(labels: LabelSet, rubric: Rubric | None) -> LabelSet:
    """Without the criteria that a program answers according to the rubric, regardless of the annotator in the file."""
    if rubric is None:
        return labels
    programs = {leaf.id for leaf in rubric.leaves if isinstance(leaf, CheckCriterion)}
    places = [place for place, name in enumerate(labels.table.criteria.names) if name in programs]
    keep = ~np.isin(labels.table.criteria.codes, places)
    return labels if keep.all() else replace(labels, table=labels.table.select(keep))


def unfitted(labels: LabelSet, maps: MapSet | None) -> LabelSet:
    """Without the prompts that the maps were fitted on, which would test the maps on their training data.

    Raises BadInput if none is left.
    """
    if maps is None or not maps.items:
        return labels
    table, fitted = labels.table, set(maps.items)
    places = [place for place, name in enumerate(table.items.names) if name in fitted]
    own = np.isin(table.items.codes, places)
    keep = ~np.isin(table.clusters.codes, np.unique(table.clusters.codes[own]))
    if not keep.any():
        raise BadInput(
            "The fitted maps of this judge were fitted on every prompt of these labels.",
            remedy="Gate on other labels: for example on the test split, with --split test.",
        )
    return replace(labels, table=table.select(keep))


def with_role(labels: LabelSet, role: Role) -> Flags:
    """(rows,): whether the row's annotator has this role."""
    roles = np.asarray([own == role for own in labels.table.roles], dtype=np.bool_)
    found: Flags = roles[labels.table.annotators.codes]
    return found


def present(labels: LabelSet, role: Role) -> tuple[str, ...]:
    """The annotators of a role with at least one row, in the table's order."""
    table = labels.table
    return tuple(
        table.annotators.names[code] for code in np.unique(table.annotators.codes) if table.roles[code] == role
    )


def never_asked(labels: LabelSet, judge: str) -> dict[str, int]:
    """Criteria that people labelled and this judge was never asked, with the number of items they labelled."""
    table = labels.table
    human = with_role(labels, "human") & (table.labels.codes >= 0)
    own = table.annotators.codes == table.annotators.index(judge)
    unasked = np.zeros(len(table), dtype=np.bool_)
    unasked[[row for row, reason in table.rationales.items() if reason == VerdictStatus.NOT_APPLICABLE.value]] = True
    asked = own & ~(unasked & (table.labels.codes < 0))
    found: dict[str, int] = {}
    for code in np.setdiff1d(table.criteria.codes[human], table.criteria.codes[asked]):
        rows = human & (table.criteria.codes == code)
        found[table.criteria.names[code]] = len(np.unique(table.items.codes[rows]))
    return found


def require_asked(labels: LabelSet, judges: Sequence[str]) -> None:
    """Raises BadInput for a judge that was never asked a criterion which people labelled."""
    for judge in judges:
        missing = never_asked(labels, judge)
        if missing:
            named = ", ".join(f"{name!r} (labelled on {count} items)" for name, count in list(missing.items())[:5])
            raise BadInput(
                f"{judge} was never asked {len(missing)} of the labelled criteria: {named}.",
                remedy="If a condition on a fact kept it from being asked, add the facts as columns facts.NAME and run "
                "the judge again; or measure the other criteria only with --criterion.",
            )
