"""Request features that OpenAI-compatible servers refuse, and how to write requests without them.

Each row of ``QUIRKS`` is one feature: how refusals name it, the dialect without it, and the option that disables it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import get_args

from judge_server.models.openai_options import EXTRA_BODY, Omittable, SchemaKeyword
from judge_server.models.openai_wire import Dialect

_LEAST = re.compile(
    r"(?:below[ _]min|at least|minimum|>=|≥|greater than or equal to|less than|between|\[)\D{0,60}?(\d{1,4})",
    re.IGNORECASE,
)
_ABOVE = re.compile(r"(?:(?:greater|larger|more|higher) than|above|>)\s{0,3}(\d{1,4})", re.IGNORECASE)
_TOO_FEW = re.compile(
    r"too (?:small|low|few)|higher|larger|increase|raise|limit was reached|least|minimum", re.IGNORECASE
)
_MOST = re.compile(
    r"(?:at most|up to|(?:no|not) (?:more|greater) than|max\w*(?: value| allowed)?(?: of| is|:)?|<=|≤|"
    r"less than or equal to|between \d+ and|\[\d+,|\b[01] ?(?:to|-|–))\D{0,20}?(\d{1,2})(?!\d)",
    re.IGNORECASE,
)
_LIMIT_NAMES = re.compile(
    r"max_(?:completion_|output_|new_)?tokens|max(?:Output)?Tokens|maximum tokens|num_predict", re.IGNORECASE
)
_LEAST_TOKENS = (16, 64, 256)
# chat templates without a system's turn refuse it in these words
_NO_SYSTEM = re.compile(
    r"system[ _-](?:role|message|prompt|instruction)|role\W{1,3}system|developer[ _-]instruction|must alternate",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quirk:
    """``named`` finds the feature in a complaint; ``without`` gives the dialect without it, or None if it is not in
    use; ``option``: the equivalent operator setting."""

    field: str
    named: re.Pattern[str]
    without: Callable[[Dialect, str], Dialect | None]
    option: str


def _no_thinking(dialect: Dialect, complaint: str) -> Dialect | None:
    """Some servers demand the field that chat templates have, outside of their arguments."""
    if dialect.thinking == "chat_template_kwargs" and "enable_thinking" in complaint:
        return replace(dialect, thinking="enable_thinking")
    return None if dialect.thinking == "none" else replace(dialect, thinking="none")


def _other_limit(dialect: Dialect, complaint: str) -> Dialect | None:
    return replace(dialect, limit_field="max_completion_tokens") if dialect.limit_field == "max_tokens" else None


def _least(complaint: str) -> int:
    """The smallest number of output tokens that a complaint names; 0 if it names none."""
    if not _LIMIT_NAMES.search(complaint):
        return 0
    numbers = [int(found) for found in _LEAST.findall(complaint)]
    return max([*numbers, *(int(found) + 1 for found in _ABOVE.findall(complaint))], default=0)


def _more_tokens(dialect: Dialect, complaint: str) -> Dialect | None:
    """By the number that the complaint names, or step by step if it only says that they are too few."""
    least = _least(complaint)
    if not least and _LIMIT_NAMES.search(complaint) and _TOO_FEW.search(complaint):
        least = next((step for step in _LEAST_TOKENS if step > dialect.least_tokens), 0)
    return replace(dialect, least_tokens=least) if dialect.least_tokens < least <= _LEAST_TOKENS[-1] else None


def _fewer_logprobs(dialect: Dialect, complaint: str) -> Dialect | None:
    if not dialect.top_logprobs:
        return None
    numbers = [number for found in _MOST.findall(complaint) if 0 < (number := int(found)) < dialect.top_logprobs]
    return replace(dialect, top_logprobs=max(numbers, default=5 if dialect.top_logprobs > 5 else 0))


def _omitting(field: Omittable) -> Callable[[Dialect, str], Dialect | None]:
    def without(dialect: Dialect, complaint: str) -> Dialect | None:
        return None if field in dialect.omit else replace(dialect, omit=dialect.omit | {field})

    return without


def _word(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?<![A-Za-z_]){word}(?![A-Za-z_])" for word in words), re.IGNORECASE)


def _snake(word: str) -> str:
    return re.sub("(?=[A-Z])", "_", word)


KEYWORDS: tuple[SchemaKeyword, ...] = get_args(SchemaKeyword)
QUIRKS = (
    Quirk("max_tokens", _LIMIT_NAMES, _more_tokens, "least_tokens = 16"),
    Quirk("max_tokens", _word("max_tokens"), _other_limit, 'limit_field = "max_completion_tokens"'),
    Quirk(
        "chat_template_kwargs",
        _word("chat_template_kwargs", "enable_thinking", "reasoning_effort", "thinking"),
        _no_thinking,
        'thinking_control = "none"',
    ),
    Quirk("top_logprobs", _word("logprobs", "top_logprobs", "log probabilities"), _fewer_logprobs, "top_logprobs = 0"),
    Quirk("temperature", _word("temperature"), _omitting("temperature"), 'omit = ["temperature"]'),
    Quirk("seed", _word("seed"), _omitting("seed"), 'omit = ["seed"]'),
    Quirk("system role", _NO_SYSTEM, _omitting("system"), 'omit = ["system"]'),
    *(Quirk(word, _word(word, _snake(word)), _omitting(word), f'omit = ["{word}"]') for word in KEYWORDS),
)
_OTHER_OPTIONS = {
    "max_completion_tokens": 'limit_field = "max_tokens"',
    "logprobs": "top_logprobs = 0",
    "reasoning_effort": 'thinking_control = "none"',
    "enable_thinking": 'thinking_control = "enable_thinking" or "none"',
    "response_format": 'structured = "none"',
    "json_schema": 'structured = "none"',
    "structured_outputs": 'structured = "json_schema"',
    "guided_json": 'structured = "json_schema"',
    "priority": "send_priority = false",
}
OPTIONS = (
    {quirk.field: quirk.option for quirk in QUIRKS}
    | {field: f"extra_body without {field}" for field in sorted(EXTRA_BODY - set(_OTHER_OPTIONS))}
    | _OTHER_OPTIONS
)
_REFUSED = re.compile(
    "|".join(
        rf"(?<![A-Za-z_]){field}(?![A-Za-z_])" for field in sorted(OPTIONS, key=len, reverse=True) if len(field) > 4
    )
    + r"|(?<=['\"`.\[])(?:seed|user|min_p|top_k|top_p|store)(?=['\"`\]])"
    + r"|(?<![\w-])(?:seed|min_p|top_k|top_p)(?= (?:is|are|was) (?:not|un))"
)


def named_in(complaint: str, dialect: Dialect) -> Dialect | None:
    """The dialect without the first feature that ``complaint`` names; None if it names none that is in use."""
    found = (quirk.without(dialect, complaint) for quirk in QUIRKS if quirk.named.search(complaint))
    return next((less for less in found if less is not None), None)


def each_alone(dialect: Dialect) -> Iterator[Dialect]:
    """The dialect without one feature, for each feature that can be dropped, schema keywords excepted."""
    for quirk in QUIRKS:
        less = None if quirk.field in KEYWORDS else quirk.without(dialect, "")
        while less is not None:
            yield less
            less = quirk.without(less, "") if quirk.field == "top_logprobs" else None


def barest(dialect: Dialect) -> Dialect:
    """The dialect without any feature that can be dropped."""
    return replace(
        dialect,
        thinking="none",
        limit_field="max_completion_tokens" if dialect.limit_field == "max_tokens" else dialect.limit_field,
        top_logprobs=0,
        omit=dialect.omit | {"temperature", "seed", "system"},
    )


def plainer_schemas(dialect: Dialect) -> Dialect:
    """The dialect whose schemas bound no strings and numbers."""
    return replace(dialect, omit=dialect.omit | {"minLength", "maxLength", "minimum", "maximum"})


def refused_field(complaint: str) -> str | None:
    """The request field or schema keyword that a complaint names, if it is one that requests can have."""
    found = _REFUSED.search(complaint)
    return found.group() if found else None


def option_for(field: str, complaint: str) -> str:
    """The engine option that avoids the refusal of ``field`` in these words."""
    if _LIMIT_NAMES.fullmatch(field) and (_least(complaint) > 1 or _TOO_FEW.search(complaint)):
        return f"least_tokens = {_least(complaint) or _LEAST_TOKENS[0]}"
    return OPTIONS[field]
