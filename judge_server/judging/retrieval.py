"""Which texts of a pool are nearest to a query: by shared words, or by the vectors of an encoder. Equal input gives an
equal order; texts that are equally near keep their place."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
_WORD: Final = re.compile(r"\w+")
_SATURATION: Final = 1.2
_LENGTH: Final = 0.75


class Encoder(Protocol):
    """Turns texts into vectors. ``digest`` names its weights."""

    digest: str

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(texts, size), each row of length 1."""


class Ranking(Protocol):
    """``digest`` names the way of ranking."""

    @property
    def digest(self) -> str: ...

    def nearest(self, query: str) -> Sequence[int]:
        """The places of all texts, nearest first."""


class LexicalRanking:
    """Okapi BM25 with its usual constants (Robertson & Zaragoza 2009, eq. 3.15)."""

    digest = "bm25"

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [Counter(words(text)) for text in texts]
        lengths = [sum(one.values()) for one in counted]
        mean = max(sum(lengths) / max(len(lengths), 1), 1.0)
        self._size = len(texts)
        self._weights: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, (own, length) in enumerate(zip(counted, lengths, strict=True)):
            norm = _SATURATION * (1 - _LENGTH + _LENGTH * length / mean)
            for word, count in own.items():
                self._weights[word].append((place, count * (_SATURATION + 1) / (count + norm)))

    def nearest(self, query: str) -> Sequence[int]:
        scores = [0.0] * self._size
        for word in sorted(set(words(query))):
            found = self._weights.get(word, ())
            rarity = math.log(1 + (self._size - len(found) + 0.5) / (len(found) + 0.5))
            for place, weight in found:
                scores[place] += rarity * weight
        return sorted(range(self._size), key=lambda place: (-scores[place], place))


class VectorRanking:
    """By the cosine of the encoder's vectors. The pool is encoded once, at the first query."""

    def __init__(self, texts: Sequence[str], encoder: Encoder) -> None:
        self._texts, self._encoder = texts, encoder
        self.digest = encoder.digest

    @cached_property
    def _vectors(self) -> Vectors:
        return self._encoder.encode(self._texts)

    def nearest(self, query: str) -> Sequence[int]:
        near = np.round(self._vectors @ self._encoder.encode([query])[0], 5)  # batches differ in the last digits
        return [int(place) for place in np.argsort(-near, kind="stable")]


def words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
