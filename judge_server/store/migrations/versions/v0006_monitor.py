"""Alarms, audits, the queue for people, and who watches."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("raised", sa.Boolean, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
        sa.Column("seen_us", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_alarm"),
    )
    op.create_table(
        "alarm_transition",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("raised", sa.Boolean, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("untold", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("next_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_transition"),
    )
    op.create_index("ix_alarm_transition_at_us", "alarm_transition", ["at_us", "id"])
    untold = sa.text("untold")
    op.create_index(
        "ix_alarm_transition_untold", "alarm_transition", ["next_us"], sqlite_where=untold, postgresql_where=untold
    )
    op.create_table(
        "audit",
        sa.Column("audited_id", sa.Text, nullable=False),
        sa.Column("judge", sa.Text, nullable=False),
        sa.Column("judgment_id", sa.Text),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("audited_id", "judge", name="pk_audit"),
        sa.ForeignKeyConstraint(["audited_id"], ["judgment.id"], name="fk_audit_audited_id", ondelete="CASCADE"),
    )
    op.create_index("ix_audit_created_us", "audit", ["created_us", "audited_id"])
    op.create_index("ix_audit_judgment_id", "audit", ["judgment_id"])
    op.create_table(
        "queue_item",
        sa.Column("label_set", sa.Text, nullable=False),
        sa.Column("judgment_id", sa.Text, nullable=False),
        sa.Column("stratum", sa.Text, nullable=False),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("population", sa.BigInteger, nullable=False),
        sa.Column("sampled", sa.BigInteger, nullable=False),
        sa.Column("drawn_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("label_set", "judgment_id", name="pk_queue_item"),
        sa.ForeignKeyConstraint(["judgment_id"], ["judgment.id"], name="fk_queue_item_judgment_id", ondelete="CASCADE"),
    )
    op.create_table(
        "watch",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("lease_us", sa.BigInteger, nullable=False),
        sa.Column("position_us", sa.BigInteger, nullable=False),
        sa.Column("position_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_watch"),
    )


def downgrade() -> None:
    for table in ("watch", "queue_item", "audit", "alarm_transition", "alarm"):
        op.drop_table(table)
