"""The digest first served under each version of a rubric's file."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "served_rubric",
        sa.Column("rubric_id", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("first_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("rubric_id", "version", name="pk_served_rubric"),
    )


def downgrade() -> None:
    op.drop_table("served_rubric")
