"""Remembered verdicts on what a judge was shown are one row, with a day. Those of before had other keys and are
dropped: judges are asked again about what they are asked again."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from judge_server.store.payload import pack, unpack

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
_AT_ONCE: Final = 500
_TEXT: Final = sa.table("text", sa.column("id", sa.BigInteger), sa.column("content", sa.LargeBinary))


def upgrade() -> None:
    op.drop_table("verdict")
    op.create_table(
        "verdict",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("many", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_verdict"),
    )
    op.create_index("ix_verdict_key", "verdict", ["key"], unique=True)
    op.drop_index("ix_judgment_group_name", "judgment")
    op.create_index("ix_judgment_group_name", "judgment", ["group_name"])


def downgrade() -> None:
    _pack_as_before()
    op.drop_index("ix_judgment_group_name", "judgment")
    op.create_index("ix_judgment_group_name", "judgment", ["group_name", "created_us"])
    op.drop_table("verdict")
    op.create_table(
        "verdict",
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_verdict"),
        sqlite_with_rowid=False,
    )


def _pack_as_before() -> None:
    """Texts whose dictionary an older version does not know."""
    after, change = 0, sa.update(_TEXT).where(_TEXT.c.id == sa.bindparam("own"))
    while True:
        page = sa.select(_TEXT.c.id, _TEXT.c.content).where(_TEXT.c.id > after).order_by(_TEXT.c.id).limit(_AT_ONCE)
        rows = op.get_bind().execute(page).all()
        if not rows:
            return
        after = rows[-1].id
        changes = [{"own": row.id, "content": pack(unpack(bytes(row.content)))} for row in rows]
        op.get_bind().execute(change.values(content=sa.bindparam("content")), changes)
