"""Plans of labelling, and who is labelling what."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "label_plan",
        sa.Column("set_id", sa.Text, nullable=False),
        sa.Column("turns", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("items", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("set_id", name="pk_label_plan"),
    )
    op.create_table(
        "label_reservation",
        sa.Column("set_id", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("set_id", "item", "annotator", name="pk_label_reservation"),
    )


def downgrade() -> None:
    op.drop_table("label_reservation")
    op.drop_table("label_plan")
