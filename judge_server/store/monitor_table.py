"""The tables of monitors and audits.

alarm            one row per alarm that was ever raised: how it stands now
alarm_transition every raise and clearing, and whether the webhook has been told of it
audit            which judgment audits which
queue_item       judgments drawn for people to label, with the stratum and the weight of the draw
watch            who does a recurring piece of work now, and how far it has come
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Table, Text, text
from sqlmodel import Field

from judge_server.store.table import METADATA, _Row
from judge_server.store.text import SafeText


class AlarmRow(_Row, table=True):
    """``changed_us``: when it was last raised or cleared; ``payload``: the newest finding, as JSON."""

    __tablename__ = "alarm"
    key: str = Field(sa_column=Column(SafeText, primary_key=True))
    raised: bool = Field(sa_column=Column(Boolean, nullable=False))
    changed_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    seen_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class AlarmTransitionRow(_Row, table=True):
    """``untold``: the webhook is still to be told. ``next_us``: not before then."""

    __tablename__ = "alarm_transition"
    __table_args__: ClassVar[tuple[object, ...]] = (
        Index("ix_alarm_transition_at_us", "at_us", "id"),
        Index("ix_alarm_transition_untold", "next_us", sqlite_where=text("untold"), postgresql_where=text("untold")),
    )
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    key: str = Field(sa_column=Column(SafeText, nullable=False))
    raised: bool = Field(sa_column=Column(Boolean, nullable=False))
    at_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))
    untold: bool = Field(sa_column=Column(Boolean, nullable=False))
    attempts: int = Field(sa_column=Column(BigInteger, nullable=False))
    next_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class AuditRow(_Row, table=True):
    """``judgment_id`` is the auditing judgment, None where the audited one could not be audited."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_created_us", "created_us", "audited_id"),
        Index("ix_audit_judgment_id", "judgment_id"),
    )
    audited_id: str = Field(sa_column=Column(SafeText, ForeignKey("judgment.id", ondelete="CASCADE"), primary_key=True))
    judge: str = Field(sa_column=Column(SafeText, primary_key=True))
    judgment_id: str | None = Field(sa_column=Column(SafeText))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class QueueItemRow(_Row, table=True):
    """``population`` judgments were in ``stratum`` when ``sampled`` of them were drawn; ``weight`` is their ratio."""

    __tablename__ = "queue_item"
    label_set: str = Field(sa_column=Column(SafeText, primary_key=True))
    judgment_id: str = Field(
        sa_column=Column(SafeText, ForeignKey("judgment.id", ondelete="CASCADE"), primary_key=True)
    )
    stratum: str = Field(sa_column=Column(Text, nullable=False))
    weight: float = Field(sa_column=Column(Double, nullable=False))
    population: int = Field(sa_column=Column(BigInteger, nullable=False))
    sampled: int = Field(sa_column=Column(BigInteger, nullable=False))
    drawn_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class WatchRow(_Row, table=True):
    """``lease_us``: until when ``worker`` has the work to itself. ``position_*``: the last judgment looked at."""

    __tablename__ = "watch"
    name: str = Field(sa_column=Column(SafeText, primary_key=True))
    worker: str = Field(sa_column=Column(SafeText, nullable=False))
    lease_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    position_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    position_id: str = Field(sa_column=Column(SafeText, nullable=False))


def _table(name: str) -> Table:
    return METADATA.tables[name]


ALARM = _table("alarm")
ALARM_TRANSITION = _table("alarm_transition")
AUDIT = _table("audit")
QUEUE_ITEM = _table("queue_item")
WATCH = _table("watch")
