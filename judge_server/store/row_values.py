"""Values of rows, made in the thread that reads them.

Made on the event loop, those of a thousand rows would hold it for tens of milliseconds.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select

from judge_server.util.concurrency import cooperatively

Value = TypeVar("Value")


def values_of(question: Select[Any], make: Callable[[Row[Any]], Value]) -> Callable[[Connection], tuple[Value, ...]]:
    """What a ``read`` does: ask, and make a value of each row. Other threads run between two of them."""
    return lambda connection: tuple(make(row) for row in cooperatively(connection.execute(question)))
