"""Read a judge's answer. Prose is never searched for a verdict: an answer is JSON, holds one JSON object, or is
unusable."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, fsum, isnan
from typing import Any, NoReturn

from judge_server.core.errors import UnusableVerdict
from judge_server.judging.answer import Reading, ValueBounds
from judge_server.models.protocol import Completion, TokenProbability
from judge_server.util.parsing import MOST_LEVELS, begins_too_deep

REASON_CHARACTERS = 600
_ROUNDING = 0.01
_NOTHING = 1e-9  # rounding error of a completely listed distribution


@dataclass(frozen=True, slots=True)
class LabelReading:
    """The listed probabilities of labels. ``listed``: of each label, None if no listed token matches it; ``unlisted``:
    upper bound for such a label; ``rest``: all unlisted tokens have at most this probability together."""

    listed: tuple[float | None, ...]
    unlisted: float
    rest: float

    @property
    def totals(self) -> tuple[float, ...]:
        return tuple([total or 0.0 for total in self.listed])

    @property
    def mass(self) -> float:
        """The listed probability of all labels, at most 1."""
        return min(fsum(self.totals), 1.0)

    @property
    def shares(self) -> tuple[float, ...]:
        """The probability of each label given that one of them is said. An unlisted label counts with half its upper
        bound, so that the shares are possible values; all are 0 if nothing is known of any label."""
        missing = self.listed.count(None)
        half = min(self.unlisted, self.rest / missing) / 2 if missing else 0.0
        filled = [half if total is None else total for total in self.listed]
        mass = fsum(filled)
        return tuple([total / mass if mass > 0 else 0.0 for total in filled])

    def bounds(self, values: Sequence[float]) -> ValueBounds | None:
        """Bounds of the mean of ``values`` over the shares; None if every label is listed or impossible."""
        if self.unlisted <= 0 or None not in self.listed:
            return None
        missing = [value for value, total in zip(values, self.listed, strict=True) if total is None]
        extra = min(self.rest, self.unlisted * len(missing))
        likeliest = max(self.totals)
        return ValueBounds(
            low=self._extreme(values, sorted(missing), -1),
            high=self._extreme(values, sorted(missing, reverse=True), 1),
            most_mass=min(self.mass + extra, 1.0),
            decided=likeliest > 0 and likeliest >= self.unlisted,
        )

    def _extreme(self, values: Sequence[float], missing: Sequence[float], sign: int) -> float:
        """The least (``sign`` -1) or greatest mean: labels are filled one by one while each moves the mean that way."""
        mass, rest = fsum(self.totals), self.rest
        gained = fsum(value * total for value, total in zip(values, self.totals, strict=True))
        for value in missing:
            if rest <= 0 or (mass > 0 and sign * (value - gained / mass) <= 0):
                break
            added = min(self.unlisted, rest)
            mass, gained, rest = mass + added, gained + value * added, rest - added
        return min(max(gained / mass, 0.0), 1.0)


def read_labels(
    candidates: Sequence[TokenProbability], labels: Sequence[str], unlisted_logprob: float | None = None
) -> LabelReading:
    """Probabilities of the labels at the answer position.

    A word counts in any case and with white space around it ("Yes", " yes"); a single letter only in its own case,
    because "a" is also an English word. ``unlisted_logprob`` is that of the Completion. A candidate without a number
    (NaN) may have all of the remaining probability. Raises UnusableVerdict for what is not a distribution:
    log-probabilities above 0, or labels whose probabilities sum to more than 1.
    """
    places = _places(tuple(labels))
    found: list[list[float]] = [[] for _ in labels]
    listed = []
    for candidate in candidates:
        if isnan(candidate.logprob):
            unlisted_logprob = 0.0
            continue
        if candidate.logprob > _ROUNDING:
            raise UnusableVerdict(f"A token's log-probability is {candidate.logprob}, which is above 0.")
        listed.append(exp(candidate.logprob))
        word = _plain(candidate.text)
        place = places.get(word if len(word) == 1 else word.casefold())
        if place is not None:
            found[place].append(listed[-1])
    totals = tuple(fsum(probabilities) if probabilities else None for probabilities in found)
    mass = fsum([total or 0.0 for total in totals])
    if mass > 1 + _ROUNDING:
        raise UnusableVerdict(f"The labels have {mass:.3f} of the probability, more than 1.")
    rest = max(1.0 - fsum(listed), 0.0)
    rest = rest if rest > _NOTHING else 0.0
    most = min(listed, default=1.0) if unlisted_logprob is None else exp(min(unlisted_logprob, 0.0))
    return LabelReading(totals, min(most, rest), rest)


@lru_cache(maxsize=256)
def _places(labels: tuple[str, ...]) -> dict[str, int]:
    return {label if len(label) == 1 else label.casefold(): place for place, label in enumerate(labels)}


def label_reading(completion: Completion, words: Sequence[str], values: Sequence[float]) -> Reading:
    """The reading of one token: the mean of ``values`` over the label probabilities. ``words`` may have one more word
    than there are values: the last one then says that the criterion does not apply. Raises UnusableVerdict if there
    are no probabilities."""
    if not completion.candidates:
        raise UnusableVerdict(
            "The answer came without token probabilities.", remedy="Use mode reason, or fallback = reason."
        )
    found = read_labels(completion.candidates, words, completion.unlisted_logprob)
    shares = found.shares
    return Reading(expected(values, shares), shares, label_mass=found.mass, bounds=_bounds(found, words, values))


def _bounds(found: LabelReading, words: Sequence[str], values: Sequence[float]) -> ValueBounds | None:
    """With a word for "does not apply", the mean over the other labels lies between the means in which that word counts
    as 0 and as 1."""
    if len(words) == len(values):
        return found.bounds(values)
    low, high = found.bounds((*values, 0.0)), found.bounds((*values, 1.0))
    return replace(low, high=high.high) if low and high else None


def expected(values: Sequence[float], shares: Sequence[float]) -> float:
    """The mean of ``values`` over the first ``shares``; a further share is that of "does not apply" and has no value. 0
    if nothing else has a share."""
    if len(values) == len(shares) == 2 and values[0] == 1.0 and values[1] == 0.0:  # yes or no, as most are
        return min(max(shares[0], 0.0), 1.0)
    gained = fsum([value * share for value, share in zip(values, shares, strict=False)])
    if len(shares) > len(values):
        rest = fsum(shares[: len(values)])
        gained = gained / rest if rest > 0 else 0.0
    return min(max(gained, 0.0), 1.0)


_LONGEST_LABEL_ALONE = 100


@lru_cache(maxsize=4_096)
def _plain(text: str) -> str:
    """A token's text without white space or the marks that tokenizers write for it."""
    return text.strip(" \t\r\n\u2581\u0120\u010a")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One verdict of a structured answer."""

    label: str
    reason: str


def verdict_schema(labels: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The JSON Schema of the answer about one criterion, or of an object with one numbered entry for each."""
    entries = [
        {
            "type": "object",
            "properties": {
                "reason": {"type": "string", "minLength": 1, "maxLength": REASON_CHARACTERS},
                "verdict": {"type": "string", "enum": list(words)},
            },
            "required": ["reason", "verdict"],
            "additionalProperties": False,
        }
        for words in labels
    ]
    if len(entries) == 1:
        return entries[0]
    numbers = [str(number) for number in range(1, len(entries) + 1)]
    return {
        "type": "object",
        "properties": dict(zip(numbers, entries, strict=True)),
        "required": numbers,
        "additionalProperties": False,
    }


def read_structured(completion: Completion, labels: Sequence[Sequence[str]]) -> list[Spoken]:
    """The verdicts of a structured answer, one for each criterion. A label alone (``yes``, ``**Yes.**``) is the verdict
    on a single criterion, without a reason. Raises UnusableVerdict for anything else."""
    if len(labels) == 1 and not completion.truncated and (alone := _label_alone(completion.text, labels[0])):
        return [Spoken(alone, "")]
    answer = whole_json(completion, words_outside(tuple({word for words in labels for word in words})))
    if len(labels) == 1:
        return [_entry(answer, labels[0])]
    numbers = [str(number) for number in range(1, len(labels) + 1)]
    if not isinstance(answer, dict) or set(answer) != set(numbers):
        raise UnusableVerdict(
            f"The answer does not hold exactly the criteria 1 to {len(labels)}: {_excerpt(completion.text)}"
        )
    return [_entry(answer[number], words) for number, words in zip(numbers, labels, strict=True)]


_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"
_QUOTES = "'\u201c\u201d\u2018\u2019"
_AROUND = rf"\s{_UNSEEN}{_QUOTES}*_`"
_ALONE = re.compile(rf"[{_AROUND}]*([^\s*_`.!\u3002]{{1,40}})[{_AROUND}.!\u3002]*")


def _label_alone(text: str, labels: Sequence[str]) -> str | None:
    """The label if a text is nothing else: a word in any case, a single letter in its own."""
    if len(text) > _LONGEST_LABEL_ALONE or (match := _ALONE.fullmatch(text)) is None:
        return None
    word = match[1].strip(_UNSEEN + _QUOTES)
    return next((one for one in labels if word == one or (len(one) > 1 and word.casefold() == one.casefold())), None)


def score_schema(lowest: float, highest: float) -> dict[str, Any]:
    """The JSON Schema of an answer that gives a reason and then a number within the bounds."""
    low, high = (int(bound) if bound.is_integer() else bound for bound in (lowest, highest))
    return {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "minLength": 1, "maxLength": REASON_CHARACTERS},
            "score": {"type": "number", "minimum": low, "maximum": high},
        },
        "required": ["reason", "score"],
        "additionalProperties": False,
    }


def read_score(completion: Completion, lowest: float, highest: float) -> tuple[float, str]:
    """The number and the reason of a structured answer. Raises UnusableVerdict for anything else, a number outside the
    bounds included."""
    answer = whole_json(completion, DIGIT)
    if not isinstance(answer, dict) or set(answer) != {"reason", "score"}:
        raise UnusableVerdict("The answer does not hold exactly a reason and a score.")
    score, reason = answer["score"], answer["reason"]
    if not isinstance(reason, str) or isinstance(score, bool) or not isinstance(score, int | float):
        raise UnusableVerdict(f"The score {_excerpt(str(score))} is not a number.")
    if not lowest <= score <= highest:
        raise UnusableVerdict(f"The score {_excerpt(str(score))} is not within {lowest:g} and {highest:g}.")
    return float(score), _text(reason[: 2 * REASON_CHARACTERS])


def whole_json(completion: Completion, verdicts: re.Pattern[str]) -> Any:
    """A structured answer as JSON in which no key occurs twice: the whole text, or the only JSON object in it, if
    nothing around the object matches ``verdicts`` or opens another one. Raises UnusableVerdict for anything else."""
    try:
        if (
            not completion.truncated or completion.text[-1:].isspace()
        ):  # blanks up to the limit follow a complete answer
            return _strict_json(completion.text)
    except _NotJson:
        if not completion.truncated:
            return _only_object(completion.text, verdicts)
    where = "in its thinking" if completion.thinking and not completion.text.strip() else "at its token limit"
    raise UnusableVerdict(
        f"The answer was cut off {where}.", remedy="Raise reason_tokens (or thinking_tokens) of the judge."
    )


@lru_cache(maxsize=256)
def words_outside(words: tuple[str, ...]) -> re.Pattern[str]:
    """Matches text in which one of ``words`` stands as a word, single letters in their own case only."""
    single = "|".join(sorted(word for word in words if len(word) == 1))
    longer = "|".join(re.escape(word) for word in sorted(words) if len(word) > 1)
    return re.compile(
        "|".join(
            f"{how}\\b(?:{some})\\b" + (")" if how else "") for how, some in (("(?i:", longer), ("", single)) if some
        )
    )


DIGIT = re.compile(r"\d")


class _NotJson(Exception):
    """The text as a whole is not JSON."""


def _strict_json(text: str) -> Any:
    if begins_too_deep(text, MOST_LEVELS):
        raise _NotJson
    try:
        return _DECODER.decode(text)
    except _TwiceTheSameKey as fault:
        raise UnusableVerdict(f"The answer gives {_excerpt(str(fault))} twice: {_excerpt(text)}") from None
    except ValueError:
        raise _NotJson from None


def _only_object(text: str, verdicts: re.Pattern[str]) -> Any:
    """The JSON object in a code fence or between other text. A brace outside it may open a second verdict or one that
    was cut off, and a verdict word outside it may contradict it: both make the answer unusable."""
    start = text.find("{")
    if begins_too_deep(text, MOST_LEVELS, max(start, 0)):
        raise UnusableVerdict(f"The answer is nested too deeply: {_excerpt(text)}")
    try:
        found, end = _DECODER.raw_decode(text, max(start, 0))
    except _TwiceTheSameKey as fault:
        raise UnusableVerdict(f"The answer gives {_excerpt(str(fault))} twice: {_excerpt(text)}") from None
    except ValueError:
        raise UnusableVerdict(f"The answer is not JSON: {_excerpt(text)}") from None
    before, after = text[:start], text[end:]
    if start < 0 or _BRACE.search(before) or _BRACE.search(after) or _INSIDE.search(before):
        raise UnusableVerdict(f"The answer does not hold exactly one JSON object: {_excerpt(text)}")
    if verdicts.search(before) or verdicts.search(after):
        raise UnusableVerdict(f"The answer mentions a verdict outside its JSON: {_excerpt(text)}")
    return found


_BRACE = re.compile(r"[{}]")
_INSIDE = re.compile(r"(?:[\[,]|\"\s{0,9}:)\s{0,9}\Z")  # the object is part of a list or of another object


class _TwiceTheSameKey(Exception):
    """A key occurs twice. Python's JSON would keep the last value, but an answer with two verdicts is not usable."""


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceTheSameKey(key)
        found[key] = value
    return found


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_each_key_once, parse_constant=_no_json)


def _entry(entry: Any, labels: Sequence[str]) -> Spoken:
    if not isinstance(entry, dict) or set(entry) != {"reason", "verdict"}:
        raise UnusableVerdict("The answer does not hold exactly a reason and a verdict.")
    label, reason = entry["verdict"], entry["reason"]
    if not isinstance(reason, str) or label not in labels:
        raise UnusableVerdict(f"The verdict {_excerpt(str(label))} is not one of {', '.join(labels)}.")
    return Spoken(label, _text(reason[: 2 * REASON_CHARACTERS]))


def _text(reason: str) -> str:
    """Replaces lone surrogates, which JSON can escape but UTF-8 cannot encode."""
    return reason.encode("utf-8", "replace").decode("utf-8")


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
