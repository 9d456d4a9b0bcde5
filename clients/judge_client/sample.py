"""One response to be judged, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from math import isnan
from typing import TYPE_CHECKING, Any

from judge_client.errors import BadSample

if TYPE_CHECKING:
    from typing_extensions import Self

Text = str | Sequence[Mapping[str, Any]]
_MEANT = {
    "completion": "response",
    "answer": "response",
    "output": "response",
    "text": "response",
    "question": "prompt",
    "input": "prompt",
    "messages": "prompt",
    "ground_truth": "reference",
    "solution": "reference",
}
"""What others call our members."""
_ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "ai": "assistant", "model": "assistant"}
_KNOWN_ROLES = ("system", "developer", "user", "assistant", "tool")
_SAID = ("content", "tool_calls", "reasoning", "reasoning_content")
_NAMES = ("id", "group", "policy", "run", "judge")


@dataclass(frozen=True)
class Sample:
    """``prompt`` and ``response``: text, or a list of messages. ``rubric``: a name, ``id@version`` or a whole rubric as
    an object; ``judge``: a configured name; both go before those of the call. ``id``, ``group``, ``step``,
    ``policy`` and ``run`` are the trainer's and come back with the judgment. ``on_change``: ``warn`` lets the server
    answer a ``run`` although something else than before would reward it. ``tags``: by which its judgments are listed
    and erased."""

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
    run: str | None = None
    on_change: str | None = None
    explain: bool = False
    tags: Sequence[str] | None = None

    def __new__(cls, *_: Any, **given: Any) -> Self:
        """Raises BadSample for a member that there is none of."""
        _require_members(given, "Sample")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """A completion of None is a policy that wrote nothing: empty text. Raises BadSample if it is neither
        text nor messages. Numbers of numpy and torch become plain ones, and names that are numbers text."""
        object.__setattr__(self, "prompt", text_or_messages("prompt", self.prompt))
        object.__setattr__(self, "response", text_or_messages("response", self.response))
        object.__setattr__(self, "step", step_of(self.step))
        for name in _NAMES:
            object.__setattr__(self, name, name_of(name, getattr(self, name)))

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


def samples_of(given: Any, what: str = "samples") -> list[Sample]:
    """Samples from any iterable of Sample or of mappings with their members: a list, a generator, rows of a data set, a
    pandas DataFrame; or from columns, as a slice of a data set. Raises BadSample with the fix for what is none."""
    if isinstance(given, Mapping) and _is_columns(given):
        given = _rows_of(given, what)
    if isinstance(given, Sample | Mapping | str | bytes):
        raise BadSample(
            f"{what}: one {type(given).__name__} was given, a list is expected.",
            remedy="Write [Sample(prompt, response)].",
        )
    rows = given.to_dict("records") if hasattr(given, "to_dict") and hasattr(given, "columns") else given
    if not isinstance(rows, Iterable):
        raise BadSample(f"{what}: a {type(given).__name__} is no list.", remedy="Write [Sample(prompt, response)].")
    return [sample_from(one, f"{what}[{place}]") for place, one in enumerate(rows)]


def _is_columns(given: Mapping[str, Any]) -> bool:
    """Whether the responses are a list of texts or of conversations, and not the messages of one response."""
    responses = given.get("response")
    if isinstance(responses, str) or not isinstance(responses, Iterable):
        return False
    return not any(isinstance(one, Mapping) for one in responses)


def _rows_of(columns: Mapping[str, Any], what: str) -> list[dict[str, Any]]:
    listed = {name: list(values) for name, values in columns.items()}
    counts = {name: len(values) for name, values in listed.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise BadSample(f"{what}: the columns have different lengths: {told}.", remedy="Give one value for each row.")
    return [dict(zip(listed, row, strict=True)) for row in zip(*listed.values(), strict=True)]


def sample_from(given: Any, where: str = "the sample") -> Sample:
    """A Sample, or a mapping with its members; what a table leaves empty (None, NaN, NA) is absent. Raises
    BadSample."""
    if isinstance(given, Sample):
        return given
    if not isinstance(given, Mapping):
        raise BadSample(f"{where} is a {type(given).__name__}, no Sample.", remedy="Write Sample(prompt, response).")
    _require_members(given, where)
    known = {name: value for name, value in given.items() if not is_empty(value)}
    if "prompt" not in known or "response" not in given:
        missing = "response" if "prompt" in known else "prompt"
        raise BadSample(f"{where} has no {missing!r}.", remedy="Give prompt and response.")
    return Sample(**{"response": None, **known})


def _require_members(given: Mapping[str, Any], where: str) -> None:
    known = [one.name for one in fields(Sample)]
    for name in given:
        if name not in known:
            near = [_MEANT[name]] if name in _MEANT else get_close_matches(str(name), known, 1)
            meant = f"Did you mean {near[0]!r}?" if near else f"Its members are {', '.join(known)}."
            raise BadSample(f"{where}: a sample has no {name!r}.", remedy=meant)


def is_empty(value: Any) -> bool:
    """pandas writes NaN, NaT or NA where a row has no value."""
    missing = isinstance(value, float) and isnan(value)
    return value is None or missing or type(value).__name__ in ("NAType", "NaTType")


def texts_of(given: Any, what: str) -> list[Text]:
    """Texts from any iterable of them. Raises BadSample for one text alone."""
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise BadSample(f"{what}: a {type(given).__name__} is no list of texts.", remedy='Write ["…", "…"].')
    return [text_or_messages(f"{what}[{place}]", "" if is_empty(one) else one) for place, one in enumerate(given)]


def step_of(given: Any) -> int | None:
    """Raises BadSample for what is no whole number."""
    plain = given.item() if hasattr(given, "item") else given
    if plain is None:
        return None
    whole = isinstance(plain, int) or (isinstance(plain, float) and plain.is_integer())
    if whole and not isinstance(plain, bool):
        return int(plain)
    raise BadSample(f"step: {given!r} is no whole number.", remedy="Give the trainer's step, such as 7.")


def name_of(what: str, given: Any) -> str | None:
    """A name; a number becomes its text. Raises BadSample."""
    plain = given.item() if hasattr(given, "item") else given
    if plain is None or isinstance(plain, str):
        return plain
    if type(plain) is int:
        return str(plain)
    raise BadSample(f"{what}: a {type(given).__name__} is no name.", remedy="Give text.")


def text_or_messages(name: str, given: Any) -> Text:
    """Text, or a sequence of messages with roles and contents. Raises BadSample with the fix for anything else."""
    if isinstance(given, str):
        return given
    if given is None and name == "response":
        return ""
    if hasattr(given, "tolist") and not isinstance(given, Sequence):
        given = given.tolist()
    if isinstance(given, Mapping) and "role" in given:
        raise BadSample(f"{name}: one message was given, a list is expected.", remedy="Write [message].")
    if not isinstance(given, Sequence) or isinstance(given, bytes | bytearray):
        raise BadSample(
            f"{name}: a {type(given).__name__} is neither text nor messages.",
            remedy="Give a str or a list of messages.",
        )
    for place, message in enumerate(given):
        require_message(message, name, place)
    return given


def require_message(message: Any, name: str, place: int) -> None:
    """Raises BadSample with the fix if the element of a conversation is no message."""
    if isinstance(message, int):
        raise BadSample(f"{name} holds token ids.", remedy="Decode them: tokenizer.decode(ids).")
    if not isinstance(message, Mapping):
        raise BadSample(
            f"{name}[{place}] is a {type(message).__name__}, no message.",
            remedy='Give one text, or messages such as {"role": "assistant", "content": "…"}.',
        )
    _require_role(message, f"{name}[{place}]")
    if not any(member in message for member in _SAID):
        raise BadSample(f"{name}[{place}] has no content.", remedy='Give {"role": …, "content": "…"}.')


def _require_role(message: Mapping[str, Any], where: str) -> None:
    role = message.get("role")
    lowered = role.lower() if isinstance(role, str) else ""
    if lowered in _ROLES or (lowered in _KNOWN_ROLES and role != lowered):
        raise BadSample(f"{where}: no role is {role!r}.", remedy=f"Write {_ROLES.get(lowered, lowered)!r}.")
    if not role:
        other = 'Write "role" and "content" for "from" and "value"; ' if "from" in message else ""
        raise BadSample(f"{where} has no role.", remedy=f'{other}"role" is "user" or "assistant".')


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
