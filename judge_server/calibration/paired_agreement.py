"""Two versions of a judge's rows on the same items: which agrees more often with people, prompt by prompt."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from judge_server.agreement.array import Floats, Ints
from judge_server.agreement.label_weight import RARE, label_weights
from judge_server.agreement.marginal import holm_adjusted, sign_flip
from judge_server.calibration.balanced_sign_flip import balanced_sign_flip
from judge_server.calibration.comparison import NEW, OLD, SIGNIFICANT, merged, shared_panel
from judge_server.calibration.curve_fitting import applied
from judge_server.calibration.improvement import PairedTest
from judge_server.calibration.panels import views
from judge_server.core.fitted_map import FittedMap
from judge_server.labels.label_set import LabelSet
from judge_server.labels.table_builder import table_of

MET = 0.5
LOOKS = 3  # a change is looked at on revise, on select and on the test split: chance objects to a good one three times


def mapped(labels: LabelSet, judge: str, maps: Mapping[str, FittedMap]) -> LabelSet:
    """The judge's rows with fitted probabilities, and labels that follow them from one half on."""
    if not maps:
        return labels
    table = labels.table
    codes, chances = table.labels.codes.copy(), table.probabilities.copy()
    own = table.annotators.codes == table.annotators.index(judge)
    names = table.labels.names
    for name, one in maps.items():
        if name not in table.criteria.names:
            continue
        scale = labels.scale_of(name)
        if scale.positive is None or len(scale.classes) != 2:
            continue
        rows = np.flatnonzero(own & (table.criteria.codes == table.criteria.index(name)) & np.isfinite(chances))
        chances[rows] = applied(one.curve, chances[rows])
        other = next(label for label in scale.classes if label != scale.positive)
        if not {scale.positive, other} <= set(names):
            names = (*names, *(label for label in (scale.positive, other) if label not in names))
        codes[rows] = np.where(chances[rows] >= MET, names.index(scale.positive), names.index(other))
    column = replace(table.labels, names=names, codes=codes)
    return replace(labels, table=replace(table, labels=column, probabilities=chances))


def with_rows_of(labels: LabelSet, other: LabelSet, judge: str, criterion: str) -> LabelSet:
    """``labels``, in which the judge's rows on this criterion are those of ``other``."""
    kept = [row for row in labels.table if row.annotator != judge or row.criterion != criterion]
    new = [row for row in other.table if row.annotator == judge and row.criterion == criterion]
    return replace(labels, table=table_of([*kept, *new]))


@dataclass(frozen=True)
class _Pairs:
    """(ratings,) columns over all criteria: whether the old and the new rows agree with people, the prompt, the
    criterion, and what the rating counts if every label counts alike."""

    old: Ints
    new: Ints
    cluster: Ints
    criterion: Ints
    weight: Floats


def paired_test(old: LabelSet, new: LabelSet, judge: str) -> PairedTest:
    """Whether the new rows agree with the people's majority more often, prompt by prompt, and still do so with every
    label counted alike. Items on which people tie or one of the judges is silent are not compared. Criteria on which
    the new rows are changed and have one label for every item are named if people gave another label at least ``RARE``
    times; so are those on which they are shown to agree less."""
    both = merged(old, judge, new, judge)
    said, alike = _said(both)
    if not len(said.old):
        return PairedTest(ratings=0, prompts=0, before=0, after=0, fixed=0, broken=0)
    return PairedTest(
        ratings=len(said.old),
        prompts=len(np.unique(said.cluster)),
        before=int(said.old.sum()),
        after=int(said.new.sum()),
        fixed=int((said.new > said.old).sum()),
        broken=int((said.old > said.new).sum()),
        p=sign_flip(said.new, said.old, said.cluster).p,
        balanced=balanced_sign_flip(said.old, said.new, said.cluster, said.weight),
        alike=alike,
        worse=tuple(both.table.criteria.names[place] for place in _shown_worse(said)),
    )


def _said(both: LabelSet) -> tuple[_Pairs, tuple[str, ...]]:
    """The pairs, and the criteria on which the new rows are all alike."""
    columns: list[list[Ints]] = [[] for _ in range(5)]
    alike = []
    for view in views(both):
        if not {OLD, NEW} <= set(view.panel.judges):
            continue
        panel = shared_panel(view.panel)
        people = panel.majority()
        used = people >= 0
        old, new, people = (one[used] for one in (panel.judges[OLD].codes, panel.judges[NEW].codes, people))
        rows = (old == people, new == people, panel.cluster[used], view.criterion[used], people)
        for column, own in zip(columns, rows, strict=True):
            column.append(own.astype(np.int64))
        if _all_alike(old, new, people):
            alike.append(view.criteria[0])
    old, new, cluster, criterion, people = (np.concatenate([np.zeros(0, np.int64), *own]) for own in columns)
    return _Pairs(old, new, cluster, criterion, label_weights(people, criterion)), tuple(sorted(alike))


def _shown_worse(said: _Pairs) -> list[int]:
    """Criteria on which the new rows agree less, every label counted alike, at a level shared by all (Holm) and by the
    looks at a change."""
    tested: dict[int, float] = {}
    lost = []
    for place in np.unique(said.criterion):
        own = said.criterion == place
        found = balanced_sign_flip(said.old[own], said.new[own], said.cluster[own], said.weight[own])
        if found.p is not None:
            tested[int(place)] = found.p
            if found.after < found.before:
                lost.append(int(place))
    adjusted = dict(zip(tested, holm_adjusted(list(tested.values())), strict=True))
    return [place for place in lost if adjusted[place] < SIGNIFICANT / LOOKS]


def _all_alike(old: Ints, new: Ints, people: Ints) -> bool:
    """Whether new labels are one for all items, differ from the old ones, and people gave another label often
    enough."""
    if not len(new) or not (new == new[0]).all() or (old == new).all():
        return False
    return bool((people != new[0]).sum() >= RARE)
