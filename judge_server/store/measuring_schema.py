"""The tables that judges are measured with: labels, calibrations, audits, alarms.

label_set         one row per edition of a label set, known by its digest; its labels are one compressed value
collected_label   labels that arrived one by one; one per item, criterion and annotator
label_plan        what is labelled into a set, by how many people
label_reservation who is labelling which item, and until when nobody else gets it
label_showing     who was shown, while labelling, what the judge said about an item, and when; rows are only ever added
locked_reading    who read a locked test split, when and why; rows are only ever added
calibration       one row per run: what was measured on which labels
measured          the labels of people and judge of a run, and its report
fitted_map        sets of fitted maps; at most one of a judge and rubric is in use
certificate       decisions of the gate; the newest counts
alarm             one row per alarm that was ever raised, with its current state
alarm_transition  every change of an alarm, and whether the webhook has received it
audit             which judgment audits which
queue_item        judgments sampled for people to label, with stratum and weight
model_signature   by what the models behind one address are recognised, in the order in which they were met
exam              exams of judges that are over, with the failed pairs
improvement       attempts to improve a judge, with how far they are and what they led to
watch             which worker does a recurring task, and how far it has come
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, LargeBinary, Text, text
from sqlmodel import Field

from judge_server.store import run_schema
from judge_server.store.payload import PackedText, SafeText
from judge_server.store.schema import TableRow, table_of


class LabelSetRow(TableRow, table=True):
    """``created_us``: microseconds since 1970 in UTC; ``payload``: what listings show, as JSON."""

    __tablename__ = "label_set"
    __table_args__ = (Index("ix_label_set_set_id", "set_id", "created_us"),)
    digest: str = Field(sa_column=Column(SafeText, primary_key=True))
    set_id: str = Field(sa_column=Column(SafeText, nullable=False))
    version: str = Field(sa_column=Column(SafeText, nullable=False))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CollectedLabelRow(TableRow, table=True):
    """``created_us``: when it was stored or changed, later than any other label of the set was before."""

    __tablename__ = "collected_label"
    __table_args__ = (
        Index("ix_collected_label_item", "item"),
        Index("ix_collected_label_newest", "set_id", "created_us"),
    )
    set_id: str = Field(sa_column=Column(SafeText, primary_key=True))
    item: str = Field(sa_column=Column(SafeText, primary_key=True))
    criterion: str = Field(sa_column=Column(SafeText, primary_key=True))
    annotator: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class LabelPlanRow(TableRow, table=True):
    """``turns``: how many items were given out; changed first, so that two annotators are served one after the other.
    ``payload``: the plan without its items, which are JSON in ``items``."""

    __tablename__ = "label_plan"
    set_id: str = Field(sa_column=Column(SafeText, primary_key=True))
    turns: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))
    items: str = Field(sa_column=Column(PackedText, nullable=False))


class LabelReservationRow(TableRow, table=True):
    __tablename__ = "label_reservation"
    set_id: str = Field(sa_column=Column(SafeText, primary_key=True))
    item: str = Field(sa_column=Column(SafeText, primary_key=True))
    annotator: str = Field(sa_column=Column(SafeText, primary_key=True))
    until_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class LabelShowingRow(TableRow, table=True):
    __tablename__ = "label_showing"
    set_id: str = Field(sa_column=Column(SafeText, primary_key=True))
    item: str = Field(sa_column=Column(SafeText, primary_key=True))
    annotator: str = Field(sa_column=Column(SafeText, primary_key=True))
    shown_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class LockedReadingRow(TableRow, table=True):
    __tablename__ = "locked_reading"
    __table_args__ = (Index("ix_locked_reading_digest", "digest", "read_us", "id"),)
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    digest: str = Field(sa_column=Column(SafeText, nullable=False))
    read_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class CalibrationRow(TableRow, table=True):
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


class MeasuredRow(TableRow, table=True):
    """``report``: JSON; ``content``: the labels, compressed by column, without their texts."""

    __tablename__ = "measured"
    calibration_id: str = Field(sa_column=Column(SafeText, primary_key=True))
    report: str = Field(sa_column=Column(PackedText, nullable=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class FittedMapRow(TableRow, table=True):
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


class CertificateRow(TableRow, table=True):
    __tablename__ = "certificate"
    __table_args__ = (Index("ix_certificate_fingerprint", "fingerprint", "rubric_digest", "created_us", "id"),)
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    fingerprint: str = Field(sa_column=Column(SafeText, nullable=False))
    rubric_digest: str = Field(sa_column=Column(SafeText, nullable=False))
    decision: str = Field(sa_column=Column(Text, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class AlarmRow(TableRow, table=True):
    """``changed_us``: when it was last raised or cleared; ``payload``: the newest finding, as JSON."""

    __tablename__ = "alarm"
    key: str = Field(sa_column=Column(SafeText, primary_key=True))
    raised: bool = Field(sa_column=Column(Boolean, nullable=False))
    changed_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    seen_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class AlarmTransitionRow(TableRow, table=True):
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


class AuditRow(TableRow, table=True):
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


class QueueItemRow(TableRow, table=True):
    """``population`` judgments were in ``stratum`` when ``sampled`` of them were drawn; ``weight`` is their ratio."""

    __tablename__ = "queue_item"
    __table_args__ = (Index("ix_queue_item_judgment_id", "judgment_id"),)
    label_set: str = Field(sa_column=Column(SafeText, primary_key=True))
    judgment_id: str = Field(
        sa_column=Column(SafeText, ForeignKey("judgment.id", ondelete="CASCADE"), primary_key=True)
    )
    stratum: str = Field(sa_column=Column(Text, nullable=False))
    weight: float = Field(sa_column=Column(Double, nullable=False))
    population: int = Field(sa_column=Column(BigInteger, nullable=False))
    sampled: int = Field(sa_column=Column(BigInteger, nullable=False))
    drawn_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class WatchRow(TableRow, table=True):
    """``lease_us``: until when ``worker`` holds the task. ``position_*``: the last judgment looked at."""

    __tablename__ = "watch"
    name: str = Field(sa_column=Column(SafeText, primary_key=True))
    worker: str = Field(sa_column=Column(SafeText, nullable=False))
    lease_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    position_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    position_id: str = Field(sa_column=Column(SafeText, nullable=False))


class ModelSignatureRow(TableRow, table=True):
    """``key``: digest of what the specification and the servers say; ``place``: 0 for the first model met under it."""

    __tablename__ = "model_signature"
    key: str = Field(sa_column=Column(Text, primary_key=True))
    place: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class ExamRow(TableRow, table=True):
    """``judge``: its name at the time; ``fingerprint``: of everything that changes its answers."""

    __tablename__ = "exam"
    __table_args__ = (Index("ix_exam_judge", "judge", "created_us"),)
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    judge: str = Field(sa_column=Column(SafeText, nullable=False))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    payload: str = Field(sa_column=Column(PackedText, nullable=False))


class ImprovementRow(TableRow, table=True):
    """``lease_us``: until when ``worker`` holds it. JSON: ``terms`` never change; ``progress`` is what is shown;
    ``proposals`` by what was asked; ``files`` of the result by name, None until then."""

    __tablename__ = "improvement"
    __table_args__ = (
        Index("ix_improvement_created_us", "created_us", "id"),
        Index("ix_improvement_status", "status", "lease_us"),
    )
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    worker: str | None = Field(sa_column=Column(SafeText))
    lease_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    terms: str = Field(sa_column=Column(PackedText, nullable=False))
    progress: str = Field(sa_column=Column(PackedText, nullable=False))
    proposals: str = Field(sa_column=Column(PackedText, nullable=False))
    files: str | None = Field(sa_column=Column(PackedText))


LABEL_SET = table_of(LabelSetRow)
COLLECTED_LABEL = table_of(CollectedLabelRow)
LABEL_PLAN = table_of(LabelPlanRow)
LABEL_RESERVATION = table_of(LabelReservationRow)
LABEL_SHOWING = table_of(LabelShowingRow)
LOCKED_READING = table_of(LockedReadingRow)
CALIBRATION = table_of(CalibrationRow)
MEASURED = table_of(MeasuredRow)
FITTED_MAP = table_of(FittedMapRow)
CERTIFICATE = table_of(CertificateRow)
ALARM = table_of(AlarmRow)
ALARM_TRANSITION = table_of(AlarmTransitionRow)
AUDIT = table_of(AuditRow)
QUEUE_ITEM = table_of(QueueItemRow)
WATCH = table_of(WatchRow)
METADATA = run_schema.METADATA
"""Every table: these, and those of ``schema`` and ``run_schema``."""
MODEL_SIGNATURE = table_of(ModelSignatureRow)
EXAM = table_of(ExamRow)
IMPROVEMENT = table_of(ImprovementRow)
