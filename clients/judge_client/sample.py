"""One response to be judged, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from judge_client.errors import BadSample

Text = str | Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Sample:
    """``prompt`` and ``response``: text, or a list of messages. ``rubric``: a name, ``id@version`` or a whole rubric as
    an object; ``judge``: a configured name; both go before those of the call. ``id``, ``group``, ``step`` and
    ``policy`` are the trainer's and come back with the judgment."""

    prompt: Text
    response: Text
    reference: str | None = None
    facts: Mapping[str, Any] | None = None
    rubric: str | Mapping[str, Any] | None = None
    judge: str | None = None
    id: str | None = None
    group: str | None = None
    step: int | None = None
    policy: str | None = None
    explain: bool = False

    @property
    def prompt_key(self) -> Any:
        """What samples of one prompt have in common."""
        if self.group is not None:
            return ("group", str(self.group))
        return self.prompt if isinstance(self.prompt, str) else encode(self.prompt)

    def submission(self) -> dict[str, Any]:
        """The members of the server's submission that say something."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in given.items() if value is not None and value is not False}


def encode(data: Any, where: str = "the request") -> bytes:
    """JSON in UTF-8. Numbers and arrays of numpy and torch become plain ones. Raises BadSample for NaN and for what
    JSON does not know."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError) as fault:
        raise BadSample(
            f"{where} cannot be written as JSON: {fault}.", remedy="Send text, numbers and lists."
        ) from None
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: the server says which field holds it
        return json.dumps(data, allow_nan=False, default=_plain).encode()


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"a {type(value).__name__} is no JSON")
