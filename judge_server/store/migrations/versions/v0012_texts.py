"""Texts are stored once and compressed, as are the contents of judgments, submissions and verdicts."""

import json
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

from judge_server.store.payload import encode, pack, unpack

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
_FIELDS = ("prompt", "response", "reference")
_AT_ONCE = 500


def upgrade() -> None:
    op.create_table(
        "text",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_text"),
    )
    _column("judgment", "content", sa.LargeBinary)
    _column("submission", "content", sa.LargeBinary)
    for name in _FIELDS:
        named = f"fk_submission_{name}"
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"ALTER TABLE submission ADD COLUMN {name} BLOB CONSTRAINT {named} REFERENCES text (digest)")
        else:
            op.add_column("submission", sa.Column(name, sa.LargeBinary))
            op.create_foreign_key(named, "submission", "text", [name], ["digest"])
    _rewrite("judgment", "id", ("payload",), lambda row: {"content": pack(row.payload)})
    _rewrite("submission", "judgment_id", ("payload",), _split)
    op.drop_column("judgment", "payload")
    op.drop_column("submission", "payload")
    op.create_index("ix_submission_prompt", "submission", ["prompt"])
    op.create_index("ix_submission_response", "submission", ["response"])
    given = sa.text("reference IS NOT NULL")
    op.create_index("ix_submission_reference", "submission", ["reference"], sqlite_where=given, postgresql_where=given)
    op.drop_table("verdict")  # a cache: judges are asked again about what they are asked again
    _verdicts(sa.LargeBinary, "content", sa.LargeBinary)


def downgrade() -> None:
    op.drop_table("verdict")
    _verdicts(sa.Text, "payload", sa.Text)
    for name in _FIELDS:
        op.drop_index(f"ix_submission_{name}", "submission")
    _column("judgment", "payload", sa.Text)
    _column("submission", "payload", sa.Text)
    _rewrite("judgment", "id", ("content",), lambda row: {"payload": unpack(bytes(row.content))})
    _rewrite("submission", "judgment_id", ("content", *_FIELDS), _joined)
    op.drop_column("judgment", "content")
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("submission") as table:
            for name in (*_FIELDS, "content"):
                table.drop_column(name)
    else:
        for name in (*_FIELDS, "content"):
            op.drop_column("submission", name)
    op.drop_table("text")


def _column(table: str, name: str, kind: type[sa.types.TypeEngine[Any]]) -> None:
    """NOT NULL; the default fills the rows that are there, and every insert gives a value."""
    empty = "''" if kind is sa.Text else ("x''" if op.get_bind().dialect.name == "sqlite" else "'\\\\x'")
    op.add_column(table, sa.Column(name, kind, nullable=False, server_default=sa.text(empty)))


def _verdicts(key: type[sa.types.TypeEngine[Any]], name: str, kind: type[sa.types.TypeEngine[Any]]) -> None:
    op.create_table(
        "verdict",
        sa.Column("key", key, nullable=False),
        sa.Column(name, kind, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_verdict"),
        sqlite_with_rowid=False,
    )


def _rewrite(table: str, key: str, read: Sequence[str], changed: Callable[[Any], dict[str, Any]]) -> None:
    """A few rows at a time, in the order of the key."""
    connection = op.get_bind()
    source = sa.table(table, sa.column(key, sa.Text), *(sa.column(name) for name in read))
    own = source.c[key]
    after = ""
    while True:
        page = sa.select(own.label("own"), *(source.c[name] for name in read)).where(own > after).order_by(own)
        rows = list(connection.execute(page.limit(_AT_ONCE)))
        for row in rows:
            values = changed(row)
            kinds = {name: sa.Text if isinstance(value, str) else sa.LargeBinary for name, value in values.items()}
            target = sa.table(table, sa.column(key, sa.Text), *(sa.column(name, kind) for name, kind in kinds.items()))
            connection.execute(sa.update(target).where(target.c[key] == row.own).values(values))
        if not rows:
            return
        after = rows[-1].own


def _split(row: Any) -> dict[str, Any]:
    connection = op.get_bind()
    payload = json.loads(row.payload)
    digests: dict[str, bytes | None] = dict.fromkeys(_FIELDS)
    for name in _FIELDS:
        if (value := payload.pop(name, None)) is not None:
            text = encode(value)
            digests[name] = digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            connection.execute(
                sa.text("INSERT INTO text VALUES (:digest, :size, :content) ON CONFLICT DO NOTHING"),
                {"digest": digest, "size": len(text), "content": pack(text)},
            )
    return digests | {"content": pack(encode(payload))}


def _joined(row: Any) -> dict[str, Any]:
    payload = json.loads(unpack(bytes(row.content)))
    for name in _FIELDS:
        if (digest := getattr(row, name)) is not None:
            found = op.get_bind().execute(sa.text("SELECT content FROM text WHERE digest = :own"), {"own": digest})
            payload[name] = json.loads(unpack(bytes(found.scalar_one())))
    return {"payload": encode(payload)}
