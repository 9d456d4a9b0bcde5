"""Drafts of rubrics: what an author writes on a page, kept after every change until it is published or discarded."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection, select

from judge_server.core.errors import RubricConflict
from judge_server.core.model import Frozen
from judge_server.store.database import Run
from judge_server.store.payload import decode, encode, microseconds
from judge_server.store.row_values import values_of
from judge_server.store.schema import RUBRIC_DRAFT
from judge_server.store.writing import insert_missing
from judge_server.util.canonical import JsonObject

MOST_SAMPLES = 20
MOST_NOTE = 2_000
KEPT_DISCARDED = timedelta(days=30)


class DraftSample(Frozen):
    """A response on which a draft is tried."""

    prompt: str = Field(min_length=1, max_length=200_000)
    response: str = Field(min_length=1, max_length=200_000)
    reference: str | None = Field(default=None, max_length=200_000)
    facts: JsonObject = Field(default_factory=dict)


class RubricDraft(Frozen):
    """``text``: YAML, valid or not yet; ``base``: the id@version from which it began; ``undo``: the text before the
    last act on a criterion, until something else changes; ``revision``: how often it was kept; ``editor``: the opened
    page that kept it last; ``published``: the id@version it became, ``note``: why; ``discarded``: its author threw it
    away and can take it back for thirty days."""

    id: str
    author: str
    text: str
    base: str | None = None
    samples: Annotated[tuple[DraftSample, ...], Field(max_length=MOST_SAMPLES)] = ()
    undo: str = ""
    revision: int = 0
    editor: str = ""
    updated_at: datetime
    published: str | None = None
    note: str = Field(default="", max_length=MOST_NOTE)
    discarded: bool = False

    @classmethod
    def begun(cls, author: str, text: str, base: str | None = None) -> "RubricDraft":
        """A new one, not kept yet."""
        return cls(
            id=f"draft_{uuid.uuid4().hex[:16]}", author=author, text=text, base=base, updated_at=datetime.now(UTC)
        )


class DraftRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def draft(self, draft_id: str, author: str) -> RubricDraft | None:
        """The author's own draft; None if there is none of this id or if it is another author's."""
        column = RUBRIC_DRAFT.c
        question = select(column.payload).where(column.id == draft_id, column.author == author)
        payload = await self._read(lambda connection: connection.execute(question).scalar_one_or_none())
        return None if payload is None else decode(RubricDraft, payload)

    async def drafts(self, author: str, *, discarded: bool = False) -> tuple[RubricDraft, ...]:
        """Of the author's newest two hundred that are not published: those in work, or the discarded ones; the one
        changed last first."""
        column = RUBRIC_DRAFT.c
        question = select(column.payload).where(column.author == author, column.published.is_(None))
        question = question.order_by(column.updated_us.desc(), column.id).limit(200)
        found = await self._read(values_of(question, lambda row: decode(RubricDraft, row.payload)))
        return tuple(one for one in found if one.discarded is discarded)

    async def became(self, name: str) -> RubricDraft | None:
        """The draft that was published as this id@version."""
        question = select(RUBRIC_DRAFT.c.payload).where(RUBRIC_DRAFT.c.published == name).limit(1)
        payload = await self._read(lambda connection: connection.execute(question).scalar_one_or_none())
        return None if payload is None else decode(RubricDraft, payload)

    async def keep(self, draft: RubricDraft, editor: str) -> RubricDraft:
        """Store what the opened page ``editor`` made of the draft. Raises RubricConflict if another page has changed it
        since this one read it, and if it is published."""
        return await self._write(lambda connection: _keep(connection, draft, editor))

    async def discard(self, draft_id: str, author: str) -> bool:
        """Whether there was such a draft. A published one stays, because it is the rubric's history. What its author
        has discarded more than thirty days ago is removed."""
        return await self._write(lambda connection: _discard(connection, draft_id, author, discarded=True))

    async def take_back(self, draft_id: str, author: str) -> bool:
        """Whether there was such a discarded draft."""
        return await self._write(lambda connection: _discard(connection, draft_id, author, discarded=False))


def _discard(connection: Connection, draft_id: str, author: str, *, discarded: bool) -> bool:
    column, now = RUBRIC_DRAFT.c, datetime.now(UTC)
    question = select(column.payload).where(column.author == author, column.published.is_(None))
    own = [decode(RubricDraft, payload) for payload in connection.execute(question).scalars()]
    gone = [one.id for one in own if one.discarded and one.updated_at < now - KEPT_DISCARDED and one.id != draft_id]
    connection.execute(RUBRIC_DRAFT.delete().where(column.id.in_(gone)))
    found = next((one for one in own if one.id == draft_id and one.discarded is not discarded), None)
    if found is None:
        return False
    made = found.model_copy(update={"discarded": discarded, "updated_at": now})
    row = {"updated_us": microseconds(now), "payload": encode(made, whole=True)}
    connection.execute(RUBRIC_DRAFT.update().where(column.id == draft_id).values(**row))
    return True


def _keep(connection: Connection, draft: RubricDraft, editor: str) -> RubricDraft:
    column = RUBRIC_DRAFT.c
    standing_row = select(column.payload).where(column.id == draft.id).with_for_update()  # pages at once take turns
    payload = connection.execute(standing_row).scalar_one_or_none()
    kept = draft.model_copy(update={"revision": draft.revision + 1, "editor": editor, "updated_at": datetime.now(UTC)})
    row = {
        "updated_us": microseconds(kept.updated_at),
        "published": kept.published,
        "payload": encode(kept, whole=True),
    }
    if payload is None:
        insert_missing(connection, RUBRIC_DRAFT, [{"id": kept.id, "author": kept.author, **row}])
        return kept
    standing = decode(RubricDraft, payload)
    if standing.published is not None:
        raise RubricConflict(f"The draft was published as {standing.published}.", remedy="Begin another one from it.")
    if standing.revision != draft.revision and standing.editor != editor:
        raise RubricConflict(
            "Not kept: the draft was changed on another page meanwhile.",
            remedy="What you wrote stays on this page. Keep it instead of what the other page kept, or leave it.",
        )
    connection.execute(RUBRIC_DRAFT.update().where(column.id == draft.id).values(**row))
    return kept
