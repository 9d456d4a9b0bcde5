"""Parse answers of ``/chat/completions`` and ``/models``. The server is not trusted: every field's type is checked."""

import math
import re
import time
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from judge_server.core.errors import ContentFiltered, UnusableVerdict
from judge_server.core.judgment import Usage
from judge_server.models.protocol import IMPOSSIBLE_LOGPROB, Completion, TokenProbability, UnusableCompletion
from judge_server.util.parsing import has_key_twice, quick_json, read_json

_NUMBER = (int, float)
_BY_TEXT = b'"token_logprobs"'  # of the older completions, which some servers give in chat too
_WRITTEN = {None: math.nan, "NaN": math.nan, "-Infinity": IMPOSSIBLE_LOGPROB, "-inf": IMPOSSIBLE_LOGPROB}
_LOGPROB = attrgetter("logprob")
# ended by what a provider does not want, under any name
_FILTERED = re.compile(
    "filter|sensitive|safety|prohibited|block|blacklist|refus|guardrail|censor|toxic|moderat|recitation|spii|unsafe",
    re.IGNORECASE,
)
# ended by anything but the model: the text may go on
_CUT_OFF = re.compile(
    "length|limit|max|abort|cancel|error|time|incomplete|interrupt|exceed|partial|pause|insufficient|trunc|repetit|"
    "fail|preempt|evict|shut|disconnect",
    re.IGNORECASE,
)
_THINKING_PARTS = frozenset(["thinking", "reasoning", "redacted_thinking", "thought"])

# Rounding lets probabilities add up to slightly more than 1; more than this is not a distribution.
_MOST_MASS = 1.01
_MOST_TOKENS = 2**40  # of one call: sums over millions of calls still fit into the store's 64 bits


def completion_of(raw: bytes, *, thinking: bool) -> Completion:
    """The completion in ``raw``. ``thinking``: whether the request let the model think. Raises UnusableVerdict."""
    answer = object_in(raw)
    require_each_token(raw, answer)
    return completion_in(answer, thinking=thinking)


def require_each_token(raw: bytes, answer: dict[str, Any]) -> None:
    """Raises UnusableCompletion if probabilities by text have a key twice: of two tokens of one text the first is
    lost."""
    if _BY_TEXT in raw and has_key_twice(raw, answer):
        why = "The model server's answer is not usable: a key stands twice in it."
        raise UnusableCompletion(why, usage_of(answer.get("usage")))


def completion_in(answer: dict[str, Any], *, thinking: bool) -> Completion:
    """The same from the decoded answer. The error holds the tokens that the answer counts."""
    try:
        return _completion(answer, thinking=thinking)
    except UnusableVerdict as fault:
        raise UnusableCompletion(fault.detail, usage_of(answer.get("usage"))) from None


def _completion(answer: dict[str, Any], *, thinking: bool) -> Completion:
    choice = _choice(answer)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _unusable("its choice holds no message")
    if _FILTERED.search(str(choice.get("finish_reason"))):
        raise ContentFiltered("The model provider's content filter ended the judge's answer.")
    candidates, unlisted = _candidates(choice.get("logprobs"))
    truncated = _CUT_OFF.search(str(choice.get("finish_reason"))) is not None
    thought = _text(message.get("reasoning_content")) or _text(message.get("reasoning")) or ""
    text = _text(message.get("content"))
    if not (text or "").strip() and thought and not candidates and not truncated:  # a parser took it for thinking
        text, thought = thought, ""
    elif not (text or "").strip() and (said := _said_elsewhere(message)) is not None and not candidates:
        text = said
    elif text is None:
        text = _text_without_content(candidates, truncated and bool(thought))
    elif not thought:
        thought, text = _split_thinking(text, thinking)
    usage = usage_of(answer.get("usage"))
    return Completion(text, candidates, truncated, thought, usage, unlisted, origin=origin_in(answer))


def origin_in(answer: Mapping[str, Any]) -> str:
    """The model's name and fingerprint as an answer has them; empty if it has neither."""
    name, fingerprint = answer.get("model"), answer.get("system_fingerprint")
    said = (name if isinstance(name, str) else "", fingerprint if isinstance(fingerprint, str) else "")
    return " ".join(filter(None, said))


def fingerprint_of(raw: bytes, name: str) -> str:
    """The ``system_fingerprint``, after the model's name if it is another than ``name``; may be empty."""
    answer = object_in(raw)
    return origin_in(answer | {"model": None} if answer.get("model") == name else answer)


def _unusable(why: str, remedy: str = "") -> UnusableVerdict:
    return UnusableVerdict(f"The model server's answer is not usable: {why}.", remedy=remedy)


def loads(raw: bytes) -> Any:
    """The JSON in ``raw``; some servers write NaN and -Infinity, which JSON forbids, or a mark of the byte order before
    it. Raises UnusableVerdict."""
    try:
        return quick_json(raw)
    except ValueError:
        pass
    try:
        return read_json(raw.removeprefix(BOM_UTF8))
    except ValueError:
        where = "a page of HTML" if raw.lstrip()[:1] == b"<" else "not JSON in UTF-8"
        raise _unusable(f"it is {where}", "Check the judge's address: a proxy or another program answers.") from None


def object_in(raw: bytes) -> dict[str, Any]:
    """The JSON object in ``raw``. Raises UnusableVerdict."""
    answer = loads(raw)
    if not isinstance(answer, dict):
        raise _unusable("it is not a JSON object")
    return answer


def no_answer(raw: bytes, *, chat: bool) -> UnusableVerdict | None:
    """The fault of what no model can have answered: no JSON, or for ``chat`` no object that has choices, even none."""
    try:
        if chat and "choices" not in object_in(raw):
            return _unusable("it holds no choices")
        loads(raw)
    except UnusableVerdict as fault:
        return fault
    return None


def _choice(answer: dict[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise _unusable("it is an error" if "error" in answer else "it holds no choices")
    if len(choices) > 1:
        raise _unusable(f"it holds {len(choices)} choices to one question", "Let the server give one choice (n = 1).")
    return choices[0]


def _text(value: Any) -> str | None:
    """A string, or a list of text parts joined, without parts that hold thinking; None for anything else."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        return None
    parts = [part for part in value if not (isinstance(part, dict) and part.get("type") in _THINKING_PARTS)]
    texts = [part.get("text") if isinstance(part, dict) else None for part in parts]
    if not texts or not all(isinstance(text, str) for text in texts):
        return None
    return "".join(texts)  # type: ignore[arg-type]  # all() has just looked at every text


def _said_elsewhere(message: dict[str, Any]) -> str | None:
    """The arguments of the only call of a tool, by which some servers give structured answers; None without one. Raises
    UnusableVerdict for a refusal."""
    if _text(message.get("refusal")):
        raise _unusable("the model refused")
    calls = message.get("tool_calls")
    call = calls[0] if isinstance(calls, list) and len(calls) == 1 else None
    told = call.get("function") if isinstance(call, dict) else None
    return _text(told.get("arguments")) if isinstance(told, dict) else None


def _text_without_content(candidates: tuple[TokenProbability, ...], cut: bool) -> str:
    """The text of an answer without content: the likeliest token if the server's thinking parser removed the only one,
    or an empty text if thinking used up the token limit."""
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


def _candidates(logprobs: Any) -> tuple[tuple[TokenProbability, ...], float | None]:
    """The first token's alternatives, likeliest first, including the sampled one, and the log-probability that no
    unlisted token exceeds: the smallest of the alternatives, 0 if a sampled token comes without any. A sampled token
    that stands ahead of likelier ones (vLLM puts it there) is none of the likeliest, and says nothing of others."""
    content = _contents(logprobs)
    if not content:
        return (), None
    first = content[0]
    top = first.get("top_logprobs") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not (top is None or isinstance(top, list)):
        raise _unusable("its log-probabilities are malformed")
    found = [_probability(entry) for entry in top or ()]
    if len({one.text for one in found}) < len(found):
        found = [_probability(entry) for entry in _each_once(top or ())]
    sampled = _probability(first)
    ahead = len(found) > 1 and found[0].logprob < found[1].logprob and found[0].text == sampled.text
    unlisted = min([one.logprob for one in found[ahead:] if not math.isnan(one.logprob)], default=0.0)
    if sampled.text not in [one.text for one in found]:
        found.append(sampled)
    known = [one for one in found if not math.isnan(one.logprob)]
    if math.fsum([math.exp(one.logprob) for one in known]) > _MOST_MASS:
        raise _unusable("its probabilities add up to more than 1")
    known.sort(key=_LOGPROB, reverse=True)
    unknown = [one for one in found if math.isnan(one.logprob)] if len(known) < len(found) else []
    return (*known, *unknown), unlisted


def _contents(logprobs: Any) -> list[Any]:
    """The entries of the tokens; that of the first alone where they are given by text."""
    if not isinstance(logprobs, dict):
        return []
    content = logprobs.get("content")
    if isinstance(content, list):
        return content
    try:
        return [by_text(logprobs)]
    except (AttributeError, TypeError, IndexError, KeyError):
        return []


def by_text(logprobs: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of the first token in the shape of chat completions, from the lists of the older ones. Raises
    AttributeError, TypeError, IndexError or KeyError."""
    top = [{"token": text, "logprob": logprob} for text, logprob in (logprobs.get("top_logprobs") or [{}])[0].items()]
    tokens, own = logprobs.get("tokens"), logprobs.get("token_logprobs")
    sampled = {"token": tokens[0], "logprob": own[0]} if tokens and own and own[0] is not None else top[0]
    return {**sampled, "top_logprobs": top}


def _each_once(top: Sequence[Any]) -> Sequence[Any]:
    """Without entries that are listed twice, as by servers that put the sampled token in front of the list. Two tokens
    may have one text, but not to the last digit one probability."""
    listed = [str([entry.get(name) for name in ("token", "logprob", "bytes")]) for entry in top]
    return list(dict(zip(listed, top, strict=True)).values())


def _spelt(entry: Any) -> Any:
    """The token's text; from its bytes if it has none."""
    text, given = (entry.get("token"), entry.get("bytes")) if isinstance(entry, dict) else (None, None)
    if text or not isinstance(given, list) or not given:
        return text
    try:
        return bytes(given).decode("utf-8", "replace")
    except (TypeError, ValueError):
        return None


def _probability(entry: Any) -> TokenProbability:
    text = entry.get("token") if isinstance(entry, dict) else None
    text = text or _spelt(entry)
    logprob = entry.get("logprob") if isinstance(entry, dict) else None
    if type(text) is str and type(logprob) is float and IMPOSSIBLE_LOGPROB <= logprob <= 0.0:
        return TokenProbability(text, logprob)
    if isinstance(logprob, str) or (logprob is None and isinstance(entry, dict) and "logprob" in entry):
        logprob = _WRITTEN.get(logprob, logprob)
    if not isinstance(text, str) or isinstance(logprob, bool) or not isinstance(logprob, _NUMBER) or logprob > 0.01:
        raise _unusable("its log-probabilities are malformed")
    if math.isnan(logprob):
        return TokenProbability(text, math.nan)
    return TokenProbability(text, max(min(float(logprob), 0.0), IMPOSSIBLE_LOGPROB))


def merged(first: Completion, second: Completion) -> Completion:
    """One answer to a label question out of an unconstrained listing and one in which the labels were favoured or
    asked for. Both give the labels' odds, so the second listing is scaled to the first by a token that is in both;
    without such a token, or if the probabilities then exceed 1, the first answer is returned."""
    before = {candidate.text: candidate.logprob for candidate in first.candidates}
    shared = [c for c in second.candidates if c.text in before and math.isfinite(before[c.text] - c.logprob)]
    usage = first.usage + second.usage
    if not shared:
        return replace(first, usage=usage)
    anchor = max(shared, key=lambda candidate: candidate.logprob)
    shift = before[anchor.text] - anchor.logprob
    added = [
        TokenProbability(candidate.text, max(candidate.logprob + shift, IMPOSSIBLE_LOGPROB))
        for candidate in second.candidates
        if math.isnan(before.get(candidate.text, math.nan)) and not math.isnan(candidate.logprob)
    ]
    candidates = [c for c in first.candidates if not math.isnan(c.logprob)] + added
    if math.fsum(math.exp(candidate.logprob) for candidate in candidates) > _MOST_MASS:
        return replace(first, usage=usage)
    candidates.sort(key=lambda candidate: -candidate.logprob)
    return replace(first, candidates=tuple(candidates), usage=usage)


def usage_of(usage: Any) -> Usage:
    """What one call cost, as the server counted it."""
    if not isinstance(usage, dict):
        return Usage(calls=1)
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else usage.get("prompt_cache_hit_tokens")
    return Usage(
        prompt_tokens=token_count(usage.get("prompt_tokens")),
        cached_tokens=token_count(cached),
        completion_tokens=token_count(usage.get("completion_tokens")),
        calls=1,
    )


def token_count(value: Any) -> int:
    """The tokens that a server counted in one call; 0 if it is no whole number, or more than any call can have."""
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS
    return value if known else 0


_DAY_SECONDS = 86_400
_CONTEXT_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length")


@dataclass(frozen=True, slots=True)
class ModelListing:
    """``roots``: the models behind the name, if the servers report them; ``context_tokens``: the smallest of the
    servers. ``made``: when the model was made, in seconds since 1970, unless that may be the time of the request or of
    the server's start."""

    roots: tuple[str, ...] = ()
    context_tokens: int | None = None
    made: int | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        """What belongs to the model's revision."""
        return self.roots if self.context_tokens is None else (*self.roots, f"window {self.context_tokens}")

    @property
    def facts(self) -> frozenset[str]:
        return frozenset(self.identity if self.made is None else (*self.identity, f"made {self.made}"))

    @staticmethod
    def merged(listings: Sequence["ModelListing"]) -> "ModelListing":
        contexts = [listing.context_tokens for listing in listings if listing.context_tokens is not None]
        roots = sorted({root for listing in listings for root in listing.roots})
        return ModelListing(tuple(roots), min(contexts, default=None))


def listing_of(raw: bytes, name: str) -> ModelListing:
    """The listing of ``name`` in the body ``raw``; an empty one if the server does not list it."""
    try:
        body = quick_json(raw)
    except ValueError:
        return ModelListing()
    entries = body.get("data") if isinstance(body, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("id") == name:
            root = entry.get("root")
            roots = (root,) if isinstance(root, str) and root not in {"", name} else ()
            return ModelListing(roots, _context(entry), _made(entry.get("created")))
    return ModelListing()


def _made(created: Any) -> int | None:
    number = isinstance(created, int | float) and not isinstance(created, bool)
    return int(created) if number and 0 < created < time.time() - _DAY_SECONDS else None


def _context(entry: dict[str, Any]) -> int | None:
    sizes = [entry.get(field) for field in _CONTEXT_FIELDS]
    return next((size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size > 0), None)


def json_in(raw: bytes) -> Any:
    """The value of a JSON text; None if it is none."""
    try:
        return quick_json(raw)
    except ValueError:
        return None


def tokens_in(raw: bytes) -> list[int]:
    """The token ids in an answer of ``/tokenize``; empty if there are none."""
    body = json_in(raw)
    tokens = body.get("tokens") if isinstance(body, dict) else None
    listed = tokens if isinstance(tokens, list) else []
    ids = [token.get("id") if isinstance(token, dict) else token for token in listed]
    return [token for token in ids if isinstance(token, int) and not isinstance(token, bool)]
