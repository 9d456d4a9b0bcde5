"""What a short text sounds like: a remark that would fit any prompt, or an answer.

A linear model over pieces of words, pairs of words and what the lists of remarks know of them. It was learnt from texts
that say nothing and from genuine answers in some hundred languages: ``python -m tests.attack.evaluation.learning``
writes its weights. It may err in both directions, so nothing is refused because of it.
"""

import re
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from zlib import crc32

from judge_server.guard.discourse import denies, words_of
from judge_server.guard.remark import NAME, UNSPACED, traits_of

BUCKETS = 1 << 16  # of features, each with a weight
OF_A_PROPERTY = 0.3  # what a property counts; a text's pieces count one over the root of their number
STEP = 1 / 16  # of a weight: it is kept as a whole number of steps in one byte
FILE = "impression.bin"
_LONGEST = 120
_SPACED_PIECES, _UNSPACED_PIECES = (2, 3, 4, 5), (1, 2, 3, 4)
_BRIEF, _BRIEF_IN_A_DENSE_SCRIPT = 30, 14  # characters up to which a text may be a piece of advice: "Keep her warm."
_FIRST_DENSE = "\u0900"
_SURELY_EMPTY, _BRIEF_SOUNDS_EMPTY, _SOUNDS_EMPTY = 3.0, 2.0, 1.0
_BRIEF_SOUNDS_FULL, _SOUNDS_FULL = -2.0, -4.0
_SENTENCE = re.compile(r"[^\W_][^.!?]+[.!?]*")
_DIGIT = re.compile(r"\d")
_MANY_WORDS = 12


def sounds_empty(text: str, *, surely: bool = False) -> bool:
    """Whether a short text sounds like a remark, although no list of words says so. More is asked of a brief one, and
    most if ``surely``: a word or two may be an answer. No sentence may sound like an answer: "Water. I hope this
    helps." says something."""
    bound = _SURELY_EMPTY if surely else _BRIEF_SOUNDS_EMPTY if _is_brief(text) else _SOUNDS_EMPTY
    if len(text) > _LONGEST or impression(text) <= bound:
        return False
    sentences = _SENTENCE.findall(text)
    return len(sentences) < 2 or all(impression(one) > _SOUNDS_FULL for one in sentences)


def sounds_full(text: str) -> bool:
    """Whether a short text sounds like an answer, although its words are those of remarks: a brief one has few words
    to be known by, so that less is asked of it."""
    return len(text) <= _LONGEST and impression(text) < (_BRIEF_SOUNDS_FULL if _is_brief(text) else _SOUNDS_FULL)


def _is_brief(text: str) -> bool:
    return len(text) <= (_BRIEF if text[:1] < _FIRST_DENSE else _BRIEF_IN_A_DENSE_SCRIPT)


@lru_cache(maxsize=64)  # asked twice about each text
def impression(text: str) -> float:
    """Above zero if the text sounds like a remark, in logits."""
    words = words_of(text)
    weights = weights_of_buckets()
    of_pieces, number = 0, len(words) - 1
    for word in words:
        weight, pieces = _weight_of(word)
        of_pieces, number = of_pieces + weight, number + pieces
    of_pieces += sum(weights[pair] for pair in _pairs(words))
    of_properties = sum(weights[one] for one in _properties(text, words))
    found: float = of_pieces / max(number, 1) ** 0.5 + OF_A_PROPERTY * of_properties
    return STEP * found


def features(text: str) -> tuple[list[int], list[int]]:
    """The buckets of a text's pieces and pairs of words, and those of its properties."""
    words = words_of(text)
    pieces = [piece for word in words for piece in _pieces(word)]
    return [*pieces, *_pairs(words)], _properties(text, words)


@cache
def weights_of_buckets() -> memoryview:
    """Of each bucket, in steps."""
    return memoryview(files("judge_server.guard").joinpath(FILE).read_bytes()).cast("b")


@lru_cache(maxsize=8_192)  # the words of a few hundred texts
def _weight_of(word: str) -> tuple[int, int]:
    pieces = _pieces(word)
    weights = weights_of_buckets()
    return sum(weights[piece] for piece in pieces), len(pieces)


def _pieces(word: str) -> list[int]:
    """The word, and what stands in it; its beginning and end are seen where words stand between blanks."""
    unspaced = UNSPACED.search(word) is not None
    shown, lengths = (word, _UNSPACED_PIECES) if unspaced else (f" {word} ", _SPACED_PIECES)
    found = [_bucket(shown[at : at + length]) for length in lengths for at in range(len(shown) - length + 1)]
    return [*found, _bucket(f"#{word}")]


def _pairs(words: list[str]) -> list[int]:
    return [_bucket(f"&{one} {another}") for one, another in pairwise(words)]


def _properties(text: str, words: list[str]) -> list[int]:
    traits = traits_of(words)
    number = len(words)
    found = [
        "any",
        f"digits {_DIGIT.search(text) is not None}",
        f"end {'' if text[-1:].isalnum() else text[-1:]}",
        f"name {NAME.search(text) is not None}",
        f"denies {denies(words)}",
        f"capital {text[:1].isupper()}",
    ]
    if traits.covered is not None:
        found += [f"covered {int(traits.covered * 5)}", f"characters {min(sum(map(len, words)) // 4, 8)}"]
    else:
        found += [
            f"strange {min(traits.strange, 6)}",
            f"share {5 * traits.strange // max(number, 1)}",
            f"longest {min(traits.longest_strange, 12) // 2}",
            f"cues {min(traits.cues, 3)}",
            f"words {number if number < _MANY_WORDS else _MANY_WORDS + min(number // 8, 5)}",
            f"speaks {traits.speaks}",
        ]
    return [_bucket(f"@{one}") for one in found]


def _bucket(feature: str) -> int:
    return crc32(feature.encode("utf-8", "replace")) % BUCKETS
