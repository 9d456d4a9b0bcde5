"""Durable jobs and their items."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("expires_us", sa.BigInteger),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("priority", sa.BigInteger, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("content_digest", sa.Text),
        sa.Column("worker", sa.Text),
        sa.Column("lease_us", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("ok", sa.BigInteger, nullable=False),
        sa.Column("partial", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    op.create_index("ix_job_created_us", "job", ["created_us", "id"])
    op.create_index("ix_job_status", "job", ["status", "lease_us"])
    op.create_index("ix_job_idempotency_key", "job", ["idempotency_key"], unique=True)
    op.create_table(
        "job_item",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("finished", sa.Boolean, nullable=False),
        sa.Column("judgment_id", sa.Text),
        sa.Column("result", sa.Text),
        sa.PrimaryKeyConstraint("job_id", "position", name="pk_job_item"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_job_item_job_id", ondelete="CASCADE"),
    )
    op.create_index(
        "ix_job_item_unfinished",
        "job_item",
        ["job_id", "position"],
        sqlite_where=sa.text("NOT finished"),
        postgresql_where=sa.text("NOT finished"),
    )


def downgrade() -> None:
    for table in ("job_item", "job"):
        op.drop_table(table)
