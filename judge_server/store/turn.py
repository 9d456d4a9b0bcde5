"""Transactions that take turns: what one of them has read stays true until it ends."""

from hashlib import sha256

from sqlalchemy import Connection, text


def take_turn(connection: Connection, name: str) -> None:
    """Wait until no other transaction has taken this turn, then keep it to the end of this one; what others have
    written meanwhile is seen from here on. SQLite has one writer at a time."""
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(sha256(name.encode("utf-8", "surrogatepass")).digest()[:8], signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
