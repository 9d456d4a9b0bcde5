"""The caller of a job in a column of its own, so that workers serve callers in turn."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("caller", sa.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    job = sa.table("job", sa.column("id"), sa.column("terms"), sa.column("caller"))
    for row in connection.execute(sa.select(job.c.id, job.c.terms)).all():
        caller = json.loads(row.terms).get("caller", "")
        connection.execute(job.update().where(job.c.id == row.id).values(caller=caller))


def downgrade() -> None:
    op.drop_column("job", "caller")
