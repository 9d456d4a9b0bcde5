"""The tables of labels.

label_set       one row per edition of a label set, known by its digest; its labels are one compressed value
collected_label labels that came one by one; an annotator says one thing of an item on a criterion
locked_reading  who read a locked test split, when and why; rows are only ever added
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text
from sqlmodel import Field

from judge_server.store.table import METADATA, _Row
from judge_server.store.text import SafeText


class LabelSetRow(_Row, table=True):
    """``created_us``: microseconds since 1970 in UTC; ``payload``: what listings show, as JSON."""

    __tablename__ = "label_set"
    __table_args__ = (Index("ix_label_set_set_id", "set_id", "created_us"),)
    digest: str = Field(sa_column=Column(SafeText, primary_key=True))
    set_id: str = Field(sa_column=Column(SafeText, nullable=False))
    version: str = Field(sa_column=Column(SafeText, nullable=False))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CollectedLabelRow(_Row, table=True):
    __tablename__ = "collected_label"
    set_id: str = Field(sa_column=Column(SafeText, primary_key=True))
    item: str = Field(sa_column=Column(SafeText, primary_key=True))
    criterion: str = Field(sa_column=Column(SafeText, primary_key=True))
    annotator: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class LockedReadingRow(_Row, table=True):
    __tablename__ = "locked_reading"
    __table_args__ = (Index("ix_locked_reading_digest", "digest", "read_us", "id"),)
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    digest: str = Field(sa_column=Column(SafeText, nullable=False))
    read_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


def _table(name: str) -> Table:
    return METADATA.tables[name]


LABEL_SET = _table("label_set")
COLLECTED_LABEL = _table("collected_label")
LOCKED_READING = _table("locked_reading")
