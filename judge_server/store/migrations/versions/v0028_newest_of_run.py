"""The newest judgments of a run are found without sorting all of them."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_judgment_newest_of_run", "judgment", ["run", "created_us"])


def downgrade() -> None:
    op.drop_index("ix_judgment_newest_of_run", "judgment")
