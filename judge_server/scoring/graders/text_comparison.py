"""Graders that compare two texts: ``string_check`` gives 1 or 0, ``text_similarity`` a number in [0, 1].

Cosine, GLEU and METEOR compare word lists and are 0 if either list is empty; the other metrics are those of the checks.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from math import sqrt

import snowballstemmer

from judge_server.core.grader import Metric, StringCheck, TextSimilarity
from judge_server.judging.checks import similarity as bleu
from judge_server.judging.checks import similarity as fuzzy
from judge_server.judging.checks import similarity as rouge
from judge_server.judging.checks.similarity import LONGEST_COMPARED
from judge_server.judging.checks.words import plain_words
from judge_server.scoring.graders.grader_input import GraderInput

_stemmer = snowballstemmer.stemmer("english")
_GLEU_ORDER = 4
# parameters from the paper
_RECALL_WEIGHT, _PENALTY_WEIGHT, _PENALTY_POWER = 0.9, 0.5, 3.0

Words = Sequence[str]
_OPERATIONS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda given, wanted: given == wanted,
    "ne": lambda given, wanted: given != wanted,
    "like": lambda given, wanted: wanted in given,
    "ilike": lambda given, wanted: wanted.casefold() in given.casefold(),
}


def check_string(grader: StringCheck, material: GraderInput) -> float:
    """Raises GraderFailed if a template cannot be filled."""
    holds = _OPERATIONS[grader.operation](material.text(grader.input), material.text(grader.reference))
    return 1.0 if holds else 0.0


async def measure_similarity(grader: TextSimilarity, material: GraderInput) -> float:
    """Computed on a thread. Raises GraderFailed if a template cannot be filled."""
    given, wanted = material.text(grader.input), material.text(grader.reference)
    return await asyncio.to_thread(similarity, grader.evaluation_metric, given, wanted)


def similarity(metric: Metric, given: str, wanted: str) -> float:
    """Some metrics take superlinear time, so only the first ``LONGEST_COMPARED`` characters are compared."""
    value = _METRICS[metric](given[:LONGEST_COMPARED].strip(), wanted[:LONGEST_COMPARED].strip())
    return min(1.0, max(0.0, value))


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


def _of_words(metric: Callable[[Words, Words], float]) -> Callable[[str, str], float]:
    return lambda given, wanted: metric(plain_words(given), plain_words(wanted))


_METRICS: dict[Metric, Callable[[str, str], float]] = {
    "cosine": _of_words(cosine),
    "fuzzy_match": fuzzy.ratio,
    "bleu": bleu.bleu,
    "gleu": _of_words(gleu),
    "meteor": _of_words(meteor),
    "rouge_1": partial(rouge.rouge_n, order=1),
    "rouge_2": partial(rouge.rouge_n, order=2),
    "rouge_3": partial(rouge.rouge_n, order=3),
    "rouge_4": partial(rouge.rouge_n, order=4),
    "rouge_5": partial(rouge.rouge_n, order=5),
    "rouge_l": rouge.rouge_l,
}


def _square(counts: Counter[str]) -> int:
    return sum(count * count for count in counts.values())


def _grams(words: Words) -> Counter[tuple[str, ...]]:
    orders = range(1, _GLEU_ORDER + 1)
    return Counter(tuple(words[at : at + order]) for order in orders for at in range(len(words) - order + 1))


def _aligned(given: Words, wanted: Words) -> list[tuple[int, int]]:
    """Pairs of positions in the order of ``given``. For each form, the last unmatched words of both texts are matched
    first."""
    left, right = dict(enumerate(given)), dict(enumerate(wanted))
    pairs = _matched(left, right, str) + _matched(left, right, _stem)
    return sorted(pairs)


def _matched(left: dict[int, str], right: dict[int, str], form: Callable[[str], str]) -> list[tuple[int, int]]:
    """Matches, removed from both."""
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
    """Runs of matches that are adjacent in both texts."""
    return 1 + sum(after != (before[0] + 1, before[1] + 1) for before, after in pairwise(pairs))


def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))
