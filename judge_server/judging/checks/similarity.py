"""``similarity``: how similar the text and the reference are, in [0, 1], by rapidfuzz, sacrebleu or rouge-score."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from judge_server.core.check import SimilarityCheck
from judge_server.judging.checks.interface import CheckFinding, CheckInput
from judge_server.judging.checks.words import plain_words


def ratio(given: str, wanted: str) -> float:
    """Normalised indel similarity in [0, 1]."""
    return fuzz.ratio(given, wanted) / 100


def token_set(given: str, wanted: str) -> float:
    """The best ratio between the shared words and either text's words, in [0, 1], without regard to case and order."""
    return fuzz.token_set_ratio(given.casefold(), wanted.casefold()) / 100


def longest_common_subsequence(given: list[str], wanted: list[str]) -> int:
    return int(LCSseq.similarity(given, wanted))


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


class _RougeTokenizer:
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

    return RougeScorer([f"rouge{order}"], tokenizer=_RougeTokenizer())


LONGEST_COMPARED = 20_000
_METRICS: dict[str, Callable[[str, str], float]] = {
    "ratio": ratio,
    "token_set": token_set,
    "rouge_1": rouge_1,
    "rouge_2": rouge_2,
    "rouge_l": rouge_l,
    "bleu": bleu,
    "chrf": chrf,
}


def find_similarity(spec: SimilarityCheck, check_input: CheckInput) -> CheckFinding:
    wanted = check_input.compared_with(spec, spec.against)
    value = similarity(spec.metric, check_input.text, wanted)
    cut = max(len(check_input.text), len(wanted)) > LONGEST_COMPARED
    note = f" (of the first {LONGEST_COMPARED} characters)" if cut else ""
    if spec.min is None:
        return CheckFinding(value, f"{spec.metric} {value:.3f}{note}")
    met = value >= spec.min
    return CheckFinding(1.0 if met else 0.0, f"{spec.metric} {value:.3f}{note}, at least {spec.min:g} wanted")


def similarity(metric: str, given: str, wanted: str) -> float:
    """In [0, 1]. The metrics take more than linear time, so the first ``LONGEST_COMPARED`` characters are compared."""
    value = _METRICS[metric](given[:LONGEST_COMPARED].strip(), wanted[:LONGEST_COMPARED].strip())
    return min(1.0, max(0.0, value))
