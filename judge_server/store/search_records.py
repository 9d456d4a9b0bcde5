"""The index by which texts are searched: made block by block behind the judgments, read by the explorer."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, text

from judge_server.core.errors import StoreUnavailable
from judge_server.store.database import Run, driver_rows
from judge_server.store.payload import unpack
from judge_server.store.schema import TEXT, TEXT_BLOCK
from judge_server.store.trigrams import (
    ANY_BITS,
    BLOCK,
    MOST_CHARACTERS,
    bits_of,
    block_of,
    places,
    searched,
    wanted_rows,
)
from judge_server.store.writing import insert_missing
from judge_server.util.apart import NotDone, apart
from judge_server.util.concurrency import cooperatively

Given = TypeVarTuple("Given")
Result = TypeVar("Result")
_WHOSE: Final = "the index of texts"  # among the callers whose texts wait for the process for long texts
_MOST_OPEN: Final = 6
_AT_ONCE: Final = 32
_PORTION_BYTES: Final = 65_536
_Packed = tuple[int, bytes | None]  # a text's place in its block, and its content
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
        """Index the oldest full block that is not indexed; whether there was one. The texts are read in the process for
        long texts, some at a time: here that would stop all others a thousand times for each block."""
        block = await self._write(_next_settled_block)
        if block is None:
            return False
        count = await self._read(lambda connection: _count(connection, block))
        bits: dict[int, bytes] = {}
        for first in range(block * BLOCK, (block + 1) * BLOCK, _AT_ONCE):
            packed = await self._read(partial(_packed_texts, first=first, end=first + _AT_ONCE))
            for some in _portions(packed):
                bits |= await self._apart(_bits_by_place, some)
        parts = await self._apart(block_of, bits)
        return await self._write(lambda connection: _store(connection, block, parts, count))

    async def _apart(self, work: Callable[[Unpack[Given]], Result], *given: *Given) -> Result:
        try:
            return await apart(_WHOSE, work, *given)
        except NotDone as fault:
            raise StoreUnavailable(f"The texts cannot be indexed: {fault}.") from None


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
    full = ((connection.execute(select(func.max(TEXT.c.id))).scalar_one() or 0) + 1) // BLOCK
    first = select(func.count(), func.max(TEXT_BLOCK.c.block)).where(TEXT_BLOCK.c.part == 0)
    count, last = connection.execute(first).one()
    if count == (-1 if last is None else last) + 1:  # as nearly always, all up to one
        return count if count < full else None
    indexed = _indexed(connection)
    return next((block for block in range(full) if block not in indexed), None)


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


def _packed_texts(connection: Connection, first: int, end: int) -> list[_Packed]:
    """Place in the block and content of the texts from number ``first`` up to ``end``; None for a long one. SQLite
    gives them in one row: its driver gives the interpreter's lock away for each, and waits for it again."""
    size = f"CASE WHEN size <= {MOST_CHARACTERS} THEN"
    own = "FROM text WHERE id >= {0} AND id < {0}"
    if connection.dialect.name != "sqlite":
        query = f"SELECT id, {size} content END {own.format('%s')}"
        rows = driver_rows(connection, query, (first, end))
        return [(number % BLOCK, None if content is None else bytes(content)) for number, content in rows]
    query = f"SELECT group_concat(id || ':' || coalesce({size} hex(content) END, '')) {own.format('?')}"
    ((joined,),) = driver_rows(connection, query, (first, end))
    split = (one.partition(":") for one in (joined or "").split(",") if one)
    return [(int(number) % BLOCK, bytes.fromhex(content) if content else None) for number, _, content in split]


def _portions(packed: Sequence[_Packed]) -> Iterator[list[_Packed]]:
    """Others' texts wait in the process for long texts while one portion is read."""
    portion, size = list[_Packed](), 0
    for place, content in packed:
        if size > _PORTION_BYTES:
            yield portion
            portion, size = [], 0
        portion.append((place, content))
        size += len(content or b"")
    if portion:
        yield portion


def _bits_by_place(packed: Sequence[_Packed]) -> dict[int, bytes]:
    return {
        place: ANY_BITS if content is None else bits_of(searched(json.loads(unpack(content))))
        for place, content in packed
    }


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
