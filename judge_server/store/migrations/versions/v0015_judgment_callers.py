"""Whose judgment it is: the caller, by whom views and erasures are limited. Older judgments have none."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("judgment", sa.Column("caller", sa.Text))


def downgrade() -> None:
    op.drop_column("judgment", "caller")
