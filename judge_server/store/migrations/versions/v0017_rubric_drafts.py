"""Rubrics that are being written on a page."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rubric_draft",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.Column("published", sa.Text),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("ix_rubric_draft_author", "rubric_draft", ["author", "updated_us", "id"])
    op.create_index("ix_rubric_draft_published", "rubric_draft", ["published"])


def downgrade() -> None:
    op.drop_table("rubric_draft")
