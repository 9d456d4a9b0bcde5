"""The tables by which a training run is shown without reading its judgments; ``run_tally`` keeps them.

training_run   the names of runs, as numbers
reward_source  what decided rewards of a run: policy, caller, rubric, judge, fitted maps and guard
run_step       counts and rewards of a step by what decided them
run_group      rewards of the responses to one prompt in one step or group
"""

from sqlalchemy import BigInteger, Column, Double, Index, LargeBinary
from sqlmodel import Field

from judge_server.store.payload import PackedText, SafeText
from judge_server.store.schema import TableRow, number_column, table_of

NO_STEP = -1


class TrainingRunRow(TableRow, table=True):
    __tablename__ = "training_run"
    __table_args__ = (Index("ix_training_run_digest", "digest", unique=True),)
    id: int = Field(sa_column=number_column())
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    run: str = Field(sa_column=Column(SafeText, nullable=False))


class RewardSourceRow(TableRow, table=True):
    """``digest``: 16 bytes, of all other columns. ``run``: a number of training_run."""

    __tablename__ = "reward_source"
    __table_args__ = (
        Index("ix_reward_source_digest", "digest", unique=True),
        Index("ix_reward_source_run", "run"),
    )
    id: int = Field(sa_column=number_column())
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    run: int = Field(sa_column=Column(BigInteger, nullable=False))
    policy: str | None = Field(sa_column=Column(SafeText))
    caller: str | None = Field(sa_column=Column(SafeText))
    rubric_id: str | None = Field(sa_column=Column(SafeText))
    rubric_version: str | None = Field(sa_column=Column(SafeText))
    rubric_digest: str | None = Field(sa_column=Column(SafeText))
    judge: str | None = Field(sa_column=Column(SafeText))
    fingerprint: str | None = Field(sa_column=Column(SafeText))
    maps: str | None = Field(sa_column=Column(SafeText))
    guard: str | None = Field(sa_column=Column(SafeText))


class RunStepRow(TableRow, table=True):
    """``step``: -1 for judgments that name none, which have no ``low`` and ``high``. ``reward``: the sum. ``first_us``
    and ``last_us``: of the judgments, microseconds since 1970 in UTC."""

    __tablename__ = "run_step"
    __table_args__ = ({"sqlite_with_rowid": False},)
    source: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    step: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    judgments: int = Field(sa_column=Column(BigInteger, nullable=False))
    ok: int = Field(sa_column=Column(BigInteger, nullable=False))
    partial: int = Field(sa_column=Column(BigInteger, nullable=False))
    failed: int = Field(sa_column=Column(BigInteger, nullable=False))
    flagged: int = Field(sa_column=Column(BigInteger, nullable=False))
    rewards: int = Field(sa_column=Column(BigInteger, nullable=False))
    reward: float = Field(sa_column=Column(Double, nullable=False))
    low: float | None = Field(sa_column=Column(Double))
    high: float | None = Field(sa_column=Column(Double))
    first_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class RunGroupRow(TableRow, table=True):
    """Only of judgments with a step or a group; a prompt's rows stand together. ``run``: a number of training_run.
    ``group_key``: 8 bytes for the group's name, none if it has none. ``without``: judgments without a reward."""

    __tablename__ = "run_group"
    __table_args__ = ({"sqlite_with_rowid": False},)
    run: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    prompt_key: str = Field(sa_column=Column(PackedText(digest=True), primary_key=True))
    step: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    group_key: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    rewards: int = Field(sa_column=Column(BigInteger, nullable=False))
    without: int = Field(sa_column=Column(BigInteger, nullable=False))
    reward: float = Field(sa_column=Column(Double, nullable=False))
    low: float | None = Field(sa_column=Column(Double))
    high: float | None = Field(sa_column=Column(Double))


TRAINING_RUN = table_of(TrainingRunRow)
REWARD_SOURCE = table_of(RewardSourceRow)
RUN_STEP = table_of(RunStepRow)
RUN_GROUP = table_of(RunGroupRow)
METADATA = TableRow.metadata
"""Every table: these, and those of ``schema`` and ``measuring_schema``."""
