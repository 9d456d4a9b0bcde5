"""API keys: added, listed, revoked, and when each was last used."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, update

from judge_server.core.api_key import ApiKey
from judge_server.store.database import Run
from judge_server.store.payload import decode_mapping, encode, microseconds, moment
from judge_server.store.schema import API_KEY, JUDGMENT

_MOST: Final = 10_000
_AT_ONCE: Final = 1_000
_IN_PAYLOAD: Final = frozenset({"scopes", "allowance"})


class ApiKeyRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def add(self, key: ApiKey, now: datetime) -> ApiKey:
        """Store a new key; return it with its creation time."""
        made = key.model_copy(update={"created_at": now})
        row = {
            "id": made.id,
            "name": made.name,
            "sha256": made.sha256,
            "payload": encode(made, leave_out=frozenset(ApiKey.model_fields) - _IN_PAYLOAD),
            "created_us": microseconds(now),
            "expires_us": None if made.expires_at is None else microseconds(made.expires_at),
        }
        await self._write(lambda connection: connection.execute(API_KEY.insert(), [row]))
        return made

    async def all(self) -> tuple[ApiKey, ...]:
        """Every key, including revoked ones, newest first."""
        question = select(API_KEY).order_by(API_KEY.c.created_us.desc(), API_KEY.c.id).limit(_MOST)
        rows = await self._read(lambda connection: connection.execute(question).all())
        return tuple(_key(row) for row in rows)

    async def senders(self, judgments: Collection[str]) -> frozenset[str]:
        """The names of those who sent these judgments, with or without a key."""
        names = list(judgments)

        def work(connection: Connection) -> set[str | None]:
            found = set[str | None]()
            for start in range(0, len(names), _AT_ONCE):
                some = JUDGMENT.c.id.in_(names[start : start + _AT_ONCE])
                found |= set(connection.execute(select(JUDGMENT.c.caller).where(some).distinct()).scalars())
            return found

        found = await self._read(work)
        return frozenset(filter(None, found))

    async def revoke(self, named: str, now: datetime) -> tuple[ApiKey, ...]:
        """Revoke the key with this id, or every key with this name; return those that were valid until now."""
        meant = ((API_KEY.c.id == named) | (API_KEY.c.name == named)) & API_KEY.c.revoked_us.is_(None)

        def work(connection: Connection) -> tuple[ApiKey, ...]:
            rows = connection.execute(select(API_KEY).where(meant)).all()
            connection.execute(update(API_KEY).where(meant).values(revoked_us=microseconds(now)))
            return tuple(_key(row).model_copy(update={"revoked_at": now}) for row in rows)

        return await self._write(work)

    async def used(self, moments: Mapping[str, datetime]) -> None:
        """Store when keys were used, by id. A time older than the stored one changes nothing."""
        earlier = func.coalesce(API_KEY.c.last_used_us, 0)

        def work(connection: Connection) -> None:
            for key_id, used_at in moments.items():
                at = microseconds(used_at)
                connection.execute(update(API_KEY).where(API_KEY.c.id == key_id, earlier < at).values(last_used_us=at))

        if moments:
            await self._write(work)


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "sha256": row.sha256,
            "created_at": moment(row.created_us),
            "expires_at": _moment_or_none(row.expires_us),
            "revoked_at": _moment_or_none(row.revoked_us),
            "last_used_at": _moment_or_none(row.last_used_us),
        }
        | decode_mapping(row.payload)
    )


def _moment_or_none(us: int | None) -> datetime | None:
    return None if us is None else moment(us)
