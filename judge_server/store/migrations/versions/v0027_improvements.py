"""Attempts to improve a judge."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "improvement",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("lease_us", sa.BigInteger, nullable=False),
        sa.Column("terms", sa.LargeBinary, nullable=False),
        sa.Column("progress", sa.LargeBinary, nullable=False),
        sa.Column("proposals", sa.LargeBinary, nullable=False),
        sa.Column("files", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_improvement"),
    )
    op.create_index("ix_improvement_created_us", "improvement", ["created_us", "id"])
    op.create_index("ix_improvement_status", "improvement", ["status", "lease_us"])


def downgrade() -> None:
    op.drop_table("improvement")
