"""The tables of durable jobs.

job       one row per job: its terms, its counts, and who works on it until when
job_item  one row per item: what was sent, and the result once there is one
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, text
from sqlmodel import Field

from judge_server.store.table import METADATA, _Row
from judge_server.store.text import SafeText


class JobRow(_Row, table=True):
    """``lease_us``: until when ``worker`` has it to itself, by the database's clock."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_created_us", "created_us", "id"),
        Index("ix_job_status", "status", "lease_us"),
        Index("ix_job_idempotency_key", "idempotency_key", unique=True),
    )
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    ended_us: int | None = Field(sa_column=Column(BigInteger))
    expires_us: int | None = Field(sa_column=Column(BigInteger))
    status: str = Field(sa_column=Column(Text, nullable=False))
    priority: int = Field(sa_column=Column(BigInteger, nullable=False))
    terms: str = Field(sa_column=Column(Text, nullable=False))
    idempotency_key: str | None = Field(sa_column=Column(SafeText))
    content_digest: str | None = Field(sa_column=Column(SafeText))
    worker: str | None = Field(sa_column=Column(SafeText))
    lease_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    total: int = Field(sa_column=Column(BigInteger, nullable=False))
    ok: int = Field(sa_column=Column(BigInteger, nullable=False))
    partial: int = Field(sa_column=Column(BigInteger, nullable=False))
    failed: int = Field(sa_column=Column(BigInteger, nullable=False))


class JobItemRow(_Row, table=True):
    """``judgment_id``: the stored judgment that is the result; ``result``: one that is not stored, because the item
    could not be judged at all. An item is finished when it has either."""

    __tablename__ = "job_item"
    __table_args__: ClassVar[tuple[object, ...]] = (
        Index(
            "ix_job_item_unfinished",
            "job_id",
            "position",
            sqlite_where=text("NOT finished"),
            postgresql_where=text("NOT finished"),
        ),
    )
    job_id: str = Field(sa_column=Column(SafeText, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True))
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    item: str = Field(sa_column=Column(Text, nullable=False))
    finished: bool = Field(sa_column=Column(Boolean, nullable=False))
    judgment_id: str | None = Field(sa_column=Column(SafeText))
    result: str | None = Field(sa_column=Column(Text))


JOB: Table = METADATA.tables["job"]
JOB_ITEM: Table = METADATA.tables["job_item"]
