"""Where the items of a labelling plan come from: stored responses, pairs of them, a file, the audit queue, or what a
judge and people disagree about."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydantic import ValidationError

from judge_server.core.errors import BadInput
from judge_server.core.judgment import Judgment
from judge_server.labels.label import Item
from judge_server.labels.readers.responses import read_responses
from judge_server.server.calibration_results import report_of
from judge_server.server.pages.label_task import item_of
from judge_server.server.problems import refused
from judge_server.server.routes.judgments import JudgmentQuery
from judge_server.store.label_plan_records import MOST_ITEMS, PlannedItem, StoredPlan
from judge_server.wiring.service import Service

FILTERS: Final = ("run", "step", "group", "status", "reward_below", "q")
_AT_ONCE: Final = 200
_MOST_PAIRED: Final = 1_000
_PAIRS_OF_A_GROUP: Final = 3


async def stored_items(
    service: Service, rubric: str, filters: Mapping[str, str], known: frozenset[str] = frozenset()
) -> list[PlannedItem]:
    """Up to 200 stored responses judged under the rubric that are not ``known``, newest first; one for each
    submission."""
    found: dict[str, PlannedItem] = {}
    async for one in _judgments(service, rubric, filters):
        name = item_of(one)
        if one.submission_digest and name not in known and name not in found:
            found[name] = PlannedItem(id=name, judgments=(one.id,))
        if len(found) == _AT_ONCE:
            break
    return list(found.values())


async def pairs(service: Service, rubric: str, filters: Mapping[str, str]) -> list[PlannedItem]:
    """Pairs of responses of one group, at most three of each, among the newest thousand; which is shown first is drawn
    by lot, and recorded in the item's name, ``GROUP/FIRST-vs-SECOND``."""
    groups: dict[tuple[str | None, int | None, str], dict[str, str]] = defaultdict(dict)
    count = 0
    async for one in _judgments(service, rubric, filters):
        count += 1
        place = one.submission
        if place.group and one.submission_digest:
            groups[place.run, place.step, place.group][item_of(one)] = one.id
        if count == _MOST_PAIRED:
            break
    return [item for key, members in groups.items() for item in _pairs_of(str(key), members)]


async def file_items(name: str, content: bytes) -> list[PlannedItem]:
    """The rows of an uploaded file: CSV, XLSX or JSON Lines with prompt and response."""
    if not content:
        raise BadInput("No file is chosen.", remedy="Choose one with the columns prompt and response.")
    items = await asyncio.to_thread(_read_file, name, content)
    return [
        PlannedItem(
            id=item.id,
            prompt=item.prompt or "",
            response=item.response or "",
            reference=item.reference,
            cluster=_hashed(item.prompt or ""),
        )
        for item in items
    ]


async def queue_items(service: Service, label_set: str) -> list[PlannedItem]:
    """What the audit queue has drawn for the set and nobody has labelled."""
    drawn = await service.store.queue.open_items(label_set, None, MOST_ITEMS)
    return [PlannedItem(id=one.judgment, judgments=(one.judgment,)) for one in drawn]


async def disagreement_items(service: Service, calibration_id: str) -> list[PlannedItem]:
    """The items on which the judge of a calibration differs most from people, worst first."""
    if not calibration_id:
        raise BadInput(
            "No calibration is chosen whose disagreements are to be labelled.",
            remedy="Choose one below, among the stored responses and disagreements.",
        )
    record = await service.store.calibrations.calibration(calibration_id)
    report = None if record is None else await report_of(service.store, record.id)
    if record is None or report is None:
        raise BadInput(
            f"The disagreements of {calibration_id[:60]!r} are not kept.", remedy="Choose a calibration of the list."
        )
    names = dict.fromkeys(one.item for one in report.disagreements.get(record.judge.name, ()))
    return [PlannedItem(id=name, source=record.labels.id) for name in names]


async def topped_up(service: Service, plan: StoredPlan) -> StoredPlan:
    """The plan with stored responses that came since; unchanged if it has another source, or if there are none."""
    if plan.filters is None or len(plan.items) >= MOST_ITEMS:
        return plan
    known = frozenset(item.id for item in plan.items)
    further = await stored_items(service, plan.rubric, plan.filters, known)
    return await service.store.label_plans.extend(plan, further) if further else plan


async def _judgments(service: Service, rubric: str, filters: Mapping[str, str]) -> AsyncIterator[Judgment]:
    asked = {name: filters[name] for name in FILTERS if filters.get(name, "").strip()}
    try:
        query = JudgmentQuery.model_validate({"limit": _AT_ONCE, "rubric": rubric} | asked)
    except ValidationError as fault:
        raise refused(fault.errors(include_url=False), asked) from None
    cursor: str | None = None
    while True:
        found = await service.store.judgments(limit=query.limit, cursor=cursor, **query.wanted)
        for one in found.items:
            yield one
        cursor = found.next_cursor
        if cursor is None:
            return


def _pairs_of(group: str, members: Mapping[str, str]) -> Iterator[PlannedItem]:
    every = sorted(combinations(sorted(members), 2), key=lambda pair: _hashed(f"{group} {pair}"))
    for pair in every[:_PAIRS_OF_A_GROUP]:
        first, second = pair if int(_hashed(f"order {group} {pair}"), 16) % 2 else pair[::-1]
        name = f"{_hashed(group)[:12]}/{first[:12]}-vs-{second[:12]}"
        yield PlannedItem(id=name, judgments=(members[first], members[second]))


def _read_file(name: str, content: bytes) -> list[Item]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / (Path(name.replace("\\", "/")).name[-80:] or "file")
        path.write_bytes(content)
        return read_responses(path, MOST_ITEMS)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
