"""Label sets, labels that come one by one, and readings of locked test splits."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "label_set",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("set_id", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_label_set"),
    )
    op.create_index("ix_label_set_set_id", "label_set", ["set_id", "created_us"])
    op.create_table(
        "collected_label",
        sa.Column("set_id", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("criterion", sa.Text, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("set_id", "item", "criterion", "annotator", name="pk_collected_label"),
    )
    op.create_table(
        "locked_reading",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("read_us", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_locked_reading"),
    )
    op.create_index("ix_locked_reading_digest", "locked_reading", ["digest", "read_us", "id"])


def downgrade() -> None:
    for table in ("locked_reading", "collected_label", "label_set"):
        op.drop_table(table)
