"""A judgment is one row with its submission, and refers to what it shares with others by number: texts, and forms with
the rubric, the judge and the JSON around its numbers. Judgments may have tags."""

import json
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from judge_server.store.judgment_row import StoredForm, Templates, put_together
from judge_server.store.payload import (
    LARGEST,
    PackedText,
    SafeText,
    encode,
    moment,
    pack,
    unpack,
)
from judge_server.store.writing import form_row

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
_AT_ONCE: Final = 500
_TEXTS: Final = ("prompt", "response", "reference")
_PLACE: Final = ("id", "run", "group", "step", "policy")
_IN_FORM: Final = ("rubric_version", "rubric_digest", "fingerprint", "maps", "guard")
_IN_COLUMNS: Final = ("id", "reward", "status", "submission_digest", "created_at")
_SORTED: Final = {
    "created_us": ("created_us",),
    "rubric_id": ("rubric_id", "created_us"),
    "judge": ("judge", "created_us"),
    "group_name": ("group_name", "created_us"),
    "run": ("run", "step", "created_us"),
}
_GIVEN: Final = sa.text("reference IS NOT NULL")
_JUDGMENT: Final = sa.table(
    "judgment",
    *(sa.column(name, SafeText) for name in ("id", "rubric_id", "judge", "submission_id", "run", "group_name")),
    *(sa.column(name, SafeText) for name in ("policy", *_IN_FORM, "inline_rubric", "old_prompt_key")),
    *(sa.column(name, sa.BigInteger) for name in ("created_us", "form", "step", *_TEXTS)),
    *(sa.column(name, sa.Text) for name in ("status", "flags")),
    *(sa.column(name, PackedText(digest=True)) for name in ("submission_digest", "prompt_key")),
    sa.column("reward", sa.Double),
    sa.column("content", sa.LargeBinary),
    sa.column("submitted", PackedText),
)
_SUBMISSION: Final = sa.table(
    "submission",
    *(sa.column(name, SafeText) for name in ("judgment_id", "digest", "rubric_digest")),
    *(sa.column(name, sa.LargeBinary) for name in _TEXTS),
    sa.column("content", PackedText),
)
_NUMBERED: Final = sa.table("text", sa.column("id", sa.BigInteger), sa.column("digest", sa.LargeBinary))
_FORM: Final = sa.table(
    "judgment_form",
    sa.column("id", sa.BigInteger),
    sa.column("digest", sa.LargeBinary),
    *(sa.column(name, SafeText) for name in ("rubric_id", "judge", *_IN_FORM)),
    *(sa.column(name, PackedText) for name in ("submitted", "template")),
)


def _sqlite() -> bool:
    return bool(op.get_bind().dialect.name == "sqlite")


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False)


def upgrade() -> None:
    _number_texts()
    op.create_table(
        "judgment_form",
        _number(),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("rubric_id", "rubric_version", "rubric_digest", "judge")),
        *(sa.Column(name, sa.Text) for name in ("fingerprint", "maps", "guard")),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("submitted", "template")),
        sa.PrimaryKeyConstraint("id", name="pk_judgment_form"),
    )
    op.create_index("ix_judgment_form_digest", "judgment_form", ["digest"], unique=True)
    op.create_index("ix_judgment_form_rubric_digest", "judgment_form", ["rubric_digest"])
    op.add_column("judgment", sa.Column("form", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    for name in _TEXTS:
        _refer(name, "BIGINT", "text (id)")
    _refer("inline_rubric", "TEXT", "rubric (digest)")
    op.alter_column("judgment", "prompt_key", new_column_name="old_prompt_key")
    for name in ("prompt_key", "submission_digest", "submitted"):
        op.add_column("judgment", sa.Column(name, sa.LargeBinary))
    _rewrite_judgments()
    op.drop_table("submission")
    op.drop_table("old_text")
    for name, columns in _SORTED.items():
        op.drop_index(f"ix_judgment_{name}", "judgment")
        op.create_index(f"ix_judgment_{name}", "judgment", list(columns))
    for name in (*_IN_FORM, "old_prompt_key"):
        op.drop_column("judgment", name)
    op.create_index("ix_judgment_prompt", "judgment", ["prompt"])
    op.create_index("ix_judgment_response", "judgment", ["response"])
    op.create_index("ix_judgment_reference", "judgment", ["reference"], sqlite_where=_GIVEN, postgresql_where=_GIVEN)
    if _sqlite():
        op.execute("UPDATE OR IGNORE verdict SET key = substr(key, 1, 16)")
    else:
        op.execute("UPDATE verdict SET key = substring(key from 1 for 16)")
    op.create_table(
        "judgment_tag",
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("judgment_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tag", "judgment_id", name="pk_judgment_tag"),
        sa.ForeignKeyConstraint(
            ["judgment_id"], ["judgment.id"], name="fk_judgment_tag_judgment_id", ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_judgment_tag_judgment_id", "judgment_tag", ["judgment_id"])


def _number_texts() -> None:
    _put_aside("text")
    op.create_table(
        "text",
        _number(),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_text"),
    )
    op.execute("INSERT INTO text (digest, size, content) SELECT digest, size, content FROM old_text")
    op.create_index("ix_text_digest", "text", ["digest"], unique=True)


def _put_aside(table: str) -> None:
    op.rename_table(table, f"old_{table}")
    if not _sqlite():
        op.execute(f"ALTER TABLE old_{table} RENAME CONSTRAINT pk_{table} TO pk_old_{table}")


def _refer(name: str, kind: str, where: str) -> None:
    """SQLite takes a reference only with the new column, and gives it up with the column."""
    named = f"CONSTRAINT fk_judgment_{name}"
    op.execute(f"ALTER TABLE judgment ADD COLUMN {name} {kind} {named} REFERENCES {where}")


def _pages(question: sa.Select[Any], own: sa.ColumnElement[str]) -> Iterator[list[sa.Row[Any]]]:
    """Some rows at a time, in the order of their id."""
    after = None
    while True:
        page = question if after is None else question.where(own > after)
        rows = list(op.get_bind().execute(page.order_by(own).limit(_AT_ONCE)))
        if not rows:
            return
        yield rows
        after = rows[-1].id


def _rewrite_judgments() -> None:
    column, templates, forms = _JUDGMENT.c, Templates(), dict[StoredForm, int]()
    own = ("id", "rubric_id", "judge", "old_prompt_key", "content", *_IN_FORM)
    question = sa.select(
        *(column[name] for name in own),
        _SUBMISSION.c.digest.label("given_digest"),
        _SUBMISSION.c.rubric_digest.label("given_rubric"),
        _SUBMISSION.c.content.label("given"),
    ).select_from(_JUDGMENT.outerjoin(_SUBMISSION, _SUBMISSION.c.judgment_id == column.id))
    for name in _TEXTS:
        found = _NUMBERED.alias(f"of_{name}")
        question = question.add_columns(found.c.id.label(name))
        question = question.outerjoin(found, found.c.digest == _SUBMISSION.c[name])
    change = sa.update(_JUDGMENT).where(column.id == sa.bindparam("own", type_=SafeText))
    for rows in _pages(question, column.id):
        changes = []
        for row in rows:
            values, form = _short(row, templates)
            if form not in forms:
                forms[form] = _stored(form)
            changes.append(values | {"form": forms[form], "own": row.id})
        names = [name for name in changes[0] if name != "own"]
        op.get_bind().execute(change.values({name: sa.bindparam(name) for name in names}), changes)


def _stored(form: StoredForm) -> int:
    made = form_row(form)
    op.get_bind().execute(sa.insert(_FORM), [made])
    return int(op.get_bind().execute(sa.select(_FORM.c.id).where(_FORM.c.digest == made["digest"])).scalar_one())


def _short(row: Any, templates: Templates) -> tuple[dict[str, Any], StoredForm]:
    judgment = json.loads(unpack(bytes(row.content)))
    place = judgment.get("submission", {})
    exact = place.get("step") is None or place["step"] < LARGEST
    left_out = {*_IN_COLUMNS, "flags"} | ({"submission"} if exact else set())
    template, content = templates.parted(
        encode({name: value for name, value in judgment.items() if name not in left_out})
    )
    given = {} if row.given is None else json.loads(row.given)
    submitted = encode({name: value for name, value in given.items() if not exact or name not in _PLACE})
    own = not exact or bool(given.get("facts"))
    values = {
        "content": content,
        "flags": json.dumps(judgment.get("flags", [])),
        "prompt_key": row.old_prompt_key,
        "submission_digest": judgment.get("submission_digest"),
        "inline_rubric": row.given_rubric,
        "submitted": submitted if own else None,
        **{name: getattr(row, name) for name in _TEXTS},
    }
    kept = {name: getattr(row, name) for name in ("rubric_id", "judge", *_IN_FORM)}
    return values, StoredForm(**kept, submitted="{}" if own else submitted, template=template)


def downgrade() -> None:
    op.drop_table("judgment_tag")
    op.execute("DELETE FROM verdict")  # a cache: judges are asked again about what they are asked again
    for name in _TEXTS:
        op.drop_index(f"ix_judgment_{name}", "judgment")
    for name, columns in _SORTED.items():
        op.drop_index(f"ix_judgment_{name}", "judgment")
        op.create_index(f"ix_judgment_{name}", "judgment", [*columns, "id"])
    _digest_texts()
    op.create_table(
        "submission",
        *(sa.Column(name, sa.Text, nullable=name != "judgment_id") for name in ("judgment_id", "digest")),
        sa.Column("rubric_digest", sa.Text),
        *(sa.Column(name, sa.LargeBinary) for name in _TEXTS),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("judgment_id", name="pk_submission"),
        sa.ForeignKeyConstraint(["judgment_id"], ["judgment.id"], name="fk_submission_judgment_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["rubric_digest"], ["rubric.digest"], name="fk_submission_rubric_digest"),
        *(sa.ForeignKeyConstraint([name], ["text.digest"], name=f"fk_submission_{name}") for name in _TEXTS),
    )
    op.create_index("ix_submission_prompt", "submission", ["prompt"])
    op.create_index("ix_submission_response", "submission", ["response"])
    op.create_index(
        "ix_submission_reference", "submission", ["reference"], sqlite_where=_GIVEN, postgresql_where=_GIVEN
    )
    for name in (*_IN_FORM, "old_prompt_key"):
        op.add_column("judgment", sa.Column(name, sa.Text))
    _write_judgments_whole()
    for name in (*_TEXTS, "inline_rubric", "form", "prompt_key", "submission_digest", "submitted"):
        op.drop_column("judgment", name)
    op.alter_column("judgment", "old_prompt_key", new_column_name="prompt_key")
    op.drop_table("judgment_form")
    op.drop_table("old_text")


def _digest_texts() -> None:
    _put_aside("text")
    op.drop_index("ix_text_digest", "old_text")
    op.create_table(
        "text",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_text"),
    )
    op.execute("INSERT INTO text (digest, size, content) SELECT digest, size, content FROM old_text")


def _write_judgments_whole() -> None:
    column = _JUDGMENT.c
    own = ("id", "created_us", "status", "reward", "flags", "submission_id", "run", "group_name", "step", "policy")
    more = ("content", "submission_digest", "prompt_key", "inline_rubric", "submitted")
    question = sa.select(
        *(column[name] for name in (*own, *more)),
        *(_FORM.c[name] for name in (*_IN_FORM, "template")),
        _FORM.c.submitted.label("form_submitted"),
    ).join(_FORM, _FORM.c.id == column.form)
    for name in _TEXTS:
        found = sa.table("old_text", sa.column("id"), sa.column("digest", sa.LargeBinary)).alias(f"of_{name}")
        question = question.add_columns(found.c.digest.label(name)).outerjoin(found, found.c.id == column[name])
    for rows in _pages(question, column.id):
        for row in rows:
            values = {name: getattr(row, name) for name in _IN_FORM}
            values |= {"content": pack(_whole(row)), "old_prompt_key": row.prompt_key}
            op.get_bind().execute(sa.update(_JUDGMENT).where(column.id == row.id).values(values))
        given = [_submission(row) for row in rows if row.prompt is not None]
        if given:
            op.get_bind().execute(sa.insert(_SUBMISSION), given)


def _place(row: Any) -> dict[str, Any]:
    if row.step == LARGEST:
        return {}
    found = {"id": row.submission_id, "run": row.run, "group": row.group_name, "step": row.step, "policy": row.policy}
    return {name: value for name, value in found.items() if value is not None}


def _whole(row: Any) -> str:
    head = {
        "id": row.id,
        "reward": row.reward,
        "status": row.status,
        "created_at": moment(row.created_us).isoformat(),
        "submission_digest": row.submission_digest,
        "flags": json.loads(row.flags),
        "submission": _place(row),
    }
    return encode(head | json.loads(put_together(row.template, bytes(row.content))))


def _submission(row: Any) -> dict[str, Any]:
    given = json.loads(row.submitted or row.form_submitted)
    return {
        "judgment_id": row.id,
        "digest": row.submission_digest,
        "rubric_digest": row.inline_rubric,
        "content": encode(_place(row) | given),
        **{name: getattr(row, name) for name in _TEXTS},
    }
