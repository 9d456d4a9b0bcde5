"""Plans of labelling: the items of a set that is being collected, how many people label each, and who has which now."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter
from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from judge_server.core.errors import BadInput
from judge_server.core.model import Frozen
from judge_server.store.database import Run
from judge_server.store.measuring_schema import COLLECTED_LABEL, LABEL_PLAN, LABEL_RESERVATION, LABEL_SHOWING
from judge_server.store.payload import decode, encode, microseconds, moment
from judge_server.store.row_values import values_of
from judge_server.store.writing import insert_missing

MOST_ITEMS: Final = 5_000
_BROWSED: Final = " "  # no name of a set that is being collected begins so
RESERVED_FOR: Final = timedelta(minutes=30)
_LONGEST_PAUSE_US: Final = 15 * 60 * 1_000_000


class PlannedItem(Frozen):
    """``judgments``: the stored response to label, or the two of a pair in the order drawn by lot; empty if the texts
    stand here, or if the item is one of the label set ``source``. ``cluster``: of its prompt."""

    id: str
    judgments: tuple[str, ...] = ()
    source: str = ""
    prompt: str = ""
    response: str = ""
    reference: str | None = None
    cluster: str = ""


class StoredPlan(Frozen):
    """``overlap``: how many people label each item, 0 for everybody; ``share``: of the items that two people label if
    one labels the others. ``about``: where the items come from, in words; ``queue``: they were sampled by the audit
    queue; ``filters``: they are stored responses that match these, and further ones may follow."""

    label_set: str
    rubric: str
    kind: Literal["criteria", "pairs"] = "criteria"
    overlap: int = Field(default=0, ge=0, le=20)
    share: float = Field(default=0.0, ge=0, le=1)
    about: str = ""
    queue: bool = False
    filters: dict[str, str] | None = None
    items: Annotated[tuple[PlannedItem, ...], Field(max_length=MOST_ITEMS)] = ()

    def wanted(self, item: str) -> int | None:
        """How many people label the item; None for everybody. Which items two people label follows from their names."""
        if not self.overlap:
            return None
        hashed = int.from_bytes(hashlib.sha256(f"{self.label_set}\0{item}".encode()).digest()[:8])
        return 2 if self.overlap == 1 and hashed < self.share * 2**64 else self.overlap


_ITEMS: Final = TypeAdapter(tuple[PlannedItem, ...])


class LabelProgress(Frozen):
    """``done``: items that the annotator has labelled; ``left``: those that still want a label of anybody;
    ``seconds``: the median from one completed item to the next, None below two."""

    done: int
    left: int
    total: int
    seconds: float | None = None

    @property
    def settled(self) -> int:
        """Items that want no further label."""
        return self.total - self.left


class LabelShowing(Frozen):
    """That an annotator was shown what the judge said about an item, before labelling it or changing its labels.
    ``browsed``: not while labelling, but on a page of judgments or calibrations; then ``label_set`` is empty if the
    item has the same name in every set."""

    label_set: str
    item: str
    annotator: str
    shown_at: datetime
    browsed: bool = False


class LabelPlanRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def put(self, plan: StoredPlan) -> StoredPlan:
        """Begin a plan, or find it begun; one of stored responses may have got items since. Raises BadInput if the set
        has another one."""
        row = {"set_id": plan.label_set, "turns": 0, **_written(plan)}

        def work(connection: Connection) -> StoredPlan:
            insert_missing(connection, LABEL_PLAN, [row])  # first: it waits for who begins another one at this moment
            standing = _plan(connection, plan.label_set) or plan
            own = plan if plan.filters is None else plan.model_copy(update={"items": standing.items})
            if standing != own:
                raise BadInput(
                    f"{plan.label_set} is being labelled by another plan already.",
                    remedy="Go on with it, or begin a set of another name.",
                )
            return standing

        return await self._write(work)

    async def extend(self, plan: StoredPlan, items: Sequence[PlannedItem]) -> StoredPlan:
        """The plan with further items at its end; those that it has already change nothing."""

        def work(connection: Connection) -> StoredPlan:
            own = LABEL_PLAN.c.set_id == plan.label_set
            connection.execute(LABEL_PLAN.update().where(own).values(turns=LABEL_PLAN.c.turns + 1))
            standing = _plan(connection, plan.label_set) or plan
            known = {item.id for item in standing.items}
            further = [item for item in items if item.id not in known]
            made = standing.model_copy(update={"items": (*standing.items, *further)[:MOST_ITEMS]})
            connection.execute(LABEL_PLAN.update().where(own).values(**_written(made)))
            return made

        return await self._write(work)

    async def find(self, set_id: str) -> StoredPlan | None:
        return await self._read(lambda connection: _plan(connection, set_id))

    async def all(self) -> tuple[StoredPlan, ...]:
        """Every plan without its items, by the name of its set; at most a thousand."""
        question = select(LABEL_PLAN.c.payload).order_by(LABEL_PLAN.c.set_id).limit(1_000)
        rows = await self._read(lambda connection: list(connection.execute(question).scalars()))
        return tuple(decode(StoredPlan, row) for row in rows)

    async def next_item(
        self, plan: StoredPlan, annotator: str, *, after: str | None = None, now: datetime | None = None
    ) -> PlannedItem | None:
        """Reserve an item that this annotator has not labelled and that wants a further label, for half an hour; the
        one that was reserved before, if there is one. ``after``: an item to pass over, which comes again at the end.
        Other reservations of the annotator end."""
        at = microseconds(now or datetime.now(UTC))
        return await self._write(lambda connection: _reserve(connection, plan, annotator, after, at))

    async def release(self, set_id: str, item: str, annotator: str) -> None:
        """The annotator has labelled the item."""
        column = LABEL_RESERVATION.c
        gone = LABEL_RESERVATION.delete().where(
            column.set_id == set_id, column.item == item, column.annotator == annotator
        )
        await self._write(lambda connection: connection.execute(gone))

    async def show(self, *showings: LabelShowing) -> None:
        """Record showings; the first of a set, item and annotator stays."""
        rows = [
            {
                "set_id": _browsed(one.label_set) if one.browsed else one.label_set,
                "item": one.item,
                "annotator": one.annotator,
                "shown_us": microseconds(one.shown_at),
            }
            for one in showings
        ]
        await self._write(lambda connection: insert_missing(connection, LABEL_SHOWING, rows))

    async def showing(self, asked: LabelShowing, source: str = "") -> LabelShowing | None:
        """The recorded showing of this item and annotator, whenever it was: one while labelling the set, else one on
        another page. ``source``: the set from which the item was taken, if it is another one."""
        column = LABEL_SHOWING.c
        own = (column.item == asked.item, column.annotator == asked.annotator)
        places = {asked.label_set, *(_browsed(name) for name in ("", source, asked.label_set))}
        found = await self._showings(1, *own, column.set_id.in_(places))
        return found[0] if found else None

    async def showings(self, limit: int) -> tuple[LabelShowing, ...]:
        """What was shown while labelling to whom and when, newest first."""
        column = LABEL_SHOWING.c
        return await self._showings(limit, column.set_id != "", ~column.set_id.startswith(_BROWSED))

    async def _showings(self, limit: int, *wanted: ColumnElement[bool]) -> tuple[LabelShowing, ...]:
        column = LABEL_SHOWING.c
        elsewhere = or_(column.set_id == "", column.set_id.startswith(_BROWSED))
        order = (elsewhere, column.shown_us.desc(), column.item, column.annotator)
        question = select(LABEL_SHOWING).where(*wanted).order_by(*order).limit(limit)
        return await self._read(values_of(question, _showing))

    async def progress(self, plan: StoredPlan, annotator: str) -> LabelProgress:
        def work(connection: Connection) -> LabelProgress:
            labelled = _labelled(connection, plan.label_set)
            left = sum(_short(plan, item.id, labelled[item.id]) for item in plan.items)
            own = sum(annotator in people for people in labelled.values())
            pace = _pace(connection, plan.label_set, annotator)
            return LabelProgress(done=own, left=left, total=len(plan.items), seconds=pace)

        return await self._read(work)


def _browsed(label_set: str) -> str:
    """Where showings of items of the set are kept that were not asked for while labelling."""
    return f"{_BROWSED}{label_set}" if label_set else ""


def _showing(row: Row[Any]) -> LabelShowing:
    return LabelShowing(
        label_set=row.set_id.removeprefix(_BROWSED),
        item=row.item,
        annotator=row.annotator,
        shown_at=moment(row.shown_us),
        browsed=not row.set_id or row.set_id.startswith(_BROWSED),
    )


def _written(plan: StoredPlan) -> dict[str, str]:
    items = _ITEMS.dump_json(plan.items, exclude_defaults=True).decode()
    return {"payload": encode(plan.model_copy(update={"items": ()}), whole=True), "items": items}


def _plan(connection: Connection, set_id: str) -> StoredPlan | None:
    column = LABEL_PLAN.c
    question = select(column.payload, column["items"].label("listed")).where(column.set_id == set_id)
    row = connection.execute(question).one_or_none()
    if row is None:
        return None
    items = _ITEMS.validate_json(row.listed)
    return decode(StoredPlan, row.payload).model_copy(update={"items": items})


def _labelled(connection: Connection, set_id: str) -> dict[str, set[str]]:
    """By item: who has labelled it."""
    column = COLLECTED_LABEL.c
    found: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(column.item, column.annotator).where(column.set_id == set_id).distinct()):
        found[row.item].add(row.annotator)
    return found


def _short(plan: StoredPlan, item: str, people: set[str]) -> bool:
    """Whether the item wants a further label; one that everybody labels wants it until anybody has."""
    return len(people) < (plan.wanted(item) or 1)


def _reserve(
    connection: Connection, plan: StoredPlan, annotator: str, after: str | None, now: int
) -> PlannedItem | None:
    turn = LABEL_PLAN.update().where(LABEL_PLAN.c.set_id == plan.label_set).values(turns=LABEL_PLAN.c.turns + 1)
    connection.execute(turn)  # holds the row: who comes at the same time waits here, and sees this reservation
    column = LABEL_RESERVATION.c
    live = select(column.item, column.annotator).where(column.set_id == plan.label_set, column.until_us > now)
    reserved = connection.execute(live).all()
    own = {row.item for row in reserved if row.annotator == annotator}
    people = _labelled(connection, plan.label_set)
    for other in reserved:
        if other.annotator != annotator:
            people[other.item].add(other.annotator)
    found = next(_open(plan, annotator, people, own, after), None)
    mine = (column.set_id == plan.label_set, column.annotator == annotator)
    connection.execute(LABEL_RESERVATION.delete().where(*mine))
    if found is not None:
        until = now + int(RESERVED_FOR.total_seconds() * 1_000_000)
        row = {"set_id": plan.label_set, "item": found.id, "annotator": annotator, "until_us": until}
        connection.execute(LABEL_RESERVATION.insert(), [row])
    return found


def _open(
    plan: StoredPlan, annotator: str, people: dict[str, set[str]], own: set[str], after: str | None
) -> Iterator[PlannedItem]:
    """What the annotator may get, best first."""
    for item in _in_order(plan.items, own, after):
        wanted = plan.wanted(item.id)
        if annotator not in people[item.id] and (wanted is None or len(people[item.id]) < wanted):
            yield item


def _in_order(items: Sequence[PlannedItem], own: set[str], after: str | None) -> Iterator[PlannedItem]:
    if after is None:
        yield from (item for item in items if item.id in own)
        yield from items
        return
    place = next((number for number, item in enumerate(items) if item.id == after), -1)
    yield from items[place + 1 :]
    yield from items[: place + 1]


def _pace(connection: Connection, set_id: str, annotator: str) -> float | None:
    column = COLLECTED_LABEL.c
    question = select(func.max(column.created_us).label("at")).where(column.set_id == set_id)
    question = question.where(column.annotator == annotator).group_by(column.item).order_by("at")
    moments = list(connection.execute(question).scalars())
    gaps = sorted(later - before for before, later in pairwise(moments))
    gaps = [gap for gap in gaps if gap < _LONGEST_PAUSE_US]
    return gaps[len(gaps) // 2] / 1_000_000 if gaps else None
