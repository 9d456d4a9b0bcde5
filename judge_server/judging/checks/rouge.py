"""ROUGE F1 (Lin 2004). The n-grams are compared by rouge-score; its longest common subsequence is quadratic in Python,
so that of ROUGE-L is rapidfuzz's. Words are ``plain_words``, which are rouge-score's own on plain English text."""

from functools import lru_cache
from typing import Any

from judge_server.judging.checks.fuzzy import longest_common_subsequence
from judge_server.judging.checks.words import plain_words


class _Words:
    def tokenize(self, text: str) -> list[str]:
        return plain_words(text)


def rouge_1(given: str, wanted: str) -> float:
    return rouge_n(given, wanted, 1)


def rouge_2(given: str, wanted: str) -> float:
    return rouge_n(given, wanted, 2)


def rouge_n(given: str, wanted: str, order: int) -> float:
    """Of runs of ``order`` words, 1 to 9."""
    return float(_scorer(order).score(wanted, given)[f"rouge{order}"].fmeasure)


def rouge_l(given: str, wanted: str) -> float:
    """2 LCS / (words given + words wanted)."""
    mine, theirs = plain_words(given), plain_words(wanted)
    shared = longest_common_subsequence(mine, theirs)
    return 2 * shared / (len(mine) + len(theirs)) if shared else 0.0


@lru_cache(maxsize=9)
def _scorer(order: int) -> Any:
    """Importing rouge-score takes seconds, so it waits for the first use."""
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([f"rouge{order}"], tokenizer=_Words())
