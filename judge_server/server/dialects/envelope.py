"""A label with more than the reference in it: ``{"rubric", "reference", "prompt", "facts", "judge", "tags"}`` as JSON.

Labels come from a data set and may be any text. A label that is not an envelope is the reference. One that begins like
an envelope must be valid to the last field, so that a misspelt field never judges something else unnoticed.
"""

import re
from typing import Any

from pydantic import ValidationError

from judge_server.authoring.emitting import data_of
from judge_server.authoring.interchange import FORMATS, format_of
from judge_server.authoring.interchange.tracked import unpacked
from judge_server.core.coordinates import Coordinate, Tag
from judge_server.core.errors import BadInput, BadRubric, BadSubmission
from judge_server.core.model import Frozen
from judge_server.core.submission import Conversation
from judge_server.scoring.batch import describe
from judge_server.util.canonical import JsonObject, as_json, canonical_json, digest
from judge_server.util.parsing import parse_json

MOST_CHARACTERS = 1_000_000
_REMEDY = 'Write {"rubric", "reference", "prompt", "facts", "judge", "tags"} (each optional), or a plain text.'


class BadEnvelope(BadSubmission):
    type, title = "bad_envelope", "The label is an envelope that cannot be read"


class Envelope(Frozen):
    """The fields that a sample may set. ``rubric`` is a name or a whole rubric, validated with the submission."""

    rubric: str | JsonObject | None = None
    reference: str | None = None
    prompt: str | Conversation | None = None
    facts: JsonObject | None = None
    judge: Coordinate | None = None
    tags: tuple[Tag, ...] = ()


_TELLING = Envelope.model_fields.keys() - {"tags"}  # many a data set has labels with tags of its own
_MEANT = re.compile(r'\A\s*\{\s*"(?:' + "|".join(sorted(_TELLING)) + r')"\s*:')
EMPTY = Envelope()


def open_label(label: Any) -> Envelope:
    """The envelope that a label holds, or one with the label as reference. Raises BadEnvelope that names the field."""
    if label is None or label == "":
        return EMPTY
    if isinstance(label, str) and len(label) > MOST_CHARACTERS:
        raise BadEnvelope(
            f"The label has {len(label)} characters, and {MOST_CHARACTERS} are the most.", remedy="Shorten it."
        )
    given = _object_in(label) if isinstance(label, str) else label
    if isinstance(given, dict) and given.keys() & _TELLING:
        return read_envelope(given)
    return Envelope(reference=as_text(label))


def read_envelope(given: dict[str, Any]) -> Envelope:
    """Plain data → Envelope. Raises BadEnvelope that names every field at fault."""
    try:
        return Envelope.model_validate(given)
    except ValidationError as fault:
        raise BadEnvelope(f"The envelope cannot be read: {describe(fault)}.", remedy=_REMEDY) from None


def envelope_in_row(row: dict[str, Any]) -> Envelope:
    """From the columns rubric, reference, facts and judge of a data set's row. The reference may be any JSON, and the
    rubric a list of criteria in the words of another project."""
    given = {name: row[name] for name in ("rubric", "reference", "facts", "judge") if row.get(name) is not None}
    if "rubric" in given:
        given["rubric"] = _rubric_of_row(given["rubric"])
    if "reference" in given:
        given["reference"] = as_text(given["reference"])
    return read_envelope(given)


def _rubric_of_row(given: Any) -> Any:
    """A rubric of ours or its name as it is. A list of criteria, as objects or as lines of a text, is read as
    ``rubric import`` reads it. Raises BadEnvelope that says what is wrong with it."""
    given = unpacked(given)
    if (isinstance(given, str) and "\n" not in given.strip()) or (isinstance(given, dict) and "id" in given):
        return given
    record = {"rubric": given}
    try:
        name = f"row/{digest(as_json(given)).removeprefix('sha256:')[:16]}"
    except ValueError as fault:
        raise BadEnvelope(f"The rubric of the row cannot be read: {fault}.", remedy=_REMEDY) from None
    try:
        rubric = FORMATS[format_of(record, "rubric")].read(record, "rubric", name)
    except (BadInput, BadRubric) as fault:
        raise BadEnvelope(f"The rubric of the row cannot be read: {fault.detail}", remedy=fault.remedy) from None
    return data_of(rubric)


def _object_in(label: str) -> Any:
    """The JSON object in a label, if there is one. Raises BadEnvelope for a label that begins like an envelope and is
    not JSON."""
    if not label.lstrip().startswith("{"):
        return None
    try:
        return parse_json(label)
    except ValueError as fault:
        if _MEANT.match(label):
            raise BadEnvelope(f"The envelope cannot be read: {fault}.", remedy=_REMEDY) from None
        return None


def as_text(label: Any) -> str:
    """A text unchanged, any other value as JSON. Raises BadEnvelope for values that JSON cannot hold."""
    if isinstance(label, str):
        return label
    try:
        return canonical_json(as_json(label))
    except ValueError as fault:
        raise BadEnvelope(f"The label cannot be read: {fault}.", remedy=_REMEDY) from None
