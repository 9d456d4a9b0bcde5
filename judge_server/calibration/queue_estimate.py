"""Estimates people's agreement with a judge over all judgments, from the reweighted labels of a sample."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from judge_server.core.audit_queue import QueueItem
from judge_server.core.model import Frozen
from judge_server.labels.archive import collected_set
from judge_server.labels.table import LabelTable
from judge_server.monitoring.clustered import Sample, sample, stratified_share
from judge_server.store.store import Store

_LEAST_CLUSTERS: Final = 2


class StratumAgreement(Frozen):
    """Agreement in one stratum."""

    value: float
    n: int


class Agreement(Frozen):
    """``value``: over all judgments, with each item weighted by the judgments that it represents, and its 95 % interval
    clustered by prompt (None with a single prompt). ``unweighted``: over the drawn items only, which oversample suspect
    judgments. ``n`` labels of ``items`` judgments."""

    judge: str
    value: float
    low: float | None
    high: float | None
    unweighted: float
    n: int
    items: int
    strata: dict[str, StratumAgreement]


@dataclass(frozen=True, slots=True)
class _Compared:
    item: str
    cluster: str
    agreed: float


async def estimate(store: Store, label_set: str) -> tuple[Agreement, ...]:
    """One estimate per judge that shares items with people. Raises StoreUnavailable."""
    labels = await store.labels.collected(label_set)
    if not labels:
        return ()
    drawn = await store.queue.find(label_set, list({label.item for label in labels}))
    table = (await asyncio.to_thread(collected_set, label_set, labels)).table
    compared = _compared(table)
    return tuple(
        _agreement(judge, [one for one in rows if one.item in drawn], drawn)
        for judge, rows in sorted(compared.items())
        if any(one.item in drawn for one in rows)
    )


def _compared(table: LabelTable) -> dict[str, list[_Compared]]:
    """By judge: every label of a person who had not seen it, paired with the judge's verdict."""
    table = table.select(table.counted)
    names = table.annotators.names
    judged: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    people: list[tuple[int, int, int, int]] = []
    columns = (table.items, table.criteria, table.annotators, table.clusters, table.labels)
    for item, criterion, annotator, cluster, label in zip(*(one.codes.tolist() for one in columns), strict=True):
        if label < 0:
            continue
        if table.roles[annotator] == "judge":
            judged[item, criterion][names[annotator]] = label
        else:
            people.append((item, criterion, cluster, label))
    found: dict[str, list[_Compared]] = defaultdict(list)
    for item, criterion, cluster, label in people:
        for judge, said in judged[item, criterion].items():
            found[judge].append(_Compared(table.items.names[item], table.clusters.names[cluster], float(said == label)))
    return found


def _agreement(judge: str, rows: list[_Compared], drawn: Mapping[str, QueueItem]) -> Agreement:
    strata: dict[str, list[_Compared]] = defaultdict(list)
    for one in rows:
        strata[drawn[one.item].stratum].append(one)
    weights = {name: float(drawn[own[0].item].population) for name, own in strata.items()}
    parts = {name: sample([one.agreed for one in own], [one.cluster for one in own]) for name, own in strata.items()}
    known = len({one.cluster for one in rows}) >= _LEAST_CLUSTERS
    value, low, high = stratified_share(list(parts.values()), list(weights.values()))
    plain: Sample = sample([one.agreed for one in rows], [one.cluster for one in rows])
    return Agreement(
        judge=judge.removeprefix("judge:"),
        value=value,
        low=low if known else None,
        high=high if known else None,
        unweighted=plain.mean,
        n=len(rows),
        items=len({one.item for one in rows}),
        strata={name: StratumAgreement(value=own.mean, n=own.n) for name, own in parts.items()},
    )
