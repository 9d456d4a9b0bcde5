"""Between a judgment with its submission and a row: what a column has is not repeated in the content, and what many
judgments have in common is in their form, stored once: the rubric, the judge, and their JSON without numbers and texts.

A judgment's JSON repeats every field name, every criterion and the description of rubric and judge; its own are some
numbers and, in reasons and errors, texts. ``Templates.parted`` makes a template of the first and bytes of the second,
``put_together`` the JSON again, every number to the last bit. Marks in a template are control characters, which JSON
text cannot hold.

No text from outside stays in a template: of the strings that a judgment can hold only those in ``_SHARED`` do, which a
rubric, a configuration or this code wrote. Erasing a judgment therefore leaves nothing of it behind in its form.
"""

import json
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement, FromClause, Row, Select, case

from judge_server.core.errors import StoreUnavailable
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.store.payload import (
    EPOCH,
    LARGEST,
    MICROSECOND,
    TEXT_FIELDS,
    Model,
    decode,
    encode,
    moment,
    pack,
    unpack,
)
from judge_server.store.schema import FORM, JUDGMENT, TEXT

_APART: Final = b"\3"
_SAME, _TEXT, _FLOAT, _WHOLE = "\1\2\3\4"
_SHARED: Final = frozenset(
    {"calibration", "criterion", "digest", "field", "fingerprint", "guard", "id", "judge", "mode", "model", "name"}
    | {"notice", "source", "status", "type", "version", "when"}
)
_FIXED: Final = ('"points"', '"coverage"', '"judged_coverage"')
_NUMBERS: Final = re.compile(r":(-?[0-9][-+.eE0-9]*)(?=[,}])")
_MARKS: Final = re.compile(rf"([{_SAME}{_TEXT}{_FLOAT}{_WHOLE}])")
_LONGEST_TEMPLATE: Final = 16_384
_MOST_MET: Final = 5_000


def _strings(kind: Any, name: str = "", listed: bool = False) -> Iterator[tuple[str, bool]]:
    """Names of the fields of a model, and of the models in it, that hold strings; whether they hold a list of them."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for field, described in kind.model_fields.items():
            yield from _strings(described.annotation, field)
    elif kind is str:
        yield name, listed
    else:
        listed = listed or get_origin(kind) is tuple
        for part in get_args(kind):
            yield from _strings(part, name, listed)


_STRINGS: Final = sorted(_strings(Judgment))
_OWN: Final = sorted({name for name, _ in _STRINGS} - _SHARED)
_TEXTS: Final = re.compile(rf'"({"|".join(_OWN)})":"([^"\\]*(?:\\.[^"\\]*)*)"')
_OWN_STARTS: Final = tuple(f'"{name}":"' for name in _OWN)
_WHOLE_STARTS: Final = ('"facts":[', *(f'"{name}":[' for name, listed in _STRINGS if listed))


@dataclass(frozen=True, slots=True)
class StoredForm:
    """One row of its table. ``submitted``: JSON of what the submissions say beside texts, facts, tags and their place
    in a training. ``template`` is empty if the judgments' contents are whole."""

    rubric_id: str | None
    rubric_version: str | None
    rubric_digest: str | None
    judge: str | None
    fingerprint: str | None
    maps: str | None
    guard: str | None
    submitted: str
    template: str


@dataclass(frozen=True, slots=True)
class _NumberPlaces:
    """What to do with the numbers of judgments that have one text around them: the places of those that stay in the
    template, of floating-point numbers with and without ``mets``, which are mostly equal to the value before them, and
    of whole numbers."""

    fixed: tuple[int, ...]
    mets: tuple[int, ...]
    floats: tuple[int, ...]
    every_float: tuple[int, ...]
    wholes: tuple[int, ...]


class Templates:
    """Makes templates, for shapes that are met a second time: a judgment of a shape of its own, such as one with many
    step rewards, stays whole."""

    def __init__(self) -> None:
        self._plans: dict[str, _NumberPlaces | None] = {}
        self._made: dict[tuple[Any, ...], str] = {}

    def parted(self, text: str) -> tuple[str, bytes]:
        """Template and content of a judgment's JSON. The template is empty if it stays whole."""
        texts: list[str] = []
        parts = _NUMBERS.split(text)
        around = ":".join(parts[::2])
        # one that was met before has no text of its own
        if around not in self._plans and any(start in around for start in _OWN_STARTS):
            parts = _NUMBERS.split(_TEXTS.sub(lambda found: _moved(found, texts), text))
            around = ":".join(parts[::2])
        numbers = parts[1::2]
        plan = self._plan(around, parts)
        if plan is None:
            return "", pack(text)
        same = all(numbers[place] == numbers[place - 1] for place in plan.mets)
        key = (around, same, *(numbers[place] for place in plan.fixed))
        template = self._made.get(key)
        if template is None:
            template = _made_room(self._made)[key] = _template(plan, parts, same)
        floats = [float(numbers[place]) for place in (plan.floats if same else plan.every_float)]
        wholes = [_varint(int(numbers[place])) for place in plan.wholes]
        content = b"".join([_APART, struct.pack(f"<{len(floats)}d", *floats), *wholes])
        return template, content + pack("\n".join(texts)) if texts else content

    def _plan(self, around: str, parts: Sequence[str]) -> _NumberPlaces | None:
        """None if the judgment is to stay whole."""
        plan = self._plans.get(around)
        if plan is not None or len(around) > _LONGEST_TEMPLATE or any(start in around for start in _WHOLE_STARTS):
            return plan
        known = around in self._plans
        _made_room(self._plans)[around] = plan = _planned(parts) if known else None
        return plan


def _made_room(kept: dict[Any, Any]) -> dict[Any, Any]:
    if len(kept) >= _MOST_MET:
        kept.clear()
    return kept


def _moved(found: "re.Match[str]", texts: list[str]) -> str:
    texts.append(found[2])
    return f'"{found[1]}":"{_TEXT}"'


def _planned(parts: Sequence[str]) -> _NumberPlaces:
    fixed, mets, floats, wholes = [], [], [], []
    for place, number in enumerate(parts[1::2]):
        before = parts[2 * place]
        if before.endswith(_FIXED):
            fixed.append(place)
        elif number.lstrip("-").isdigit():
            wholes.append(place)
        elif before == ',"met"':
            mets.append(place)
        else:
            floats.append(place)
    return _NumberPlaces(tuple(fixed), tuple(mets), tuple(floats), tuple(sorted(floats + mets)), tuple(wholes))


def _template(plan: _NumberPlaces, parts: Sequence[str], same: bool) -> str:
    marks = dict.fromkeys(plan.every_float, f":{_FLOAT}") | dict.fromkeys(plan.wholes, f":{_WHOLE}")
    marks |= {place: f":{_SAME}" for place in plan.mets if same}
    made = [part if number % 2 == 0 else marks.get(number // 2, f":{part}") for number, part in enumerate(parts)]
    return "".join(made)


def put_together(template: str, content: bytes) -> str:
    """The JSON of a judgment. Raises ValueError for content that does not belong to the template."""
    if not template:
        return unpack(content)
    pieces, many_floats, many_wholes = _pieces(template)
    try:
        floats = struct.unpack_from(f"<{many_floats}d", content, 1)
        wholes, end = _wholes(content, 1 + 8 * many_floats, many_wholes)
        texts = unpack(content[end:]).split("\n") if end < len(content) else []
        sources: dict[str, Iterator[str]] = {_FLOAT: map(repr, floats), _WHOLE: map(str, wholes), _TEXT: iter(texts)}
        return "".join(_filled(pieces, sources))
    except (struct.error, IndexError, StopIteration) as fault:
        raise ValueError(f"it is no judgment of this form: {fault}") from None


def _filled(pieces: Sequence[str], sources: Mapping[str, Iterator[str]]) -> list[str]:
    made = []
    before = ""
    for piece in pieces:
        if piece in sources:
            before = next(sources[piece])
        made.append(before if piece == _SAME or piece in sources else piece)
    return made


@lru_cache(maxsize=256)
def _pieces(template: str) -> tuple[list[str], int, int]:
    return _MARKS.split(template), template.count(_FLOAT), template.count(_WHOLE)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the sign is the lowest bit."""
    rest = number << 1 if number >= 0 else (-number << 1) | 1
    made = bytearray()
    while rest > 127:
        made.append(rest & 127 | 128)
        rest >>= 7
    made.append(rest)
    return bytes(made)


def _wholes(content: bytes, place: int, count: int) -> tuple[list[int], int]:
    """``count`` numbers from ``place`` on, and where they end. Raises IndexError beyond the end."""
    found = []
    for _ in range(count):
        rest = shift = 0
        while True:
            byte = content[place]
            place += 1
            rest |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        found.append(-(rest >> 1) if rest & 1 else rest >> 1)
    return found, place


_COORDINATES: Final = ("id", "run", "group", "step", "policy")
_IN_COLUMNS: Final = frozenset({"id", "reward", "status", "flags", "submission_digest", "created_at"})
_ELSEWHERE: Final = frozenset({*TEXT_FIELDS, *_COORDINATES})
_NOTHING: Final = "{}"


class Filed(NamedTuple):
    """``row``: its columns without ``form``, ``caller`` and the texts."""

    row: dict[str, Any]
    form: StoredForm


def filed(judgment: Judgment, submission: Submission, templates: Templates) -> Filed:
    """Raises ValueError or TypeError for what JSON cannot hold."""
    rubric, judge, place = judgment.rubric, judgment.judge, judgment.submission
    exact = place.step is None or place.step < LARGEST
    template, content = templates.parted(
        encode(judgment, leave_out=_IN_COLUMNS | {"submission"} if exact else _IN_COLUMNS)
    )
    if any(getattr(place, name) != getattr(submission, name) for name in _COORDINATES):
        raise ValueError("the submission has another place in a training than its judgment")
    inline = submission.rubric if isinstance(submission.rubric, Rubric) else None
    elsewhere = _ELSEWHERE if exact else frozenset(TEXT_FIELDS)
    submitted = encode(submission, leave_out=elsewhere | {"rubric"} if inline else elsewhere)
    own = bool(submission.facts or submission.tags) or not exact
    row = {
        "id": judgment.id,
        "created_us": (judgment.created_at - EPOCH) // MICROSECOND,
        "rubric_id": rubric.id if rubric else None,
        "judge": judge.name if judge else None,
        "submission_id": place.id,
        "run": place.run,
        "group_name": place.group,
        "step": place.step if exact else LARGEST,
        "policy": place.policy,
        "prompt_key": submission.prompt_key,
        "status": judgment.status.value,
        "reward": judgment.reward,
        "flags": json.dumps(judgment.flags) if judgment.flags else "[]",
        "content": content,
        "submission_digest": judgment.submission_digest,
        "inline_rubric": inline.digest if inline else None,
        "submitted": submitted if own else None,
    }
    form = StoredForm(
        rubric_id=rubric.id if rubric else None,
        rubric_version=rubric.version if rubric else None,
        rubric_digest=rubric.digest if rubric else None,
        judge=judge.name if judge else None,
        fingerprint=judge.fingerprint if judge else None,
        maps=judge.calibration if judge else None,
        guard=judgment.guard,
        submitted=_NOTHING if own else submitted,
        template=template,
    )
    return Filed(row, form)


_SHOWN: Final = (
    *("id", "created_us", "status", "reward", "flags", "submission_digest", "content"),
    *("submission_id", "run", "group_name", "step", "policy"),
)


def columns_of(judgment: FromClause = JUDGMENT, form: FromClause = FORM, prefix: str = "") -> list[ColumnElement[Any]]:
    """What ``judgment_json`` reads, from a judgment joined with its form."""
    named = [judgment.c[name].label(prefix + name) for name in _SHOWN]
    return [*named, form.c.template.label(f"{prefix}template")]


def content_json(row: Row[Any], prefix: str = "") -> str:
    """JSON of the verdicts and of what else no column has."""
    return put_together(getattr(row, f"{prefix}template"), bytes(getattr(row, f"{prefix}content")))


def judgment_json(row: Row[Any]) -> str:
    """JSON of the whole judgment. Raises ValueError for a row that cannot be read."""
    head: dict[str, Any] = {
        "id": row.id,
        "reward": row.reward,
        "status": row.status,
        "created_at": moment(row.created_us).isoformat(),
        "submission_digest": row.submission_digest,
    }
    if place := _place(row):
        head["submission"] = place
    rest = content_json(row)
    return f'{encode(head)[:-1]},"flags":{row.flags}{"," if rest != _NOTHING else ""}{rest[1:]}'


def _place(row: Row[Any]) -> dict[str, Any]:
    """Nothing if a step has more than 63 bits: then the contents hold it."""
    if row.step == LARGEST:
        return {}
    found = {"id": row.submission_id, "run": row.run, "group": row.group_name, "step": row.step, "policy": row.policy}
    return {name: value for name, value in found.items() if value is not None}


def judgment_of(row: Row[Any]) -> Judgment:
    """Raises StoreUnavailable for a row that cannot be read."""
    return read_judgment(lambda: judgment_json(row), row.id)


def read_judgment(text: Any, judgment_id: str) -> Judgment:
    """``text``: JSON, or a function that makes it."""
    return read(Judgment, text, f"judgment {judgment_id!r}")


def submitted_columns() -> list[ColumnElement[Any]]:
    """What ``submission_of`` reads beside the texts, from a judgment joined with its form."""
    column = JUDGMENT.c
    own = [column.id, column.submission_id, column.run, column.group_name, column.step, column.policy]
    return [*own, column.submitted.label("own_submitted"), FORM.c.submitted.label("form_submitted")]


def submission_of(row: Row[Any], rubric: str | None = None) -> Submission:
    """From a row with the JSON of its texts. Raises StoreUnavailable for a row that cannot be read."""
    what = f"the submission of judgment {row.id!r}"
    more = {name: json.loads(text) for name in TEXT_FIELDS if (text := getattr(row, f"{name}_text")) is not None}
    if rubric is not None:
        more["rubric"] = read(Rubric, rubric, what)
    return read(Submission, row.own_submitted or row.form_submitted, what, **(_place(row) | more))


def with_texts(
    question: Select[Any], names: Sequence[str] = TEXT_FIELDS, most_characters: int | None = None
) -> Select[Any]:
    """A question about judgments with the JSON of their texts: ``prompt_text``, ``response_text``, ``reference_text``.
    Longer ones than ``most_characters`` are None."""
    for name in names:
        own = TEXT.alias(f"of_{name}")
        content = own.c.content if most_characters is None else case((own.c.size <= most_characters, own.c.content))
        question = question.add_columns(content.label(f"{name}_text"))
        question = question.join(own, JUDGMENT.c[name] == own.c.id, isouter=True)
    return question


def read(kind: type[Model], text: Any, what: str, **more: Any) -> Model:
    """A value from its JSON. Raises StoreUnavailable, naming ``what``, if it cannot be read."""
    try:
        return decode(kind, text() if callable(text) else text, **more)
    except (ValidationError, ValueError) as fault:
        raise StoreUnavailable(
            f"{what} is in the database but cannot be read: {fault}",
            remedy="It was written by another judge-server or by hand: read it with the version that wrote it.",
        ) from fault
