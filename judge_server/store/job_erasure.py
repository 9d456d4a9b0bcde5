"""Items of jobs that have no judgment: those that wait, and those that could not be judged. An erasure finds them by
what they say of themselves.
"""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, and_, select, tuple_, update

from judge_server.core.erasure import ErasureWish
from judge_server.core.judgment import Judgment
from judge_server.store.database import Run
from judge_server.store.payload import decode_mapping, encode
from judge_server.store.schema import JOB, JOB_ITEM

_AT_ONCE: Final = 200
_EMPTY: Final = "{}"
_Place = tuple[str, int]


class JobErasure:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def erase(self, wish: ErasureWish, instead: Judgment) -> int:
        """Empty the items that match, and end those that wait with the result ``instead``; how many there were. One
        that is being judged at this moment is not stored afterwards."""
        if wish.judgment is not None:
            return 0
        count, after = 0, ("", -1)
        while True:
            found, last = await self._read(partial(_matching, wish, after))
            if found:
                count += await self._write(partial(_erase, found, instead))
            if last is None:
                return count
            after = last


def _matching(wish: ErasureWish, after: _Place, connection: Connection) -> tuple[list[_Place], _Place | None]:
    """Of the next 200 items those that match, and where to go on; None at the end."""
    column = JOB_ITEM.c
    question = select(column.job_id, column.position, column.item, JOB.c.caller).join(JOB, JOB.c.id == column.job_id)
    question = question.where(column.judgment_id.is_(None), column.item != _EMPTY)
    question = question.where(tuple_(column.job_id, column.position) > tuple_(*after))
    rows = connection.execute(question.order_by(column.job_id, column.position).limit(_AT_ONCE)).all()
    found = [(row.job_id, row.position) for row in rows if _matches(wish, row.item, row.caller)]
    return found, (rows[-1].job_id, rows[-1].position) if len(rows) == _AT_ONCE else None


def _matches(wish: ErasureWish, item: str, caller: str) -> bool:
    if wish.caller not in (None, caller):
        return False
    try:
        said = decode_mapping(item)
    except ValueError:
        said = {}
    return all(_says(said, name, value) for name, value in _wanted(wish).items())


def _wanted(wish: ErasureWish) -> Mapping[str, Any]:
    return wish.model_dump(exclude={"judgment", "caller", "reason"}, exclude_none=True)


def _says(said: Mapping[str, Any], name: str, value: str) -> bool:
    if name == "tag":
        tags = said.get("tags")
        return isinstance(tags, list) and value in tags
    return bool(said.get("id" if name == "submission" else name) == value)


def _erase(found: list[_Place], instead: Judgment, connection: Connection) -> int:
    column, ended, count = JOB_ITEM.c, Counter[str](), 0
    for job_id, position in sorted(found):
        own = and_(column.job_id == job_id, column.position == position, column.judgment_id.is_(None))
        waiting = update(JOB_ITEM).where(own, ~column.finished)
        done = {"item": _EMPTY, "result": encode(instead)}
        ended[job_id] += connection.execute(waiting.values(finished=True, **done)).rowcount
        count += connection.execute(update(JOB_ITEM).where(own).values(**done)).rowcount
    for job_id, number in sorted(ended.items()):
        connection.execute(update(JOB).where(JOB.c.id == job_id).values(failed=JOB.c.failed + number))
    return count
