"""Facts that conditions use: declared in a rubric or inferred from its conditions, and read from a submission.

One fact has one type. The same fact given as ``true``, ``"yes"`` or ``"Yes"``, or under another spelling of its name
(case, blanks, ``_`` and ``-`` do not matter), is one value.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from judge_server.core.condition import Condition
from judge_server.core.errors import BadSubmission
from judge_server.core.model import Flag, Frozen
from judge_server.core.verdict import Failure

FactType = Literal["boolean", "number", "text"]
FactName = Annotated[str, Field(pattern=r"^[^\s.]([^.]*[^\s.])?(\.[^\s.]([^.]*[^\s.])?)*$", max_length=200)]
FactValue = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]

TRUE: Final = frozenset({"true", "yes", "t", "y", "1"})
FALSE: Final = frozenset({"false", "no", "f", "n", "0"})
_DECIMAL_COMMA: Final = re.compile(r"[-+]?[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})")
_ROOT: Final = "facts."
MOST_ASKED_VALUES: Final = 19  # a choice has at most 20 options, and one of them is that it cannot be told
LONGEST_ASKED_VALUE: Final = 60
CANNOT_TELL: Final = "cannot tell"
_ABSENT: Final = object()


class Fact(Frozen):
    """A declared fact. ``values``: the allowed values of a text; ``question``: asks for the value; ``show``: the judge
    is told the value. ``ask: judge``: if nobody gave it, a judge answers the question from the conversation."""

    name: FactName
    type: FactType = "text"
    values: tuple[FactValue, ...] = ()
    question: Annotated[str, Field(min_length=3, max_length=1_000, pattern=r"\S")] | None = None
    show: Flag = False
    ask: Literal["judge"] | None = None

    @model_validator(mode="after")
    def _a_judge_can_be_asked(self) -> Self:
        if self.ask is None:
            return self
        if self.question is None:
            raise ValueError("ask: judge needs the question that the judge answers")
        if self.type == "number":
            raise ValueError(
                "a judge chooses among answers: instead of a number, declare a text with values for ranges"
            )
        if self.type == "text" and not 2 <= len(self.values) <= MOST_ASKED_VALUES:
            raise ValueError(f"a judge chooses among 2 to {MOST_ASKED_VALUES} values; list them under values")
        long = [value for value in self.values if len(value) > LONGEST_ASKED_VALUE]
        if long:
            raise ValueError(
                f"a judge chooses among values of at most {LONGEST_ASKED_VALUE} characters, not {long[0]!r}"
            )
        if spelling(CANNOT_TELL) in map(spelling, self.values):
            raise ValueError(f"{CANNOT_TELL!r} is what a judge may always answer; leave it out of the values")
        return self

    @model_validator(mode="after")
    def _values_are_of_a_text(self) -> Self:
        if self.values and self.type != "text":
            raise ValueError(f"a {self.type} fact lists no values; they are for type: text")
        keys = [spelling(value) for value in self.values]
        if len(set(keys)) < len(keys):
            raise ValueError("two values differ in case, blanks, '_' or '-' only")
        return self


class FoundFact(Frozen):
    """What is known of a fact that a judge may be asked for. ``source``: given with the submission, or read by a judge.

    ``status`` is ``ok`` exactly if there is a value, and ``cannot_tell`` if the conversation does not say it; the fact
    is then absent. Otherwise the judge failed, ``error`` says how, and what depends on the fact is undecided.
    ``probability``: of the likeliest answer.
    """

    name: str
    source: Literal["given", "judge"]
    status: Literal["ok", "cannot_tell", "abstained", "unusable", "unavailable"] = "ok"
    value: bool | int | float | str | None = None
    probability: Annotated[float, Field(ge=0, le=1)] | None = None
    reason: str | None = None
    cached: bool = False
    error: Failure | None = None

    @model_validator(mode="after")
    def _a_value_exactly_if_ok(self) -> Self:
        if (self.status == "ok") != (self.value is not None):
            raise ValueError("a fact has a value exactly if its status is ok")
        if (self.error is not None) != (self.status not in ("ok", "cannot_tell")):
            raise ValueError("a fact that a judge failed to read, and only that, has an error")
        return self


class UnreadableFact(ValueError):
    """A value that the fact cannot have; the message lists those that it can."""


def spelling(text: str) -> str:
    """The normal form that all spellings of one name or value share."""
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)|_", "", text.strip()).casefold()


def number_in(text: str) -> float | None:
    """The finite number that ``text`` writes, with a decimal point or an unmistakable decimal comma (``0,5``); None for
    the ambiguous ``1,000``, a thousand or one depending on the locale."""
    if not text or "_" in text or not (text[0].isascii() and text[0] in "+-.0123456789"):
        return None
    try:
        value = float(text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def infer_facts(conditions: Iterable[Mapping[str, Condition]]) -> tuple[Fact, ...]:
    """The facts that conditions use, each with the type of all its comparisons. A fact that is compared with values of
    several types, or only tested for existence, has no type and is left out."""
    compared: dict[str, tuple[str, list[Any]]] = {}
    for when in conditions:
        for path, comparison in when.items():
            if path.startswith(_ROOT):
                name = path.removeprefix(_ROOT)
                compared.setdefault(spelling(name), (name, []))[1].extend(operands(comparison))
    typed = ((name, {_type_of(value) for value in values}) for name, values in compared.values())
    return tuple(Fact(name=name, type=kinds.pop()) for name, kinds in typed if len(kinds) == 1)


def operands(comparison: Condition) -> list[Any]:
    """The values that a comparison compares with, without null."""
    given = [comparison.equals, comparison.not_, comparison.gte, comparison.lte, *(comparison.one_of or ())]
    return [value for value in given if value is not None]


def _type_of(value: Any) -> FactType:
    return "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "text"


def fault_of(comparison: Condition, fact: Fact) -> str | None:
    """Why this comparison does not fit the declared fact; None if it does."""
    for value in operands(comparison):
        kind = _type_of(value)
        if kind != fact.type:
            return f"facts.{fact.name} is declared as {fact.type} and compared with the {kind} {_shown(value)}"
        if fact.values and value not in fact.values:
            return f"facts.{fact.name} is never {_shown(value)}: its values are {', '.join(fact.values)}"
    return None


@dataclass(frozen=True)
class FactReading:
    """``facts``: the given facts, with the value of every typed fact under its declared name. ``unread``: given names
    that no condition uses. ``shown``: what a judge is told beside the texts: the known facts that are declared with
    ``show``, and the locale of the submission's country."""

    facts: dict[str, Any]
    unread: tuple[str, ...] = ()
    shown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class FactReader:
    """Reads submissions' facts for one rubric. ``paths``: the names that its conditions use; ``words``: by name, the
    texts that they are compared with."""

    facts: tuple[Fact, ...]
    paths: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _keys: Mapping[str, tuple[str, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        keys: dict[str, tuple[str, ...]] = {}
        for name in dict.fromkeys((*self.paths, *(fact.name for fact in self.facts))):
            keys[spelling(name)] = (*keys.get(spelling(name), ()), name)
        object.__setattr__(self, "_keys", keys)

    @classmethod
    def of(cls, facts: tuple[Fact, ...], conditions: Sequence[Mapping[str, Condition]]) -> "FactReader":
        """``facts``: as declared; without any, the types are inferred from the ``conditions``."""
        compared: dict[str, tuple[str, ...]] = {}
        for when in conditions:
            for path, comparison in when.items():
                if path.startswith(_ROOT):
                    words = tuple(value for value in operands(comparison) if isinstance(value, str))
                    name = path.removeprefix(_ROOT)
                    compared[name] = (*compared.get(name, ()), *words)
        return cls(facts or infer_facts(conditions), tuple(compared), compared)

    def read(self, given: Mapping[str, Any]) -> FactReading:
        """Raises BadSubmission naming every fact with an unreadable value or with two different values."""
        entries = list(_flat(given))
        by_key: dict[str, list[tuple[str, Any]]] = {}
        for name, value in entries:
            by_key.setdefault(spelling(name), []).append((name, value))
        facts = _copied(given)
        typed = {spelling(fact.name): fact for fact in self.facts}
        faults = []
        for key, names in self._keys.items():
            if key not in by_key:
                continue
            try:
                value = _agreed(by_key[key], typed.get(key), self._words_of(names))
            except UnreadableFact as fault:
                faults.append(str(fault))
                continue
            for name in names:
                _put(facts, name.split("."), value)
        if faults:
            raise BadSubmission(
                f"{'; '.join(faults)}.",
                remedy="Give a value of the fact's type, or leave the fact out where it is not known.",
            )
        return FactReading(facts, tuple(dict.fromkeys(self._unread(entries))))

    def _words_of(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(word for name in names for word in self.words.get(name, ()))

    def _unread(self, entries: Sequence[tuple[str, Any]]) -> Iterator[str]:
        read = {part for key in self._keys for part in (key, *_above(key))}
        for name, _ in entries:
            key = spelling(name)
            if key not in read and self._keys.keys().isdisjoint(_above(key)):
                yield name


def _above(key: str) -> Iterator[str]:
    parts = key.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


def _flat(given: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its dotted name; objects too, because a condition may test whether one exists."""
    for name, value in given.items():
        path = f"{above}{name}"
        yield path, value
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")


def size_of(given: Mapping[str, Any]) -> int:
    """Characters of all texts and dotted names, and 20 for each value: what reading facts takes. An object that holds
    others has its own name in front of each of theirs."""
    size = 0
    left: list[tuple[Any, int]] = [(given, 0)]
    while left:
        one, above = left.pop()
        size += 20
        if isinstance(one, str):
            size += len(one)
        elif isinstance(one, Mapping):
            size += sum(map(len, one)) + len(one) * above
            left += [(value, above + len(name) + 1) for name, value in one.items()]
        elif isinstance(one, list | tuple):
            left += [(value, 0) for value in one]
    return size


def size_of_names(given: Mapping[str, Any]) -> int:
    """Characters that the dotted names of all values take together."""
    size = 0
    left: list[tuple[Mapping[str, Any], int]] = [(given, 0)]
    while left:
        one, above = left.pop()
        size += sum(map(len, one)) + len(one) * above
        left += [(value, above + len(name) + 1) for name, value in one.items() if isinstance(value, Mapping)]
    return size


def _copied(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, Mapping) else value for name, value in given.items()}


def _agreed(entries: Sequence[tuple[str, Any]], fact: Fact | None, words: Sequence[str]) -> Any:
    """The one value that all spellings of a fact give."""
    values = [(name, value if fact is None else read_value(fact, value, words)) for name, value in entries]
    known = [(name, value) for name, value in values if value is not None]
    if not known:
        return None
    first, value = known[0]
    for name, other in known[1:]:
        if isinstance(other, bool) != isinstance(value, bool) or other != value:
            raise UnreadableFact(f"facts.{first} and facts.{name} are two spellings of one fact with different values")
    return value


def value_in(facts: Mapping[str, Any], name: str) -> Any:
    """The value of a fact by its dotted name; None if it is absent. ``facts``: as a reader gives them."""
    value: Any = facts
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _put(facts: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for part in path[:-1]:
        inner = facts.get(part)
        if not isinstance(inner, dict):
            inner = facts[part] = {}
        facts = inner
    facts[path[-1]] = value


def read_value(fact: Fact, given: Any, words: Sequence[str] = ()) -> bool | float | str | None:
    """The value of a fact; None if nothing is given (null or blank). ``words``: texts whose spelling is used if the
    fact lists no values. Raises UnreadableFact for a value of another type."""
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    value: Any = _ABSENT
    if fact.type == "boolean":
        value = _boolean(given)
    elif fact.type == "number":
        value = _number(given)
    elif isinstance(given, str):
        value = _text(fact, given.strip(), words)
    elif isinstance(given, int | float) and not isinstance(given, bool):
        value = _text(fact, f"{given:g}" if isinstance(given, float) else str(given), words)
    if value is _ABSENT:
        raise UnreadableFact(f"facts.{fact.name}: {_shown(given)} cannot be read as {_wanted(fact, given)}")
    found: bool | float | str = value
    return found


def _boolean(given: Any) -> Any:
    if isinstance(given, bool):
        return given
    if isinstance(given, int | float):
        return bool(given) if given in (0, 1) else _ABSENT
    word = given.strip().casefold() if isinstance(given, str) else None
    return True if word in TRUE else False if word in FALSE else _ABSENT


def _number(given: Any) -> Any:
    if isinstance(given, bool):
        return _ABSENT
    if isinstance(given, int | float):
        return given
    value = number_in(given.strip()) if isinstance(given, str) else None
    return _ABSENT if value is None else value


def _text(fact: Fact, given: str, words: Sequence[str]) -> Any:
    same = (value for value in fact.values or words if spelling(value) == spelling(given))
    return next(same, _ABSENT if fact.values else given)


def _wanted(fact: Fact, given: Any) -> str:
    if fact.type == "boolean":
        return "a truth value (true, false, yes or no)"
    if fact.type == "number":
        return "a number (with a decimal point and no separators, like 38.5)"
    near = get_close_matches(str(given)[:100], fact.values, 1)
    return f"one of {', '.join(fact.values)}" + (f" (did you mean {near[0]}?)" if near else "")


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
