"""Lexical overlap of a statement with a response: weighted stems, neighbouring pairs and negation cues."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp

import snowballstemmer


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


FUNCTION_WORDS = _words(
    """
    a about after all also am an and any are as at be because been before being between both but by can could
    did do does down during e each etc for from g had has have he her his how i if in into is it its just may
    might more most must my no nor not of off on only or other our out over own s same she should so some such t
    than that the their them then there these they this those to too under until up us very was we were what
    when which while who will with would you your
    """
)
COMMON_WORDS = _words(
    """
    advise affect always amount answer ask avoid bad based best better call case cause certain come common
    condition consider consult contact contain day depend describe different disease doctor due early effect
    especially example experience explain feel find first follow general get give go good happen health
    healthcare help high hour important include increase keep kind know large last lead like likely long look
    lot low make man many medical medication medicine mention month much need new next normal number occur often
    old part patient people person physician possible prevent professional provide provider recommend reduce
    require response result risk same say see seek several severe short show small sometimes specific start
    state stop suggest symptom take tell thing time treat treatment try type typical use usually want way week
    well woman work year
    """
)
NEGATIONS = _words(
    """
    aren avoid cannot didn doesn don hasn haven isn neither never no none nor not nothing shouldn wasn weren
    without won wouldn
    """
)


# integers, so that a sum does not depend on the iteration order of a set
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
    """The stems of a text, its neighbouring pairs of stems, and the stems of each sentence."""

    stems: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    sentences: tuple[frozenset[str], ...]

    @staticmethod
    def in_text(text: str) -> "Said":
        """Only the first ``MOST_STEMMED`` different words are stemmed (the others are kept as they are),
        and only the first ``MOST_SENTENCES`` sentences are kept separately."""
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
