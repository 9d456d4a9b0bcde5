"""Similarities of word lists: cosine, GLEU and METEOR. Each in [0, 1], 0 where either list is empty."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import sqrt

import snowballstemmer

_stemmer = snowballstemmer.stemmer("english")
_GLEU_ORDER = 4
# the parameters of the paper
_RECALL_WEIGHT, _PENALTY_WEIGHT, _PENALTY_POWER = 0.9, 0.5, 3.0

Words = Sequence[str]


def cosine(given: Words, wanted: Words) -> float:
    """The cosine of the angle between the two vectors of word counts."""
    mine, theirs = Counter(given), Counter(wanted)
    product = sum(count * theirs[word] for word, count in mine.items())
    return product / sqrt(_square(mine) * _square(theirs)) if product else 0.0


def gleu(given: Words, wanted: Words) -> float:
    """Shared n-grams of 1 to 4 words by the larger number of n-grams (Wu et al. 2016, arXiv 1609.08144)."""
    mine, theirs = _grams(given), _grams(wanted)
    most = max(mine.total(), theirs.total())
    return (mine & theirs).total() / most if most else 0.0


def meteor(given: Words, wanted: Words) -> float:
    """Weighted harmonic mean of precision and recall over words matched as they are, then by their English stems,
    less a penalty for being out of order (Lavie and Agarwal 2007). Synonyms are not matched."""
    pairs = _aligned(given, wanted)
    if not pairs:
        return 0.0
    precision, recall = len(pairs) / len(given), len(pairs) / len(wanted)
    mean: float = precision * recall / (_RECALL_WEIGHT * precision + (1 - _RECALL_WEIGHT) * recall)
    penalty: float = _PENALTY_WEIGHT * (_chunks(pairs) / len(pairs)) ** _PENALTY_POWER
    return mean * (1 - penalty)


def _square(counts: Counter[str]) -> int:
    return sum(count * count for count in counts.values())


def _grams(words: Words) -> Counter[tuple[str, ...]]:
    orders = range(1, _GLEU_ORDER + 1)
    return Counter(tuple(words[at : at + order]) for order in orders for at in range(len(words) - order + 1))


def _aligned(given: Words, wanted: Words) -> list[tuple[int, int]]:
    """Pairs of positions in the order of ``given``. Both ends' last free words of a form are matched first."""
    left, right = dict(enumerate(given)), dict(enumerate(wanted))
    pairs = _matched(left, right, str) + _matched(left, right, _stem)
    return sorted(pairs)


def _matched(left: dict[int, str], right: dict[int, str], form: Callable[[str], str]) -> list[tuple[int, int]]:
    """Matches, taken out of both."""
    places: dict[str, list[int]] = {}
    for place in sorted(right):
        places.setdefault(form(right[place]), []).append(place)
    pairs = []
    for place in sorted(left, reverse=True):
        free = places.get(form(left[place]))
        if free:
            pairs.append((place, free.pop()))
    for mine, theirs in pairs:
        del left[mine], right[theirs]
    return pairs


def _chunks(pairs: Sequence[tuple[int, int]]) -> int:
    """Runs of matches that stand next to each other in both."""
    return 1 + sum(after != (before[0] + 1, before[1] + 1) for before, after in pairwise(pairs))


def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))
