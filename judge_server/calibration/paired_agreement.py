"""Two versions of a judge's rows on the same items: which agrees more often with people, prompt by prompt."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from judge_server.agreement.array import Ints
from judge_server.agreement.marginal import sign_flip
from judge_server.calibration.comparison import NEW, OLD, merged, shared_panel
from judge_server.calibration.curve_fitting import applied
from judge_server.calibration.improvement import PairedTest
from judge_server.calibration.panels import views
from judge_server.core.fitted_map import FittedMap
from judge_server.labels.label_set import LabelSet
from judge_server.labels.table_builder import table_of

MET = 0.5
RARE = 5  # with fewer of the rarer label no coefficient has an interval either


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


def paired_test(old: LabelSet, new: LabelSet, judge: str) -> PairedTest:
    """Whether the new rows agree with the people's majority more often, prompt by prompt. Items on which people tie or
    one of the judges is silent are not compared. Criteria on which the new rows are changed and have one label for
    every item are named if people gave another label at least ``RARE`` times."""
    right: list[list[Ints]] = [[], []]
    clusters, alike = [], list[str]()
    for view in views(merged(old, judge, new, judge)):
        if not {OLD, NEW} <= set(view.panel.judges):
            continue
        panel = shared_panel(view.panel)
        reference = panel.majority()
        used = reference >= 0
        for place, name in enumerate((OLD, NEW)):
            right[place].append((panel.judges[name].codes == reference)[used].astype(np.int64))
        clusters.append(panel.cluster[used])
        places = view.criterion[used]
        for place in np.unique(places):
            codes = [
                one[used][places == place] for one in (panel.judges[OLD].codes, panel.judges[NEW].codes, reference)
            ]
            if _all_alike(*codes):
                alike.append(view.table.criteria.names[place])
    if not clusters or not sum(map(len, clusters)):
        return PairedTest(ratings=0, prompts=0, before=0, after=0, fixed=0, broken=0)
    before, after, cluster = np.concatenate(right[0]), np.concatenate(right[1]), np.concatenate(clusters)
    return PairedTest(
        ratings=len(before),
        prompts=len(np.unique(cluster)),
        before=int(before.sum()),
        after=int(after.sum()),
        fixed=int((after > before).sum()),
        broken=int((before > after).sum()),
        p=sign_flip(after, before, cluster).p,
        alike=tuple(sorted(alike)),
    )


def _all_alike(old: Ints, new: Ints, people: Ints) -> bool:
    """Whether new labels are one for all items, differ from the old ones, and people gave another label often
    enough."""
    if not (new == new[0]).all() or (old == new).all():
        return False
    return bool((people != new[0]).sum() >= RARE)
