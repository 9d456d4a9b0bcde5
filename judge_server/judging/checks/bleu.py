"""BLEU and chrF of one sentence against one reference, by sacrebleu, in [0, 1]."""

from functools import lru_cache
from typing import Any


def bleu(given: str, wanted: str) -> float:
    """Sentence BLEU with exponential smoothing over the n-gram orders that the text has (Papineni et al. 2002)."""
    return float(_metrics()[0].sentence_score(given, [wanted]).score) / 100


def chrf(given: str, wanted: str) -> float:
    """chrF2 over character 6-grams (Popović 2015)."""
    return float(_metrics()[1].sentence_score(given, [wanted]).score) / 100


@lru_cache(maxsize=1)
def _metrics() -> tuple[Any, Any]:
    from sacrebleu.metrics import BLEU, CHRF

    return BLEU(effective_order=True), CHRF()
