"""The table of API keys: digests, never keys."""

from sqlalchemy import BigInteger, Column, Index, Table, Text
from sqlmodel import Field

from judge_server.store.table import METADATA, _Row
from judge_server.store.text import SafeText


class ApiKeyRow(_Row, table=True):
    """``payload``: scopes and allowance. Times in microseconds since 1970 in UTC."""

    __tablename__ = "api_key"
    __table_args__ = (Index("ix_api_key_name", "name"),)
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    name: str = Field(sa_column=Column(SafeText, nullable=False))
    sha256: str = Field(sa_column=Column(Text, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    expires_us: int | None = Field(sa_column=Column(BigInteger))
    revoked_us: int | None = Field(sa_column=Column(BigInteger))
    last_used_us: int | None = Field(sa_column=Column(BigInteger))


API_KEY: Table = METADATA.tables["api_key"]
