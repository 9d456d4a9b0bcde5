"""Answers of ``/chat/completions`` as Completions, and what ``/models`` lists. The server is not trusted: every field's
type is checked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from judge_server.core.errors import UnusableVerdict
from judge_server.core.judgment import Usage
from judge_server.models.protocol import Completion, TokenProbability

_NUMBER = (int, float)
_IMPOSSIBLE = -9_999.0  # stands for minus infinity, which JSON does not have

# Rounding lets probabilities add up to slightly more than 1; more than this is not a distribution.
_MOST_MASS = 1.01


def completion_of(raw: bytes, *, thinking: bool) -> Completion:
    """The completion in ``raw``. ``thinking``: whether the request let the model think. Raises UnusableVerdict."""
    return completion_in(_object(raw), thinking=thinking)


def completion_in(answer: dict[str, Any], *, thinking: bool) -> Completion:
    """The same from the decoded answer."""
    choice = _choice(answer)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _unusable("its choice holds no message")
    if choice.get("finish_reason") == "content_filter":
        raise _unusable("a content filter ended it")
    candidates = _candidates(choice.get("logprobs"))
    truncated = choice.get("finish_reason") == "length"
    thought = _text(message.get("reasoning_content")) or _text(message.get("reasoning")) or ""
    text = _text(message.get("content"))
    if text is None:
        text = _text_without_content(message, candidates, truncated and bool(thought))
    elif not thought:
        thought, text = _split_thinking(text, thinking)
    return Completion(text, candidates, truncated, thought, _usage(answer.get("usage")))


def fingerprint_of(raw: bytes) -> str:
    """The ``system_fingerprint``, or an empty text."""
    return _text(_object(raw).get("system_fingerprint")) or ""


def _unusable(why: str) -> UnusableVerdict:
    return UnusableVerdict(f"The model server's answer is not usable: {why}.")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _unusable("it is not JSON") from None
    if not isinstance(answer, dict):
        raise _unusable("it is not a JSON object")
    return answer


def _choice(answer: dict[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise _unusable("it is an error" if "error" in answer else "it holds no choices")
    return choices[0]


def _text(value: Any) -> str | None:
    """A string, or a list of text parts joined; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        parts = [part.get("text") if isinstance(part, dict) else None for part in value]
        if all(isinstance(part, str) for part in parts):
            return "".join(parts)  # type: ignore[arg-type]  # all() has just looked at every part
    return None


def _text_without_content(message: dict[str, Any], candidates: tuple[TokenProbability, ...], cut: bool) -> str:
    """The text of an answer without content: the likeliest token if the server's thinking parser removed the only one,
    or an empty text if thinking used up the token limit."""
    if _text(message.get("refusal")):
        raise _unusable("the model refused")
    if candidates:
        return candidates[0].text
    if cut:
        return ""
    raise _unusable("its message holds no text")


def _split_thinking(text: str, thinking: bool) -> tuple[str, str]:
    """Thinking and answer, if the server leaves both in the content."""
    opening, closing = "<think>", "</think>"
    start = text.lstrip()
    if start.startswith(opening):
        thought, closed, rest = start.removeprefix(opening).partition(closing)
        return (thought, rest.lstrip()) if closed else (thought, "")
    # Some templates open the thinking themselves: then only its end is in the text, before the JSON begins.
    if thinking and not start.startswith("{") and closing in text:
        thought, _, rest = text.partition(closing)
        return thought, rest.lstrip()
    return "", text


def _candidates(logprobs: Any) -> tuple[TokenProbability, ...]:
    """The first token's alternatives, likeliest first, including the sampled one."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list) or not content:
        return ()
    first = content[0]
    top = first.get("top_logprobs") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not (top is None or isinstance(top, list)):
        raise _unusable("its log-probabilities are malformed")
    found = [_probability(entry) for entry in top or ()]
    sampled = _probability(first)
    if all(candidate.text != sampled.text for candidate in found):
        found.append(sampled)
    if math.fsum(math.exp(candidate.logprob) for candidate in found) > _MOST_MASS:
        raise _unusable("its probabilities add up to more than 1")
    found.sort(key=lambda candidate: -candidate.logprob)
    return tuple(found)


def _probability(entry: Any) -> TokenProbability:
    text = entry.get("token") if isinstance(entry, dict) else None
    logprob = entry.get("logprob") if isinstance(entry, dict) else None
    if not isinstance(text, str) or isinstance(logprob, bool) or not isinstance(logprob, _NUMBER) or logprob > 0.01:
        raise _unusable("its log-probabilities are malformed")
    return TokenProbability(text, max(min(float(logprob), 0.0), _IMPOSSIBLE))


def _usage(usage: Any) -> Usage:
    if not isinstance(usage, dict):
        return Usage(calls=1)
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else usage.get("prompt_cache_hit_tokens")
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        cached_tokens=_count(cached),
        completion_tokens=_count(usage.get("completion_tokens")),
        calls=1,
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


_CONTEXT_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length")


@dataclass(frozen=True, slots=True)
class ModelListing:
    """``roots``: the models behind the name, if the servers tell; ``context_tokens``: the smallest of the servers."""

    roots: tuple[str, ...] = ()
    context_tokens: int | None = None

    @staticmethod
    def merged(listings: Sequence["ModelListing"]) -> "ModelListing":
        contexts = [listing.context_tokens for listing in listings if listing.context_tokens is not None]
        roots = sorted({root for listing in listings for root in listing.roots})
        return ModelListing(tuple(roots), min(contexts, default=None))


def listing_of(raw: bytes, name: str) -> ModelListing:
    """The listing of ``name`` in the body ``raw``; an empty one if the server does not list it."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return ModelListing()
    entries = body.get("data") if isinstance(body, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("id") == name:
            root = entry.get("root")
            roots = (root,) if isinstance(root, str) and root not in {"", name} else ()
            return ModelListing(roots, _context(entry))
    return ModelListing()


def _context(entry: dict[str, Any]) -> int | None:
    sizes = [entry.get(field) for field in _CONTEXT_FIELDS]
    return next((size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size > 0), None)
