"""Acts of erasure, the versions that migrated, and indexes by which pruning finds what refers to a judgment."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
_GIVEN = sa.text("judgment_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasure"),
    )
    op.create_index("ix_erasure_at_us", "erasure", ["at_us", "id"])
    op.create_table(
        "migrated_by",
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_migrated_by"),
    )
    op.create_index("ix_queue_item_judgment_id", "queue_item", ["judgment_id"])
    op.create_index("ix_collected_label_item", "collected_label", ["item"])
    op.create_index(
        "ix_job_item_judgment_id", "job_item", ["judgment_id"], sqlite_where=_GIVEN, postgresql_where=_GIVEN
    )


def downgrade() -> None:
    op.drop_index("ix_job_item_judgment_id", "job_item")
    op.drop_index("ix_collected_label_item", "collected_label")
    op.drop_index("ix_queue_item_judgment_id", "queue_item")
    op.drop_table("migrated_by")
    op.drop_table("erasure")
