"""The tables of measured judges.

calibration  one row per run: what was measured on which labels
fitted_map   sets of fitted maps; at most one of a judge and rubric is in use
certificate  what a gate decided, newest wins
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, text
from sqlmodel import Field

from judge_server.store.table import METADATA, _Row
from judge_server.store.text import SafeText


class CalibrationRow(_Row, table=True):
    """``created_us``: microseconds since 1970 in UTC; ``rows_digest``: what the judge said, to know a file by."""

    __tablename__ = "calibration"
    __table_args__ = (
        Index("ix_calibration_created_us", "created_us", "id"),
        Index("ix_calibration_rows_digest", "rows_digest", "created_us"),
    )
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    fingerprint: str = Field(sa_column=Column(SafeText, nullable=False))
    rubric_digest: str = Field(sa_column=Column(SafeText, nullable=False))
    rows_digest: str = Field(sa_column=Column(SafeText, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class FittedMapRow(_Row, table=True):
    __tablename__ = "fitted_map"
    __table_args__ = (
        Index(
            "ix_fitted_map_fingerprint",
            "fingerprint",
            "rubric_digest",
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
    )
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    fingerprint: str = Field(sa_column=Column(SafeText, nullable=False))
    rubric_digest: str = Field(sa_column=Column(SafeText, nullable=False))
    active: bool = Field(sa_column=Column(Boolean, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class CertificateRow(_Row, table=True):
    __tablename__ = "certificate"
    __table_args__ = (Index("ix_certificate_fingerprint", "fingerprint", "rubric_digest", "created_us", "id"),)
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    fingerprint: str = Field(sa_column=Column(SafeText, nullable=False))
    rubric_digest: str = Field(sa_column=Column(SafeText, nullable=False))
    decision: str = Field(sa_column=Column(Text, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


def _table(name: str) -> Table:
    return METADATA.tables[name]


CALIBRATION = _table("calibration")
FITTED_MAP = _table("fitted_map")
CERTIFICATE = _table("certificate")
