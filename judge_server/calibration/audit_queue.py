"""The audit queue: draw judgments, collect people's labels in a label set, and estimate agreement with the judges.

People see the conversation, the response and the criteria: neither the judge's verdict nor the reason for the draw,
which would bias them. Stratum and weight are stored with the queue and become tags in the label set.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import Field

from judge_server.core.audit_queue import QueueItem, Sizes
from judge_server.core.criterion import Choice
from judge_server.core.errors import BadInput
from judge_server.core.judgment import Judgment
from judge_server.core.model import Frozen
from judge_server.core.monitor import Series
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Conversation, Submission
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.labels.archive import collect
from judge_server.labels.readers.no_answer import abstains
from judge_server.labels.readers.word import is_boolean
from judge_server.monitoring.queue import draw
from judge_server.store.label_records import Added, CollectedLabel
from judge_server.store.observation import TimeRange
from judge_server.store.store import Store

_MOST_PAIRS: Final = 5_000
_MET: Final = 0.5
_JUDGE: Final = "judge:"


class TaskCriterion(Frozen):
    """``options``: those of a scale, worst to best; a binary criterion is met or unmet."""

    id: str
    statement: str
    options: tuple[str, ...] = ()


class LabellingTask(Frozen):
    """What a person sees. ``judgment`` is the item's name in the label set."""

    judgment: str
    rubric: str
    prompt: str | Conversation
    response: str | Conversation
    reference: str | None = None
    criteria: tuple[TaskCriterion, ...]


class GivenLabel(Frozen):
    """``label``: true, false, an option of the scale, or None if the annotator abstains. ``saw_judge``: the annotator
    had seen what a judge said, so that no measure counts the label."""

    judgment: str = Field(min_length=1, max_length=400)
    criterion: str = Field(min_length=1, max_length=400)
    label: str | bool | int | float | None
    rationale: str | None = None
    saw_judge: bool = False


@dataclass(frozen=True, slots=True)
class _Drawn:
    item: QueueItem
    judgment: Judgment
    submission: Submission
    rubric: Rubric


async def fill(
    store: Store, label_set: str, series: Series, sizes: Sizes, horizon_seconds: float
) -> tuple[QueueItem, ...]:
    """Draw from recent judgments and store the draw. Raises StoreUnavailable."""
    now = datetime.now(UTC)
    span = TimeRange(now - timedelta(seconds=horizon_seconds))
    frame = await store.queue.frame(series, span, label_set)
    pairs = await store.monitor.audits(series, span, _MOST_PAIRS)
    disagreeing = {one.id for part in pairs for one in part if one.disagreed}
    items = await asyncio.to_thread(draw, frame, disagreeing, sizes, label_set, now)
    await store.queue.put(label_set, items)
    return items


async def tasks(store: Store, label_set: str, annotator: str | None, limit: int) -> tuple[LabellingTask, ...]:
    """The open items of one annotator, or of all. Raises StoreUnavailable."""
    items = await store.queue.open_items(label_set, annotator, limit)
    found = [await _drawn(store, item) for item in items]
    return tuple(_task(one) for one in found if one is not None)


async def take(
    store: Store,
    label_set: str,
    annotator: str,
    given: Sequence[GivenLabel],
    *,
    replace: bool = False,
    check: Callable[[Sequence[CollectedLabel]], None] | None = None,
) -> Added:
    """Store a person's labels with the texts, stratum and weight of their items and the judge's verdicts on the same
    criteria; all or none. Raises BadInput naming the invalid label, and what ``check`` raises about the labels that
    stand."""
    if annotator.startswith(_JUDGE):
        raise BadInput(f"annotator: {annotator!r} would be a judge.", remedy=f"Use a name without {_JUDGE}.")
    items = await store.queue.find(label_set, list({one.judgment for one in given}))
    whole = {name: await _drawn(store, item) for name, item in items.items()}
    rows: list[CollectedLabel] = []
    for place, one in enumerate(given):
        drawn = whole.get(one.judgment)
        if drawn is None:
            raise BadInput(
                f"labels.{place}: judgment {one.judgment!r} was not drawn for {label_set!r}.",
                remedy="Label what GET /v1/monitor/audit-queue, or judge-server monitor queue export, gave out.",
            )
        rows += _rows(drawn, one, annotator, place)
    own = {(row.item, row.criterion, row.annotator): row for row in rows}
    added, _ = await collect(label_set, list(own.values()), store.labels, replace=replace, check=check)
    return added


async def _drawn(store: Store, item: QueueItem) -> _Drawn | None:
    """None if it was deleted from the database."""
    judgment, submission = await store.judgment(item.judgment), await store.submission(item.judgment)
    if judgment is None or submission is None or judgment.rubric is None:
        return None
    rubric = await store.rubric_by_digest(judgment.rubric.digest)
    return None if rubric is None else _Drawn(item, judgment, submission, rubric)


def _task(drawn: _Drawn) -> LabellingTask:
    submission = drawn.submission
    return LabellingTask(
        judgment=drawn.item.judgment,
        rubric=drawn.rubric.name,
        prompt=submission.prompt,
        response=submission.response,
        reference=submission.reference,
        criteria=tuple(_asked(drawn).values()),
    )


def _asked(drawn: _Drawn) -> dict[str, TaskCriterion]:
    """Applicable criteria that a judge decided on the whole response; those that a program decides are left out."""
    verdicts = {
        one.criterion
        for one in drawn.judgment.verdicts
        if one.source != "check" and one.step is None and one.status is not VerdictStatus.NOT_APPLICABLE
    }
    return {
        leaf.id: TaskCriterion(
            id=leaf.id,
            statement=leaf.statement,
            options=tuple(option.label for option in leaf.options) if isinstance(leaf, Choice) else (),
        )
        for leaf in drawn.rubric.leaves
        if leaf.id in verdicts
    }


def _rows(drawn: _Drawn, given: GivenLabel, annotator: str, place: int) -> Iterable[CollectedLabel]:
    asked = _asked(drawn).get(given.criterion)
    if asked is None:
        known = ", ".join(_asked(drawn))
        raise BadInput(
            f"labels.{place}.criterion: {given.criterion!r} is not one of this item's criteria.",
            remedy=f"Asked: {known}.",
        )
    if asked.options and given.label is not None and given.label not in asked.options:
        raise BadInput(
            f"labels.{place}.label: {given.label!r} is not an option of {given.criterion!r}.",
            remedy=f"Use one of {', '.join(asked.options)}.",
        )
    if not asked.options and isinstance(given.label, str) and not (is_boolean(given.label) or abstains(given.label)):
        raise BadInput(
            f"labels.{place}.label: {given.label!r} does not say whether {given.criterion!r} is met.",
            remedy="Write true or false (or met, unmet), or null to abstain.",
        )
    content = _item(drawn) | {"criterion": given.criterion}
    said: dict[str, object] = {"annotator": annotator, "role": "human", "label": given.label}
    if given.rationale is not None:
        said["rationale"] = given.rationale
    if given.saw_judge:
        said["saw_judge"] = True
    yield _collected(content | said)
    judge = drawn.judgment.judge
    verdict = next(one for one in drawn.judgment.verdicts if one.criterion == given.criterion)
    if judge is not None and verdict.decided:
        yield _collected(content | {"annotator": f"{_JUDGE}{judge.name}", "role": "judge"} | _said(verdict))


def _said(verdict: Verdict) -> dict[str, object]:
    if verdict.option is not None:
        return {"label": verdict.option}
    value = verdict.value or 0.0
    return {"label": value >= _MET, "probability": value}


def _item(drawn: _Drawn) -> dict[str, object]:
    prompt = drawn.submission.prompt_text
    item, policy = drawn.item, drawn.submission.policy
    fields: Mapping[str, object | None] = {
        "item": item.judgment,
        "cluster": hashlib.blake2b(prompt.encode(), digest_size=12).hexdigest(),
        "prompt": prompt,
        "response": drawn.submission.read.text,
        "reference": drawn.submission.reference,
        "writer": policy,
        "tags": [f"stratum:{item.stratum}", f"weight:{item.weight:.6g}"],
    }
    return {name: value for name, value in fields.items() if value is not None}


def _collected(content: dict[str, object]) -> CollectedLabel:
    names = {name: str(content[name]) for name in ("item", "criterion", "annotator")}
    return CollectedLabel(**names, content=content)
