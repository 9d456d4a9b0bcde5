"""The database's clock, which all processes that share it go by: for the ends of leases."""

import time
from typing import Final

from sqlalchemy import Connection, text

_SECOND: Final = 1_000_000


def now_us(connection: Connection) -> int:
    """Microseconds since 1970 in UTC."""
    if connection.dialect.name == "sqlite":
        return time.time_ns() // 1_000
    now = text("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)")
    return int(connection.execute(now).scalar_one())


def in_us(connection: Connection, seconds: float) -> int:
    """The time that many seconds from now: the end of a lease."""
    return now_us(connection) + int(seconds * _SECOND)
