"""One sample of a trainer that scores text by text, with a label beside it (``label``, ``labels``, ``ground_truth``).

A label is the reference, or an envelope: a JSON object of ``prompt``, ``reference``, ``facts``, ``rubric`` and
``judge``, each optional. The server's routes for trainers read a label in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from judge_client.adapters.columns import USUAL
from judge_client.errors import BadSample
from judge_client.sample import Sample, Text, encode, text_or_messages
from judge_client.wire import value_of

MEMBERS = ("prompt", "reference", "facts", "rubric", "judge")
_MEANT = re.compile(r'\A\s*\{\s*"(?:' + "|".join(MEMBERS) + r')"\s*:')
_REMEDY = f"An envelope is a JSON object of {', '.join(MEMBERS)}, each optional."


def sample_of(
    response: Text, *, prompt: Any = None, label: Any = None, columns: Mapping[str, Any] | None = None
) -> Sample:
    """The envelope goes before ``prompt`` and ``columns`` (``reference``, ``facts``, ``rubric``, ``judge``, among any
    others), and a column before a label of plain text.

    ``prompt``: text, or any sequence of messages. Raises BadSample if there is no prompt, and for an envelope that
    cannot be read.
    """
    envelope = envelope_in(label)
    given = {name: value for name in MEMBERS[1:] if (value := (columns or {}).get(name)) is not None}
    given |= envelope or {}
    if envelope is None:
        given.setdefault("reference", label)
    chosen = text_of(given.pop("prompt", None)) or text_of(prompt)
    if chosen is None:
        raise BadSample("The sample has no prompt.", remedy='Put it into the label: {"prompt": "…", "reference": "…"}.')
    given["reference"] = _reference(given.get("reference"))
    return USUAL.samples([chosen], [response], {name: [value] for name, value in given.items()})[0]


def envelope_in(label: Any) -> dict[str, Any] | None:
    """The members that say something; None if the label is no envelope. Raises BadSample."""
    found = _parsed(label) if isinstance(label, str) else label
    if not isinstance(found, Mapping) or not set(found) & set(MEMBERS):
        return None
    unknown = sorted(set(found) - set(MEMBERS))
    if unknown:
        raise BadSample(f"label: {unknown[0]!r} is not known.", remedy=_REMEDY)
    return {name: value for name, value in found.items() if value is not None}


def text_of(prompt: Any) -> Text | None:
    """Text, or plain messages, in whatever sequence the trainer keeps them; None if there is nothing. Raises
    BadSample for anything else."""
    if prompt is None or isinstance(prompt, str):
        return prompt or None
    told = text_or_messages("prompt", prompt)
    return told if isinstance(told, str) else [dict(message) for message in told] or None


def _parsed(text: str) -> Any:
    """A label that only begins like an envelope is a fault, and not a reference."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return value_of(text)
    except ValueError as fault:
        if _MEANT.match(text):
            raise BadSample(f"label: the envelope is no JSON: {fault}.", remedy=_REMEDY) from None
        return None


def _reference(given: Any) -> str | None:
    """Numbers and lists as the JSON that they are."""
    if given is None or isinstance(given, str):
        return given or None
    return encode(given, "reference").decode()
