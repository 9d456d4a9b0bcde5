"""Who looked at a locked test split, when and why."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from judge_server.core.model import Frozen


class LockedReading(Frozen):
    """``digest`` is the whole label set's; ``read_at`` is aware."""

    label_set: str
    digest: str
    split: Literal["test"] = "test"
    reader: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=2_000)
    read_at: datetime
