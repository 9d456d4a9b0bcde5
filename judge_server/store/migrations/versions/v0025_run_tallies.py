"""Sums over the judgments of a training run, by step and by group; made from the judgments that are stored."""

import sqlalchemy as sa
from alembic import op

from judge_server.store.run_tally import RunTally
from judge_server.store.writing import numbered

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
_IN_SOURCE = ("policy", "caller", "rubric_id", "rubric_version", "rubric_digest", "judge", "fingerprint")
_COUNTS = ("judgments", "ok", "partial", "failed", "flagged", "rewards")


def upgrade() -> None:
    op.create_table(
        "training_run",
        _number(),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_training_run"),
    )
    op.create_index("ix_training_run_digest", "training_run", ["digest"], unique=True)
    op.create_table(
        "reward_source",
        _number(),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("run", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text) for name in (*_IN_SOURCE, "maps", "guard")),
        sa.PrimaryKeyConstraint("id", name="pk_reward_source"),
    )
    op.create_index("ix_reward_source_digest", "reward_source", ["digest"], unique=True)
    op.create_index("ix_reward_source_run", "reward_source", ["run"])
    op.create_table(
        "run_step",
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("source", "step", *_COUNTS)),
        sa.Column("reward", sa.Double, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("low", "high")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("first_us", "last_us")),
        sa.PrimaryKeyConstraint("source", "step", name="pk_run_step"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_group",
        sa.Column("run", sa.BigInteger, nullable=False),
        sa.Column("prompt_key", sa.LargeBinary, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("group_key", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("rewards", "without")),
        sa.Column("reward", sa.Double, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("low", "high")),
        sa.PrimaryKeyConstraint("run", "prompt_key", "step", "group_key", name="pk_run_group"),
        sqlite_with_rowid=False,
    )
    RunTally(numbered).recount(op.get_bind())


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False)


def downgrade() -> None:
    for table in ("run_group", "run_step", "reward_source", "training_run"):
        op.drop_table(table)
