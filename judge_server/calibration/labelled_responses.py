"""The labelled responses of a label set, from which a judge is shown examples."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from judge_server.calibration.panels import views
from judge_server.core.judge import ExampleRule
from judge_server.judging.exemplified import ExamplePool, LabelledResponse
from judge_server.labels.label_set import LabelSet
from judge_server.models.sentence_encoder import SentenceEncoder


def labelled_responses(labels: LabelSet) -> Iterator[LabelledResponse]:
    """The dev split's items with both texts and a majority among people; the locked test split is left out."""
    dev = labels.split("dev")
    for view in views(dev):
        scale, majority = view.panel.scale, view.panel.majority()
        for unit in np.flatnonzero(majority >= 0):
            name = view.table.items.names[int(view.item[unit])]
            item = dev.items.get(name)
            if item is None or not item.prompt or not item.response:
                continue
            label = scale.labels[int(majority[unit])]
            row = int(view.rows[np.flatnonzero(view.unit == unit)[0]])
            yield LabelledResponse(
                item=name,
                criterion=view.table.criteria.names[int(view.criterion[unit])],
                cluster=view.table.clusters.names[int(view.table.clusters.codes[row])],
                prompt=item.prompt,
                response=item.response,
                label=label,
                met=None if scale.positive is None else label == scale.positive,
            )


def pool_of(rows: Iterable[LabelledResponse], rule: ExampleRule) -> ExamplePool:
    """Raises BadConfiguration for an encoder that cannot be loaded."""
    return ExamplePool(rows, rule, None if rule.encoder is None else SentenceEncoder(Path(rule.encoder)))
