"""Judgments of runs whose judge was asked again."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reask",
        sa.Column("judgment_id", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("rubric_id", sa.Text, nullable=False),
        sa.Column("prompt_key", sa.Text, nullable=False),
        sa.Column("reward", sa.Double, nullable=False),
        sa.Column("again", sa.Double),
        sa.PrimaryKeyConstraint("judgment_id", name="pk_reask"),
        sa.ForeignKeyConstraint(["judgment_id"], ["judgment.id"], name="fk_reask_judgment_id", ondelete="CASCADE"),
    )
    op.create_index("ix_reask_run", "reask", ["run", "rubric_id"])


def downgrade() -> None:
    op.drop_table("reask")
