"""Which texts and callers remembered verdicts are about, if no judgment's plan leads to them: they can be erased."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verdict_source",
        sa.Column("source", sa.LargeBinary, nullable=False),
        sa.Column("verdict", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["verdict"], ["verdict.key"], name="fk_verdict_source_verdict", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source", "verdict", name="pk_verdict_source"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_verdict_source_verdict", "verdict_source", ["verdict"])


def downgrade() -> None:
    op.drop_table("verdict_source")
