"""Infers the scale of a criterion from people's labels if no scale was named.

People's labels define the classes. A judge's label adds one only if it looks like a class: one word that is not an
error word (error, none, invalid …), or the same two to four words in two rows or more; on a numeric scale a step from 0
to 10 if people's labels are in that range, else one within the people's range or in two rows. Any other text of a judge
counts as invalid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from judge_server.labels.label import CriterionScale
from judge_server.labels.readers.word import BOOLEANS, PAIRS, is_boolean, number_of, written

MOST_CLASSES: Final = 100
MOST_STEPS: Final = 21
FAR: Final = 4  # a step so many times as large as all others is perhaps mistyped
EXCUSES: Final = frozenset({"error", "none", "invalid", "unknown", "timeout", "failed", "unparseable", "undefined"})
Tally = Mapping[str, int]


@dataclass(frozen=True)
class Inferred:
    """``refused``: people's words that are not on this scale, with the reason; ``notes``: remarks for the user."""

    scale: CriterionScale
    refused: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def infer(criterion: str, humans: Tally, judges: Tally) -> Inferred:
    """The scale of ``criterion``; the tallies count each word, without abstentions."""
    basis = humans or judges
    numeric = {word: value for word in basis if (value := number_of(word)) is not None}
    if basis and len(numeric) == len(basis):
        return _numeric(criterion, basis, {} if basis is judges else judges)
    boolean = [word for word in basis if is_boolean(word)]
    odd = [word for word in basis if word not in boolean]
    if boolean and not set(numeric.values()) - {0.0, 1.0} and not _grades(boolean, odd):
        pair = _commonest_pair({word: basis[word] for word in boolean})
        scale = CriterionScale(criterion=criterion, kind="binary", classes=pair, positive=pair[1])
        reason = f"is neither {pair[0]} nor {pair[1]}, which other labels of {criterion!r} are"
        return Inferred(scale, dict.fromkeys(odd, reason))
    if numeric:
        return _mixed(criterion, basis, numeric)
    return _words(criterion, basis, {} if basis is judges else judges)


def _grades(boolean: list[str], odd: list[str]) -> bool:
    """F or T beside other single letters is a grade."""
    return all(_letter(word) for word in boolean) and any(_letter(word) for word in odd)


def _letter(word: str) -> bool:
    return len(word) == 1 and word.isalpha()


def _commonest_pair(words: Tally) -> tuple[str, str]:
    """The most common spelling."""

    def uses(pair: tuple[str, str]) -> int:
        return sum(times for word, times in words.items() if word.casefold() in pair)

    pair = max(BOOLEANS, key=uses)
    spelling = {word.casefold(): word for word in sorted(words, key=lambda word: (words[word], word))}
    worse, better = (spelling.get(side, side) for side in pair)
    if worse not in words and better.istitle():
        worse = worse.title()
    if better not in words and worse.istitle():
        better = better.title()
    return worse, better


def _numeric(criterion: str, basis: Tally, judges: Tally) -> Inferred:
    values = {value for word in basis if (value := number_of(word)) is not None}
    told = {value: times for value, times in _numbers(judges).items() if value not in values}
    fractions = {value: times for value, times in told.items() if not (2 * value).is_integer()}
    total = sum(judges.values())
    if sum(fractions.values()) >= max(2, total / 100) or not _steps(values):
        note: tuple[str, ...] = ()
        if _steps(values):
            note = (f"criterion {criterion!r}: judges give fractions, so it is read as continuous",)
        return Inferred(CriterionScale(criterion=criterion, kind="continuous"), notes=note)
    low, high = (0.0, 10.0) if all(0 <= value <= 10 for value in values) else (min(values), max(values))
    more = {value for value, times in told.items() if (low <= value <= high or times >= 2) and (2 * value).is_integer()}
    steps = sorted(values | more if _steps(values | more) else values)
    if steps and set(steps) <= {0.0, 1.0}:
        return Inferred(CriterionScale(criterion=criterion, kind="binary", classes=("0", "1"), positive="1"))
    scale = CriterionScale(criterion=criterion, kind="ordinal", classes=tuple(map(written, steps)))
    if len(steps) > 2 and steps[-1] >= FAR * max(map(abs, steps[:-1])):
        far = f"criterion {criterion!r}: {written(steps[-1])} is far from the other numbers, up to {written(steps[-2])}"
        return Inferred(scale, notes=(far,))
    codes = f"criterion {criterion!r}: read as the steps 1 < 2; if 1 means yes and 2 no: --map '1=yes' --map '2=no'"
    return Inferred(scale, notes=(codes,) if steps == [1.0, 2.0] else ())


def _numbers(tally: Tally) -> dict[float, int]:
    found: dict[float, int] = {}
    for word, times in tally.items():
        value = number_of(word)
        if value is not None:
            found[value] = found.get(value, 0) + times
    return found


def _steps(values: set[float]) -> bool:
    """A small number of whole or half steps is an ordinal scale."""
    return len(values) <= MOST_STEPS and all((2 * value).is_integer() for value in values)


def _mixed(criterion: str, basis: Tally, numeric: Mapping[str, float]) -> Inferred:
    """Refuse the rarer kind if a criterion has both numbers and words."""
    words = {word: times for word, times in basis.items() if word not in numeric}
    numbers = {word: times for word, times in basis.items() if word in numeric}
    if sum(words.values()) <= sum(numbers.values()):
        inferred, odd, kind = _numeric(criterion, numbers, {}), words, "numbers"
    else:
        inferred, odd, kind = _words(criterion, words, {}), numbers, "words"
    reason = f"mixes two scales: most labels of {criterion!r} are {kind}"
    return Inferred(inferred.scale, dict.fromkeys(odd, reason))


def _looks_like_a_class(word: str, times: int) -> bool:
    tokens = len(word.split())
    if len(word) > 40 or word.casefold() in EXCUSES or number_of(word) is not None:
        return False
    return tokens == 1 or (tokens <= 4 and times >= 2)


def _words(criterion: str, basis: Tally, judges: Tally) -> Inferred:
    classes: dict[str, str] = {}
    for word in sorted(basis, key=lambda word: (-basis[word], word)):
        classes.setdefault(word.casefold(), word)
    notes = []
    own = {word: times for word, times in judges.items() if _looks_like_a_class(word, times)}
    foreign = len(own) > 1 and not any(word.casefold() in classes for word in own)  # another scale: it is refused
    for word in () if foreign else sorted(own):
        if word.casefold() not in classes:
            classes[word.casefold()] = word
            notes.append(f"criterion {criterion!r}: only judges use the class {word!r}")
    if len(classes) > MOST_CLASSES:
        reason = f"is one of {len(classes)} different labels of {criterion!r}, which looks like free text"
        first = min(basis)
        scale = CriterionScale(criterion=criterion, kind="nominal", classes=(first,))
        return Inferred(scale, dict.fromkeys((word for word in basis if word != first), reason))
    for pair in (*BOOLEANS, *PAIRS):
        if classes.keys() == set(pair):
            ordered = (classes[pair[0]], classes[pair[1]])
            return Inferred(
                CriterionScale(criterion=criterion, kind="binary", classes=ordered, positive=ordered[1]),
                notes=tuple(notes),
            )
    if len(classes) == 2:
        notes.append(
            f"criterion {criterion!r}: which of {' and '.join(sorted(classes.values()))} is the positive class is not "
            f"plain; name it with --scale '{criterion}=WORSE<BETTER'"
        )
    if len(classes) > 2:
        notes.append(
            f"criterion {criterion!r}: {len(classes)} classes without an order; if they are steps, name them with "
            f"--scale '{criterion}=WORST<...<BEST'"
        )
    names = tuple(sorted(classes.values())) or ("none",)
    return Inferred(CriterionScale(criterion=criterion, kind="nominal", classes=names), notes=tuple(notes))
