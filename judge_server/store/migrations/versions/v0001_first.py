"""The first tables: judgments, submissions, rubrics, publications, verdicts and the secret."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rubric",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_rubric"),
    )
    op.create_table(
        "publication",
        sa.Column("rubric_id", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("published_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("rubric_id", "version", name="pk_publication"),
        sa.ForeignKeyConstraint(["digest"], ["rubric.digest"], name="fk_publication_digest"),
    )
    _create_judgment()
    op.create_table(
        "submission",
        sa.Column("judgment_id", sa.Text, nullable=False),
        sa.Column("digest", sa.Text),
        sa.Column("rubric_digest", sa.Text),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("judgment_id", name="pk_submission"),
        sa.ForeignKeyConstraint(["judgment_id"], ["judgment.id"], name="fk_submission_judgment_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["rubric_digest"], ["rubric.digest"], name="fk_submission_rubric_digest"),
    )
    op.create_table(
        "verdict",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_verdict"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secret"),
    )


def _create_judgment() -> None:
    op.create_table(
        "judgment",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("rubric_id", sa.Text),
        sa.Column("rubric_version", sa.Text),
        sa.Column("rubric_digest", sa.Text),
        sa.Column("judge", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("submission_id", sa.Text),
        sa.Column("group_name", sa.Text),
        sa.Column("step", sa.BigInteger),
        sa.Column("policy", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reward", sa.Double),
        sa.Column("flags", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_judgment"),
    )
    op.create_index("ix_judgment_created_us", "judgment", ["created_us", "id"])
    for column in ("rubric_id", "judge", "group_name"):
        op.create_index(f"ix_judgment_{column}", "judgment", [column, "created_us", "id"])


def downgrade() -> None:
    for table in ("secret", "verdict", "submission", "judgment", "publication", "rubric"):
        op.drop_table(table)
