"""Edit-based similarity by rapidfuzz, and the longest common subsequence that ROUGE-L needs."""

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq


def ratio(given: str, wanted: str) -> float:
    """Normalised indel similarity in [0, 1]."""
    return fuzz.ratio(given, wanted) / 100


def token_set(given: str, wanted: str) -> float:
    """The best ratio between the shared words and either text's words, in [0, 1], without regard to case and order."""
    return fuzz.token_set_ratio(given.casefold(), wanted.casefold()) / 100


def longest_common_subsequence(given: list[str], wanted: list[str]) -> int:
    return int(LCSseq.similarity(given, wanted))
