"""The tables. Payloads are JSON text; the columns beside them are what listings filter by and monitors read.

judgment     one row per judgment
submission   what was judged, one row per judgment; an inline rubric is left to the rubric table
rubric       content by digest, published or only seen inline
publication  which content a published id@version has
verdict      known verdicts by content key
secret       random bytes made once per database
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, LargeBinary, MetaData, Table, Text
from sqlmodel import Field, SQLModel

from judge_server.store.text import SafeText

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}


class _Row(SQLModel):
    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


class JudgmentRow(_Row, table=True):
    """``created_us``: microseconds since 1970 in UTC, the same number on both databases."""

    __tablename__ = "judgment"
    __table_args__ = (
        Index("ix_judgment_created_us", "created_us", "id"),
        Index("ix_judgment_rubric_id", "rubric_id", "created_us", "id"),
        Index("ix_judgment_judge", "judge", "created_us", "id"),
        Index("ix_judgment_group_name", "group_name", "created_us", "id"),
    )
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    rubric_id: str | None = Field(sa_column=Column(SafeText))
    rubric_version: str | None = Field(sa_column=Column(SafeText))
    rubric_digest: str | None = Field(sa_column=Column(SafeText))
    judge: str | None = Field(sa_column=Column(SafeText))
    fingerprint: str | None = Field(sa_column=Column(SafeText))
    submission_id: str | None = Field(sa_column=Column(SafeText))
    group_name: str | None = Field(sa_column=Column(SafeText))
    step: int | None = Field(sa_column=Column(BigInteger))
    policy: str | None = Field(sa_column=Column(SafeText))
    status: str = Field(sa_column=Column(Text, nullable=False))
    reward: float | None = Field(sa_column=Column(Double))
    flags: str = Field(sa_column=Column(Text, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class SubmissionRow(_Row, table=True):
    """``rubric_digest`` stands exactly when the rubric was given inline."""

    __tablename__ = "submission"
    judgment_id: str = Field(
        sa_column=Column(SafeText, ForeignKey("judgment.id", ondelete="CASCADE"), primary_key=True)
    )
    digest: str | None = Field(sa_column=Column(SafeText))
    rubric_digest: str | None = Field(sa_column=Column(SafeText, ForeignKey("rubric.digest")))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class RubricRow(_Row, table=True):
    __tablename__ = "rubric"
    digest: str = Field(sa_column=Column(SafeText, primary_key=True))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class PublicationRow(_Row, table=True):
    __tablename__ = "publication"
    rubric_id: str = Field(sa_column=Column(SafeText, primary_key=True))
    version: str = Field(sa_column=Column(SafeText, primary_key=True))
    digest: str = Field(sa_column=Column(SafeText, ForeignKey("rubric.digest"), nullable=False))
    published_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class VerdictRow(_Row, table=True):
    __tablename__ = "verdict"
    __table_args__ = ({"sqlite_with_rowid": False},)
    key: str = Field(sa_column=Column(SafeText, primary_key=True))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class SecretRow(_Row, table=True):
    __tablename__ = "secret"
    name: str = Field(sa_column=Column(SafeText, primary_key=True))
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


METADATA = _Row.metadata


def _table(kind: type[SQLModel]) -> Table:
    return METADATA.tables[str(kind.__tablename__)]


JUDGMENT = _table(JudgmentRow)
SUBMISSION = _table(SubmissionRow)
RUBRIC = _table(RubricRow)
PUBLICATION = _table(PublicationRow)
VERDICT = _table(VerdictRow)
SECRET = _table(SecretRow)
