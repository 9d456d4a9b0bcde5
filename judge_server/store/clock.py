"""The database's clock: processes on several machines have one time between them. SQLite has one machine."""

import time

from sqlalchemy import Connection, text

_SECOND = 1_000_000


def now_us(connection: Connection) -> int:
    """Microseconds since 1970 in UTC."""
    if connection.dialect.name == "sqlite":
        return time.time_ns() // 1_000
    now = text("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)")
    return int(connection.execute(now).scalar_one())


def in_us(connection: Connection, seconds: float) -> int:
    """That many seconds from now: the end of a lease."""
    return now_us(connection) + int(seconds * _SECOND)
