"""The run of a judgment, and an index by run and step."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("judgment", sa.Column("run", sa.Text))
    op.create_index("ix_judgment_run", "judgment", ["run", "step", "created_us", "id"])


def downgrade() -> None:
    op.drop_index("ix_judgment_run", "judgment")
    op.drop_column("judgment", "run")
