"""Who was shown, while labelling, what the judge said."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "label_showing",
        sa.Column("set_id", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("shown_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("set_id", "item", "annotator", name="pk_label_showing"),
    )


def downgrade() -> None:
    op.drop_table("label_showing")
