"""The tables of what is judged, and of who may ask. Payloads are JSON text and contents compressed JSON; the other
columns are those that queries filter and sort by.

judgment          one row per judgment with its submission, whose texts are in text and whose inline rubric is in rubric
judgment_tag      tags by which judgments are listed and erased
judgment_form     what many judgments have in common, such as rubric and judge
text              prompts, responses and references as JSON, each once, known by their digest
text_block        which of 1,024 texts may hold a piece of text, as ``trigrams`` makes it
rubric            content by digest, published or only seen inline
publication       which content a published id@version has
rubric_draft      rubrics that an author writes on a page; the published ones are their history
served_rubric     which content a library rubric's id@version had when it first judged
run_pin           what a training run is pinned to
reask             judgments of runs whose judge was asked again, with both rewards
run_change        accepted changes and repins of runs; rows are only ever added
verdict           known verdicts, one row for all on what a judge was shown
verdict_source    texts and callers that a row of verdict is about, if no stored submission leads to it
erasure           acts of erasure, without the texts; rows are only ever added
migrated_by       which version of judge-server made which revision of the tables
secret            random bytes, made once per database
job               one row per job: its terms, its counts, its worker and the end of its lease
job_item          one row per item: the submission as sent, and its result once there is one
api_key           digests of API keys, never the keys
budget            what a key or a run may spend on judges, and what it has spent
"""

from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlmodel import Field, SQLModel

from judge_server.store.payload import PackedText, SafeText

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}


class TableRow(SQLModel):
    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


def number_column() -> Column[int]:
    """Given by the database."""
    return Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _text(name: str) -> Any:
    return Field(sa_column=Column(BigInteger, ForeignKey("text.id", name=f"fk_judgment_{name}")))


_REFERENCE_GIVEN = text("reference IS NOT NULL")


class JudgmentRow(TableRow, table=True):
    """``created_us``: microseconds since 1970 in UTC, the same number on both databases. ``form``: a row of
    judgment_form. ``prompt_key``: names the conversation, by which a prompt is followed over steps. ``caller``: the API
    key's name; None for older rows. ``content``: as ``Templates`` makes it, of what no column has. ``prompt``,
    ``response`` and ``reference``: rows of text. ``submitted``: what the submission says beside texts and its place in
    a training, if that is not in the form. ``inline_rubric``: if the rubric was given with the submission."""

    __tablename__ = "judgment"
    __table_args__ = (
        Index("ix_judgment_created_us", "created_us"),
        Index("ix_judgment_rubric_id", "rubric_id", "created_us"),
        Index("ix_judgment_judge", "judge", "created_us"),
        Index("ix_judgment_group_name", "group_name"),
        Index("ix_judgment_run", "run", "step", "created_us"),
        Index("ix_judgment_newest_of_run", "run", "created_us"),
        Index("ix_judgment_prompt", "prompt"),
        Index("ix_judgment_response", "response"),
        Index("ix_judgment_reference", "reference", sqlite_where=_REFERENCE_GIVEN, postgresql_where=_REFERENCE_GIVEN),
    )
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    created_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    form: int = Field(sa_column=Column(BigInteger, nullable=False))
    rubric_id: str | None = Field(sa_column=Column(SafeText))
    judge: str | None = Field(sa_column=Column(SafeText))
    submission_id: str | None = Field(sa_column=Column(SafeText))
    run: str | None = Field(sa_column=Column(SafeText))
    group_name: str | None = Field(sa_column=Column(SafeText))
    step: int | None = Field(sa_column=Column(BigInteger))
    policy: str | None = Field(sa_column=Column(SafeText))
    caller: str | None = Field(sa_column=Column(SafeText))
    prompt_key: str | None = Field(sa_column=Column(PackedText(digest=True)))
    status: str = Field(sa_column=Column(Text, nullable=False))
    reward: float | None = Field(sa_column=Column(Double))
    flags: str = Field(sa_column=Column(Text, nullable=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    submission_digest: str | None = Field(sa_column=Column(PackedText(digest=True)))
    inline_rubric: str | None = Field(
        sa_column=Column(SafeText, ForeignKey("rubric.digest", name="fk_judgment_inline_rubric"))
    )
    prompt: int | None = _text("prompt")
    response: int | None = _text("response")
    reference: int | None = _text("reference")
    submitted: str | None = Field(sa_column=Column(PackedText))


class JudgmentTagRow(TableRow, table=True):
    __tablename__ = "judgment_tag"
    __table_args__ = (Index("ix_judgment_tag_judgment_id", "judgment_id"), {"sqlite_with_rowid": False})
    tag: str = Field(sa_column=Column(SafeText, primary_key=True))
    judgment_id: str = Field(
        sa_column=Column(SafeText, ForeignKey("judgment.id", ondelete="CASCADE"), primary_key=True)
    )


class JudgmentFormRow(TableRow, table=True):
    """As ``judgment_row.StoredForm`` describes it. ``digest``: 16 bytes, of all other columns."""

    __tablename__ = "judgment_form"
    __table_args__ = (
        Index("ix_judgment_form_digest", "digest", unique=True),
        Index("ix_judgment_form_rubric_digest", "rubric_digest"),
    )
    id: int = Field(sa_column=number_column())
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    rubric_id: str | None = Field(sa_column=Column(SafeText))
    rubric_version: str | None = Field(sa_column=Column(SafeText))
    rubric_digest: str | None = Field(sa_column=Column(SafeText))
    judge: str | None = Field(sa_column=Column(SafeText))
    fingerprint: str | None = Field(sa_column=Column(SafeText))
    maps: str | None = Field(sa_column=Column(SafeText))
    guard: str | None = Field(sa_column=Column(SafeText))
    submitted: str = Field(sa_column=Column(PackedText, nullable=False))
    template: str = Field(sa_column=Column(PackedText, nullable=False))


class TextRow(TableRow, table=True):
    """``digest``: 16 bytes; ``size``: characters of the JSON before compression."""

    __tablename__ = "text"
    __table_args__ = (Index("ix_text_digest", "digest", unique=True),)
    id: int = Field(sa_column=number_column())
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    content: str = Field(sa_column=Column(PackedText, nullable=False))


class TextBlockRow(TableRow, table=True):
    """``block``: the texts from 1,024 times this number on; it is indexed if it has part 0."""

    __tablename__ = "text_block"
    block: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    part: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class RubricRow(TableRow, table=True):
    __tablename__ = "rubric"
    digest: str = Field(sa_column=Column(SafeText, primary_key=True))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class PublicationRow(TableRow, table=True):
    __tablename__ = "publication"
    rubric_id: str = Field(sa_column=Column(SafeText, primary_key=True))
    version: str = Field(sa_column=Column(SafeText, primary_key=True))
    digest: str = Field(sa_column=Column(SafeText, ForeignKey("rubric.digest"), nullable=False))
    published_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class RubricDraftRow(TableRow, table=True):
    __tablename__ = "rubric_draft"
    __table_args__ = (
        Index("ix_rubric_draft_author", "author", "updated_us", "id"),
        Index("ix_rubric_draft_published", "published"),
    )
    id: str = Field(sa_column=Column(SafeText, primary_key=True))
    author: str = Field(sa_column=Column(SafeText, nullable=False))
    updated_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    published: str | None = Field(sa_column=Column(SafeText))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class ServedRubricRow(TableRow, table=True):
    __tablename__ = "served_rubric"
    rubric_id: str = Field(sa_column=Column(SafeText, primary_key=True))
    version: str = Field(sa_column=Column(SafeText, primary_key=True))
    digest: str = Field(sa_column=Column(SafeText, nullable=False))
    first_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class RunPinRow(TableRow, table=True):
    __tablename__ = "run_pin"
    run: str = Field(sa_column=Column(SafeText, primary_key=True))
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_column=Column(SafeText, primary_key=True))
    value: str = Field(sa_column=Column(SafeText, nullable=False))
    since_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    step: int | None = Field(sa_column=Column(BigInteger))


class RunChangeRow(TableRow, table=True):
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


class ReaskRow(TableRow, table=True):
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


class VerdictRow(TableRow, table=True):
    """``key``: 16 bytes, of what was shown. ``day``: since 1970 in UTC, when the first of them came. ``many``: how many
    verdicts ``content`` holds, as ``verdict_records`` writes them."""

    __tablename__ = "verdict"
    __table_args__ = (Index("ix_verdict_key", "key", unique=True),)
    id: int = Field(sa_column=number_column())
    key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    day: int = Field(sa_column=Column(Integer, nullable=False))
    many: int = Field(sa_column=Column(Integer, nullable=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class VerdictSourceRow(TableRow, table=True):
    """``source``: 16 bytes that name a text or a caller. ``verdict``: the key of a row of verdict."""

    __tablename__ = "verdict_source"
    __table_args__ = (Index("ix_verdict_source_verdict", "verdict"), {"sqlite_with_rowid": False})
    source: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    verdict: bytes = Field(
        sa_column=Column(LargeBinary, ForeignKey("verdict.key", ondelete="CASCADE"), primary_key=True)
    )


class ErasureRow(TableRow, table=True):
    __tablename__ = "erasure"
    __table_args__ = (Index("ix_erasure_at_us", "at_us", "id"),)
    id: str = Field(sa_column=Column(Text, primary_key=True))
    at_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    made_by: str = Field(sa_column=Column(SafeText, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class MigratedByRow(TableRow, table=True):
    __tablename__ = "migrated_by"
    revision: str = Field(sa_column=Column(Text, primary_key=True))
    version: str = Field(sa_column=Column(Text, nullable=False))


class SecretRow(TableRow, table=True):
    __tablename__ = "secret"
    name: str = Field(sa_column=Column(SafeText, primary_key=True))
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class JobRow(TableRow, table=True):
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


class JobItemRow(TableRow, table=True):
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
        Index(
            "ix_job_item_judgment_id",
            "judgment_id",
            sqlite_where=text("judgment_id IS NOT NULL"),
            postgresql_where=text("judgment_id IS NOT NULL"),
        ),
    )
    job_id: str = Field(sa_column=Column(SafeText, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True))
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    item: str = Field(sa_column=Column(Text, nullable=False))
    finished: bool = Field(sa_column=Column(Boolean, nullable=False))
    judgment_id: str | None = Field(sa_column=Column(SafeText))
    result: str | None = Field(sa_column=Column(Text))


class ApiKeyRow(TableRow, table=True):
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


class BudgetRow(TableRow, table=True):
    """``kind``: key or run. ``since_us``: since when spending is counted."""

    __tablename__ = "budget"
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_column=Column(SafeText, primary_key=True))
    dollars: float | None = Field(sa_column=Column(Double))
    tokens: int | None = Field(sa_column=Column(BigInteger))
    warn_at: float = Field(sa_column=Column(Double, nullable=False))
    spent_dollars: float = Field(sa_column=Column(Double, nullable=False))
    spent_tokens: int = Field(sa_column=Column(BigInteger, nullable=False))
    since_us: int = Field(sa_column=Column(BigInteger, nullable=False))


def table_of(kind: type[SQLModel]) -> Table:
    return TableRow.metadata.tables[str(kind.__tablename__)]


JUDGMENT = table_of(JudgmentRow)
JUDGMENT_TAG = table_of(JudgmentTagRow)
FORM = table_of(JudgmentFormRow)
TEXT = table_of(TextRow)
TEXT_BLOCK = table_of(TextBlockRow)
RUBRIC = table_of(RubricRow)
PUBLICATION = table_of(PublicationRow)
RUBRIC_DRAFT = table_of(RubricDraftRow)
SERVED_RUBRIC = table_of(ServedRubricRow)
RUN_PIN = table_of(RunPinRow)
RUN_CHANGE = table_of(RunChangeRow)
REASK = table_of(ReaskRow)
VERDICT = table_of(VerdictRow)
VERDICT_SOURCE = table_of(VerdictSourceRow)
ERASURE = table_of(ErasureRow)
MIGRATED_BY = table_of(MigratedByRow)
SECRET = table_of(SecretRow)
JOB = table_of(JobRow)
JOB_ITEM = table_of(JobItemRow)
API_KEY = table_of(ApiKeyRow)
BUDGET = table_of(BudgetRow)
