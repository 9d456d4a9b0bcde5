"""Recurring work that one process does for all that share a database, and how far it has come."""

from dataclasses import dataclass

from sqlalchemy import Connection, or_, select, update

from judge_server.store.clock import in_us, now_us
from judge_server.store.label_records import Run
from judge_server.store.monitor_table import WATCH
from judge_server.store.writing import insert_missing


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """After the judgment with this id, made at this time."""

    created_us: int = 0
    id: str = ""


class WatchRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def claim(self, name: str, worker: str, *, seconds: float) -> bool:
        """Whether ``worker`` has the work to itself for the next ``seconds``; asking again prolongs that."""

        def work(connection: Connection) -> bool:
            row = {"name": name, "worker": worker, "lease_us": 0, "position_us": 0, "position_id": ""}
            insert_missing(connection, WATCH, [row])
            free = or_(WATCH.c.worker == worker, WATCH.c.lease_us < now_us(connection))
            claimed = update(WATCH).where(WATCH.c.name == name, free)
            return connection.execute(claimed.values(worker=worker, lease_us=in_us(connection, seconds))).rowcount == 1

        return await self._write(work)

    async def release(self, name: str, worker: str) -> None:
        """Somebody else may have it now."""
        own = update(WATCH).where(WATCH.c.name == name, WATCH.c.worker == worker).values(lease_us=0)
        await self._write(lambda connection: connection.execute(own))

    async def place(self, name: str) -> Place:
        question = select(WATCH.c.position_us, WATCH.c.position_id).where(WATCH.c.name == name)
        row = await self._read(lambda connection: connection.execute(question).one_or_none())
        return Place() if row is None else Place(row.position_us, row.position_id)

    async def advance(self, name: str, worker: str, place: Place) -> None:
        """Keeps how far ``worker`` has come, unless another has taken over."""
        own = update(WATCH).where(WATCH.c.name == name, WATCH.c.worker == worker)
        moved = own.values(position_us=place.created_us, position_id=place.id)
        await self._write(lambda connection: connection.execute(moved))
