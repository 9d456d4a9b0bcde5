"""Budgets of keys and runs, and what was spent of them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "budget",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("dollars", sa.Double),
        sa.Column("tokens", sa.BigInteger),
        sa.Column("warn_at", sa.Double, nullable=False),
        sa.Column("spent_dollars", sa.Double, nullable=False),
        sa.Column("spent_tokens", sa.BigInteger, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_budget"),
    )


def downgrade() -> None:
    op.drop_table("budget")
