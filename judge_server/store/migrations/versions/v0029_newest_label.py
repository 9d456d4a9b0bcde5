"""The newest label of a set is found without reading all of them."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_collected_label_newest", "collected_label", ["set_id", "created_us"])


def downgrade() -> None:
    op.drop_index("ix_collected_label_newest", "collected_label")
