"""Label sets, collected labels and readings of locked splits: stored, looked up, listed."""

import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError
from sqlalchemy import Connection, Row, func, select

from judge_server.core.errors import BadInput, StoreUnavailable
from judge_server.core.model import Frozen
from judge_server.store.database import Run
from judge_server.store.measuring_schema import COLLECTED_LABEL, LABEL_SET, LOCKED_READING
from judge_server.store.page import MOST_PER_PAGE
from judge_server.store.payload import decode, decode_mapping, encode, microseconds, moment
from judge_server.store.row_values import values_of
from judge_server.store.turn import take_turn
from judge_server.store.writing import insert_missing
from judge_server.util.canonical import JsonObject


class StoredSet(Frozen):
    """One edition of a label set. ``description``: what listings show of it."""

    id: str
    version: str
    digest: str
    created_at: datetime
    description: JsonObject


class CollectedLabel(Frozen):
    """A label that was sent by itself. ``content``: the label with its item's texts, in the long format."""

    item: str
    criterion: str
    annotator: str
    content: JsonObject


class LabelCollection(Frozen):
    """Labels collected under one name; it grows, so it has no digest."""

    id: str
    labels: int
    newest_at: datetime


class Added(Frozen):
    """``changed`` counts labels that replaced others, ``unchanged`` those that were stored already."""

    new: int
    changed: int
    unchanged: int


class LockedReading(Frozen):
    """``digest`` is the whole label set's; ``read_at`` is aware. ``p``: of the test that the reading served, recorded
    after it as an entry of its own."""

    label_set: str
    digest: str
    split: Literal["test"] = "test"
    reader: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=2_000)
    read_at: datetime
    p: float | None = Field(default=None, ge=0, le=1)


Result = TypeVar("Result")
Check = Callable[[Sequence[CollectedLabel]], Awaitable[None]]
"""Gets every label of a set. Raises if others may not be stored beside them."""


class LabelRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def put_set(self, stored: StoredSet, content: bytes) -> None:
        """Store an edition permanently; the same digest again changes nothing."""
        row = {
            "digest": stored.digest,
            "set_id": stored.id,
            "version": stored.version,
            "created_us": microseconds(stored.created_at),
            "payload": encode(stored, whole=True),
            "content": content,
        }
        await self._write(lambda connection: insert_missing(connection, LABEL_SET, [row]))

    async def sets(self) -> tuple[StoredSet, ...]:
        """The newest thousand editions, newest first."""
        question = select(LABEL_SET.c.payload).order_by(LABEL_SET.c.created_us.desc(), LABEL_SET.c.digest)
        return await self._read(values_of(question.limit(MOST_PER_PAGE), lambda row: _stored(row.payload)))

    async def find_set(self, name: str) -> tuple[StoredSet, bytes] | None:
        """By digest, by ``id@version``, or the newest edition of an id; with its content."""
        set_id, at, version = name.rpartition("@")
        question = select(LABEL_SET.c.payload, LABEL_SET.c.content).order_by(LABEL_SET.c.created_us.desc()).limit(1)
        if name.startswith("sha256:"):
            question = question.where(LABEL_SET.c.digest == name)
        elif at:
            question = question.where(LABEL_SET.c.set_id == set_id, LABEL_SET.c.version == version)
        else:
            question = question.where(LABEL_SET.c.set_id == name)
        row = await self._read(lambda connection: connection.execute(question).one_or_none())
        return None if row is None else (_stored(row.payload), bytes(row.content))

    async def collect(
        self, set_id: str, labels: Sequence[CollectedLabel], *, replace: bool = False, check: Check | None = None
    ) -> Added:
        """Add labels in one transaction: all or none. Raises BadInput if an annotator labelled the same item
        differently on the same criterion before, unless ``replace``; and what ``check`` raises, which is asked again
        if somebody has changed the set while it looked."""
        while True:
            newest: int | None = None
            if check is not None:
                found = await self._dated(set_id)
                await check(tuple(label for _, label in found))
                newest = found[-1][0] if found else 0
            added = await self._write(partial(_collect, set_id=set_id, labels=labels, newest=newest, replace=replace))
            if added is not None:
                return added

    async def collections(self) -> tuple[LabelCollection, ...]:
        """Names under which labels were collected, sorted."""
        column = COLLECTED_LABEL.c
        question = select(column.set_id, func.count().label("labels"), func.max(column.created_us).label("newest"))
        question = question.group_by(column.set_id).order_by(column.set_id)
        rows = await self._read(lambda connection: connection.execute(question).all())
        return tuple(LabelCollection(id=row.set_id, labels=row.labels, newest_at=moment(row.newest)) for row in rows)

    async def collected(self, set_id: str) -> tuple[CollectedLabel, ...]:
        """In order of arrival."""
        return tuple(label for _, label in await self._dated(set_id))

    async def _dated(self, set_id: str) -> tuple[tuple[int, CollectedLabel], ...]:
        """With the microsecond in which each came."""
        column = COLLECTED_LABEL.c
        order = (column.created_us, column.item, column.criterion, column.annotator)
        question = select(COLLECTED_LABEL).where(column.set_id == set_id).order_by(*order)
        return await self._read(values_of(question, lambda row: (row.created_us, _label(row))))

    async def record_reading(self, reading: LockedReading) -> None:
        """Return after the commit, so that the split is read only once the reading is recorded."""
        row = {
            "id": uuid.uuid4().hex,
            "digest": reading.digest,
            "read_us": microseconds(reading.read_at),
            "payload": encode(reading, whole=True),
        }
        await self._write(lambda connection: insert_missing(connection, LOCKED_READING, [row]))

    async def readings(self, digest: str) -> tuple[LockedReading, ...]:
        """Oldest first, without outcomes."""
        return tuple(one for one in await self._entries(digest) if one.p is None)

    async def outcomes(self, digest: str) -> tuple[LockedReading, ...]:
        """What readings led to: reader and reason are the reading's."""
        return tuple(one for one in await self._entries(digest) if one.p is not None)

    async def _entries(self, digest: str) -> tuple[LockedReading, ...]:
        """Oldest first."""
        column = LOCKED_READING.c
        question = select(column.payload).where(column.digest == digest).order_by(column.read_us, column.id)
        return await self._read(values_of(question, lambda row: decode(LockedReading, row.payload)))


def _collect(
    connection: Connection, set_id: str, labels: Sequence[CollectedLabel], newest: int | None, *, replace: bool
) -> Added | None:
    """None if the newest label of the set is not of the time ``newest``, so that it changed since it was read."""
    take_turn(connection, f"labels of {set_id}")
    question = select(func.max(COLLECTED_LABEL.c.created_us)).where(COLLECTED_LABEL.c.set_id == set_id)
    standing_us: int = connection.execute(question).scalar_one() or 0
    if newest is not None and standing_us != newest:
        return None
    now = max(microseconds(datetime.now(UTC)), standing_us + 1)
    new = changed = unchanged = 0
    for place, label in enumerate(labels, 1):
        column = COLLECTED_LABEL.c
        own = (
            (column.set_id == set_id)
            & (column.item == label.item)
            & (column.criterion == label.criterion)
            & (column.annotator == label.annotator)
        )
        payload = json.dumps(label.content, sort_keys=True, separators=(",", ":"))
        standing = connection.execute(select(column.payload).where(own)).scalar_one_or_none()
        if standing is None:
            key = label.model_dump(include={"item", "criterion", "annotator"})
            row = {"set_id": set_id, "created_us": now, "payload": payload, **key}
            insert_missing(connection, COLLECTED_LABEL, [row])
            new += 1
        elif standing == payload:
            unchanged += 1
        elif replace:
            connection.execute(COLLECTED_LABEL.update().where(own).values(payload=payload, created_us=now))
            changed += 1
        else:
            raise BadInput(
                f"labels.{place - 1}: {label.annotator!r} has labelled item {label.item!r} on {label.criterion!r} "
                "otherwise before.",
                remedy='Send "replace": true (--replace) to put the new label in the place of the old one.',
            )
    return Added(new=new, changed=changed, unchanged=unchanged)


def _label(row: Row[Any]) -> CollectedLabel:
    content = decode_mapping(row.payload)
    return CollectedLabel(item=row.item, criterion=row.criterion, annotator=row.annotator, content=content)


def _stored(payload: str) -> StoredSet:
    try:
        return decode(StoredSet, payload)
    except ValidationError as fault:
        raise StoreUnavailable(
            f"A label set is in the database but cannot be read: {fault}",
            remedy="It was written by another judge-server or by hand: read it with the version that wrote it.",
        ) from fault
