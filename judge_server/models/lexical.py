"""How far a response says, word by word, what a statement says: stems, their weights, neighbours and negation cues."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp

import snowballstemmer

from judge_server.models.lexicon import COMMON_WORDS, FUNCTION_WORDS, NEGATIONS

# whole numbers: a sum of them is the same in whatever order a set gives its members
FUNCTION_WEIGHT, COMMON_WEIGHT, CONTENT_WEIGHT = 2, 6, 10
PAIR_SHARE = 0.2
NEGATION_PENALTY = 0.1
SLOPE, CENTRE = 5.5, 0.42
MOST_STEMMED = 2_000
MOST_SENTENCES = 1_000
LONGEST_WORD = 40

_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"[.!?。！？\n]+")
_stemmer = snowballstemmer.stemmer("english")


@dataclass(frozen=True, slots=True)
class Said:
    """A text taken apart: its stems, its neighbouring pairs of stems, and the stems of each sentence."""

    stems: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    sentences: tuple[frozenset[str], ...]

    @staticmethod
    def in_text(text: str) -> "Said":
        """Only the first ``MOST_STEMMED`` different words are stemmed (the others stand as they are),
        and only the first ``MOST_SENTENCES`` sentences are kept apart."""
        known: dict[str, str] = {}
        sentences = [
            [known[word] if word in known else _remember(known, word) for word in _WORD.findall(piece)]
            for piece in _SENTENCE_END.split(text.lower())
        ]
        stems = [stem for sentence in sentences for stem in sentence]
        return Said(
            frozenset(stems),
            frozenset(pairwise(stems)),
            tuple(frozenset(sentence) for sentence in sentences[:MOST_SENTENCES] if sentence),
        )


@dataclass(frozen=True, slots=True)
class Overlap:
    """``coverage``: weighted share of the statement's stems that the response has; ``pairs``: share of its neighbouring
    pairs; ``contradicted``: the sentence nearest to the statement is negated and the statement not, or the reverse."""

    coverage: float
    pairs: float
    contradicted: bool

    @property
    def probability(self) -> float:
        """A logistic with fixed constants, in (0, 1)."""
        score = (1 - PAIR_SHARE) * self.coverage + PAIR_SHARE * self.pairs - NEGATION_PENALTY * self.contradicted
        return 1 / (1 + exp(-SLOPE * (score - CENTRE)))


def overlap(statement: Said, response: Said) -> Overlap:
    """How far ``response`` says what ``statement`` says."""
    total = _weight(statement.stems)
    shared = _weight(statement.stems & response.stems)
    pairs = len(statement.pairs & response.pairs) / len(statement.pairs) if statement.pairs else 0.0
    return Overlap(shared / total if total else 0.0, pairs, _contradicted(statement, response))


def _contradicted(statement: Said, response: Said) -> bool:
    nearest = max(response.sentences, key=lambda stems: _weight(statement.stems & stems), default=frozenset[str]())
    if not statement.stems & nearest:
        return False
    return _NEGATIONS.isdisjoint(statement.stems) != _NEGATIONS.isdisjoint(nearest)


def _weight(stems: Iterable[str]) -> int:
    return sum(_WEIGHTS.get(stem, CONTENT_WEIGHT) for stem in stems)


def _remember(known: dict[str, str], word: str) -> str:
    known[word] = stem = _stem(word) if len(known) < MOST_STEMMED and len(word) <= LONGEST_WORD else word
    return stem


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))


_NEGATIONS = frozenset(map(_stem, NEGATIONS))
_WEIGHTS = {_stem(word): COMMON_WEIGHT for word in COMMON_WORDS} | {
    _stem(word): FUNCTION_WEIGHT for word in FUNCTION_WORDS
}
