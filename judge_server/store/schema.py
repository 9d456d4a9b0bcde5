"""The tables of the store. Payloads are JSON text; the other columns are those that queries filter and sort by.

judgment          one row per judgment
submission        the judged submission, one row per judgment; an inline rubric is in the rubric table
rubric            content by digest, published or only seen inline
publication       which content a published id@version has
served_rubric     which content a library rubric's id@version had when it first judged
run_pin           what a training run is pinned to
reask             judgments of runs whose judge was asked again, with both rewards
run_change        accepted changes and repins of runs; rows are only ever added
verdict           known verdicts by content key
secret            random bytes, made once per database
label_set         one row per edition of a label set, known by its digest; its labels are one compressed value
collected_label   labels that arrived one by one; one per item, criterion and annotator
locked_reading    who read a locked test split, when and why; rows are only ever added
calibration       one row per run: what was measured on which labels
fitted_map        sets of fitted maps; at most one of a judge and rubric is in use
certificate       decisions of the gate; the newest counts
job               one row per job: its terms, its counts, its worker and the end of its lease
job_item          one row per item: the submission as sent, and its result once there is one
api_key           digests of API keys, never the keys
alarm             one row per alarm that was ever raised, with its current state
alarm_transition  every change of an alarm, and whether the webhook has received it
audit             which judgment audits which
queue_item        judgments sampled for people to label, with stratum and weight
watch             which worker does a recurring task, and how far it has come
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, LargeBinary, MetaData, Table, Text, text
from sqlmodel import Field, SQLModel

from judge_server.store.payload import SafeText

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}


class _Row(SQLModel):
    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


class JudgmentRow(_Row, table=True):
    """``created_us``: microseconds since 1970 in UTC, the same number on both databases. ``prompt_key``: digest of the
    conversation, by which a prompt is followed over steps."""

    __tablename__ = "judgment"
    __table_args__ = (
        Index("ix_judgment_created_us", "created_us", "id"),
        Index("ix_judgment_rubric_id", "rubric_id", "created_us", "id"),
        Index("ix_judgment_judge", "judge", "created_us", "id"),
        Index("ix_judgment_group_name", "group_name", "created_us", "id"),
        Index("ix_judgment_run", "run", "step", "created_us", "id"),
    )
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    rubric_id: str | None = Field(sa_column=Column(SafeText))
    rubric_version: str | None = Field(sa_column=Column(SafeText))
    rubric_digest: str | None = Field(sa_column=Column(SafeText))
    judge: str | None = Field(sa_column=Column(SafeText))
    fingerprint: str | None = Field(sa_column=Column(SafeText))
    submission_id: str | None = Field(sa_column=Column(SafeText))
    run: str | None = Field(sa_column=Column(SafeText))
    group_name: str | None = Field(sa_column=Column(SafeText))
    step: int | None = Field(sa_column=Column(BigInteger))
    policy: str | None = Field(sa_column=Column(SafeText))
    prompt_key: str | None = Field(sa_column=Column(Text))
    maps: str | None = Field(sa_column=Column(SafeText))
    guard: str | None = Field(sa_column=Column(SafeText))
    status: str = Field(sa_column=Column(Text, nullable=False))
    reward: float | None = Field(sa_column=Column(Double))
    flags: str = Field(sa_column=Column(Text, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class SubmissionRow(_Row, table=True):
    """``rubric_digest`` is set only if the rubric was given inline."""

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


class ServedRubricRow(_Row, table=True):
    __tablename__ = "served_rubric"
    rubric_id: str = Field(sa_column=Column(SafeText, primary_key=True))
    version: str = Field(sa_column=Column(SafeText, primary_key=True))
    digest: str = Field(sa_column=Column(SafeText, nullable=False))
    first_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class RunPinRow(_Row, table=True):
    __tablename__ = "run_pin"
    run: str = Field(sa_column=Column(SafeText, primary_key=True))
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_column=Column(SafeText, primary_key=True))
    value: str = Field(sa_column=Column(SafeText, nullable=False))
    since_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    step: int | None = Field(sa_column=Column(BigInteger))


class RunChangeRow(_Row, table=True):
    """``id``: of an accepted change the digest of what changed, so that it is one row however often it is seen."""

    __tablename__ = "run_change"
    __table_args__ = (Index("ix_run_change_run", "run", "at_us"),)
    id: str = Field(sa_column=Column(Text, primary_key=True))
    run: str = Field(sa_column=Column(SafeText, nullable=False))
    act: str = Field(sa_column=Column(Text, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(SafeText, nullable=False))
    before: str = Field(sa_column=Column(SafeText, nullable=False))
    after: str | None = Field(sa_column=Column(SafeText))
    step: int | None = Field(sa_column=Column(BigInteger))
    at_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    reason: str | None = Field(sa_column=Column(SafeText))
    made_by: str = Field(sa_column=Column(SafeText, nullable=False))


class ReaskRow(_Row, table=True):
    """``again`` is None if the judge failed when asked again."""

    __tablename__ = "reask"
    __table_args__ = (Index("ix_reask_run", "run", "rubric_id"),)
    judgment_id: str = Field(
        sa_column=Column(SafeText, ForeignKey("judgment.id", ondelete="CASCADE"), primary_key=True)
    )
    run: str = Field(sa_column=Column(SafeText, nullable=False))
    rubric_id: str = Field(sa_column=Column(SafeText, nullable=False))
    prompt_key: str = Field(sa_column=Column(Text, nullable=False))
    reward: float = Field(sa_column=Column(Double, nullable=False))
    again: float | None = Field(sa_column=Column(Double))


class VerdictRow(_Row, table=True):
    __tablename__ = "verdict"
    __table_args__ = ({"sqlite_with_rowid": False},)
    key: str = Field(sa_column=Column(SafeText, primary_key=True))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class SecretRow(_Row, table=True):
    __tablename__ = "secret"
    name: str = Field(sa_column=Column(SafeText, primary_key=True))
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


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


class CalibrationRow(_Row, table=True):
    """``created_us``: microseconds since 1970 in UTC; ``rows_digest``: digest of the judge's rows, by which a file is
    recognised."""

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


class JobRow(_Row, table=True):
    """``lease_us``: until when ``worker`` holds the job, by the database's clock."""

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
    caller: str = Field(sa_column=Column(SafeText, nullable=False, server_default=""))
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
    """``judgment_id``: the stored judgment that is the result; ``result``: a judgment kept here because the item could
    not be judged. An item is finished if it has either."""

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


class AlarmRow(_Row, table=True):
    """``changed_us``: when it was last raised or cleared; ``payload``: the newest finding, as JSON."""

    __tablename__ = "alarm"
    key: str = Field(sa_column=Column(SafeText, primary_key=True))
    raised: bool = Field(sa_column=Column(Boolean, nullable=False))
    changed_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    seen_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class AlarmTransitionRow(_Row, table=True):
    """``untold``: not delivered to the webhook yet. ``next_us``: the earliest time of the next attempt."""

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
    """``judgment_id`` is the auditing judgment, None if the audited one could not be audited."""

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
    """``lease_us``: until when ``worker`` holds the task. ``position_*``: the last judgment looked at."""

    __tablename__ = "watch"
    name: str = Field(sa_column=Column(SafeText, primary_key=True))
    worker: str = Field(sa_column=Column(SafeText, nullable=False))
    lease_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    position_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    position_id: str = Field(sa_column=Column(SafeText, nullable=False))


def _table(kind: type[SQLModel]) -> Table:
    return METADATA.tables[str(kind.__tablename__)]


METADATA = _Row.metadata
JUDGMENT = _table(JudgmentRow)
SUBMISSION = _table(SubmissionRow)
RUBRIC = _table(RubricRow)
PUBLICATION = _table(PublicationRow)
SERVED_RUBRIC = _table(ServedRubricRow)
RUN_PIN = _table(RunPinRow)
RUN_CHANGE = _table(RunChangeRow)
REASK = _table(ReaskRow)
VERDICT = _table(VerdictRow)
SECRET = _table(SecretRow)
LABEL_SET = _table(LabelSetRow)
COLLECTED_LABEL = _table(CollectedLabelRow)
LOCKED_READING = _table(LockedReadingRow)
CALIBRATION = _table(CalibrationRow)
FITTED_MAP = _table(FittedMapRow)
CERTIFICATE = _table(CertificateRow)
JOB = _table(JobRow)
JOB_ITEM = _table(JobItemRow)
API_KEY = _table(ApiKeyRow)
ALARM = _table(AlarmRow)
ALARM_TRANSITION = _table(AlarmTransitionRow)
AUDIT = _table(AuditRow)
QUEUE_ITEM = _table(QueueItemRow)
WATCH = _table(WatchRow)
