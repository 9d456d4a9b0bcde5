"""The index by which texts are searched: made block by block behind the judgments, read by the explorer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, text

from judge_server.store.database import Run
from judge_server.store.schema import TEXT, TEXT_BLOCK
from judge_server.store.trigrams import BLOCK, MOST_CHARACTERS, block_of, places, searched, wanted_rows
from judge_server.store.writing import insert_missing
from judge_server.util.concurrency import cooperatively

_MOST_OPEN: Final = 6
_AT_ONCE: Final = 64
_PARTS_AT_ONCE: Final = 512


class SearchRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def waiting(self) -> bool:
        """Whether a block is full and not indexed."""
        return await self._read(_next_block) is not None

    async def index(self) -> bool:
        """Index the oldest full block that is not indexed; whether there was one."""
        block = await self._write(_next_settled_block)
        if block is None:
            return False
        parts, count = await self._read(lambda connection: _read_block(connection, block))
        return await self._write(lambda connection: _store(connection, block, parts, count))


def candidates(connection: Connection, piece: str) -> frozenset[int] | None:
    """The texts that may hold ``piece``; None if any may: if the piece is shorter than three bytes, or if the index is
    more than six blocks behind."""
    wanted = wanted_rows(piece)
    newest = connection.execute(select(func.max(TEXT.c.id))).scalar_one()
    if not wanted or newest is None:
        return None if newest is not None else frozenset()
    indexed = _indexed(connection)
    open_blocks = [block for block in range(newest // BLOCK + 1) if block not in indexed]
    if len(open_blocks) > _MOST_OPEN:
        return None
    found = set(_holding(connection, open_blocks, piece.casefold()))
    question = select(TEXT_BLOCK).where(TEXT_BLOCK.c.part.in_(list(wanted))).order_by(TEXT_BLOCK.c.block)
    for block, parts in _by_block(connection.execute(question.execution_options(yield_per=_PARTS_AT_ONCE))):
        found.update(block * BLOCK + place for place in places(parts, wanted))
    return frozenset(found)


def holding(connection: Connection, numbers: Sequence[int], piece: str) -> list[int]:
    """Those of the texts that hold ``piece``, and those that are too long to be read here."""
    folded, found = piece.casefold(), list[int]()
    for start in range(0, len(numbers), _AT_ONCE):
        found += _among(connection, TEXT.c.id.in_(numbers[start : start + _AT_ONCE]), folded)
    return found


def _holding(connection: Connection, blocks: Sequence[int], folded: str) -> Iterator[int]:
    within = [and_(TEXT.c.id >= block * BLOCK, TEXT.c.id < (block + 1) * BLOCK) for block in blocks]
    return _among(connection, or_(*within), folded) if within else iter(())


def _among(connection: Connection, which: ColumnElement[bool], folded: str) -> Iterator[int]:
    for number, content in _texts(connection, which):
        if content is None or folded in content:
            yield number


def _texts(connection: Connection, which: ColumnElement[bool]) -> Iterator[tuple[int, str | None]]:
    """Number and content; None for a long one."""
    short = select(TEXT.c.id, TEXT.c.content).where(which, TEXT.c.size <= MOST_CHARACTERS)
    for row in cooperatively(connection.execute(short.execution_options(yield_per=_AT_ONCE))):
        yield row.id, searched(json.loads(row.content))
    long = select(TEXT.c.id).where(which, TEXT.c.size > MOST_CHARACTERS)
    yield from ((number, None) for number in connection.execute(long).scalars())


def _by_block(rows: Any) -> Iterator[tuple[int, Mapping[int, bytes]]]:
    block, parts = None, dict[int, bytes]()
    for row in rows:
        if row.block != block:
            if block is not None:
                yield block, parts
            block, parts = row.block, {}
        parts[row.part] = bytes(row.content)
    if block is not None:
        yield block, parts


def _indexed(connection: Connection) -> frozenset[int]:
    return frozenset(connection.execute(select(TEXT_BLOCK.c.block).where(TEXT_BLOCK.c.part == 0)).scalars())


def _next_block(connection: Connection) -> int | None:
    """The first block that is full and not indexed: numbers of texts only grow."""
    newest = connection.execute(select(func.max(TEXT.c.id))).scalar_one() or 0
    indexed = _indexed(connection)
    return next((block for block in range((newest + 1) // BLOCK) if block not in indexed), None)


def _next_settled_block(connection: Connection) -> int | None:
    """Once no transaction is under way that could still commit a text with a smaller number."""
    _hold(connection)
    return _next_block(connection)


def _hold(connection: Connection) -> None:
    """Wait for those who write texts, and let none begin until this transaction ends. SQLite has one writer."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("LOCK TABLE text IN SHARE MODE"))


def _own(block: int) -> ColumnElement[bool]:
    return and_(TEXT.c.id >= block * BLOCK, TEXT.c.id < (block + 1) * BLOCK)


def _read_block(connection: Connection, block: int) -> tuple[dict[int, bytes], int]:
    count = _count(connection, block)
    parts = block_of((number - block * BLOCK, content) for number, content in _texts(connection, _own(block)))
    return parts, count


def _count(connection: Connection, block: int) -> int:
    return int(connection.execute(select(func.count()).select_from(TEXT).where(_own(block))).scalar_one())


def _store(connection: Connection, block: int, parts: Mapping[int, bytes], count: int) -> bool:
    """Unless texts were erased meanwhile: then it is read again."""
    _hold(connection)
    if _count(connection, block) == count:
        whole = {0: b"", **parts}
        rows = [{"block": block, "part": part, "content": content} for part, content in whole.items()]
        insert_missing(connection, TEXT_BLOCK, rows)
    return True
