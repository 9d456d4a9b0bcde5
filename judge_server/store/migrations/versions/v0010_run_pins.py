"""What a run is pinned to, its recorded changes, and in judgments the prompt, the fitted maps and the guard."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("prompt_key", "maps", "guard"):
        op.add_column("judgment", sa.Column(name, sa.Text))
    op.create_table(
        "run_pin",
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("step", sa.BigInteger),
        sa.PrimaryKeyConstraint("run", "kind", "name", name="pk_run_pin"),
    )
    op.create_table(
        "run_change",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text),
        sa.Column("step", sa.BigInteger),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run_change"),
    )
    op.create_index("ix_run_change_run", "run_change", ["run", "at_us"])


def downgrade() -> None:
    op.drop_table("run_change")
    op.drop_table("run_pin")
    for name in ("guard", "maps", "prompt_key"):
        op.drop_column("judgment", name)
