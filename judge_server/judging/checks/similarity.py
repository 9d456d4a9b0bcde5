"""``similarity``: how similar the text and the reference are, in [0, 1], by rapidfuzz, sacrebleu or counted here."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from judge_server.core.check import SimilarityCheck
from judge_server.core.extra import require
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
    """Sentence BLEU with exponential smoothing over the n-gram orders that the text has (Papineni et al. 2002). Raises
    MissingDependency without sacrebleu."""
    require("checks", "The metric bleu", "sacrebleu")
    return float(_bleu().sentence_score(given, [wanted]).score) / 100


@lru_cache(maxsize=1)
def _bleu() -> Any:
    from sacrebleu.metrics import BLEU

    return BLEU(effective_order=True)


def chrf(given: str, wanted: str) -> float:
    """chrF2: F with double weight on recall, of precision and recall averaged over runs of 1 to 6 characters other than
    white space, as far as both texts have such runs (Popović 2015)."""
    mine, theirs = "".join(given.split()), "".join(wanted.split())
    orders = range(1, min(_CHRF_ORDER, len(mine), len(theirs)) + 1)
    counts = [_shared(_runs(mine, order), _runs(theirs, order)) for order in orders]
    precision = sum(shared / given for shared, given, _ in counts) / max(len(counts), 1)
    recall = sum(shared / wanted for shared, _, wanted in counts) / max(len(counts), 1)
    weighted = _CHRF_WEIGHT * precision + recall
    return (1 + _CHRF_WEIGHT) * precision * recall / weighted if weighted else 0.0


def rouge_1(given: str, wanted: str) -> float:
    return rouge_n(given, wanted, 1)


def rouge_2(given: str, wanted: str) -> float:
    return rouge_n(given, wanted, 2)


def rouge_n(given: str, wanted: str, order: int) -> float:
    """F1 of the runs of ``order`` words that both texts have (Lin 2004)."""
    shared, mine, theirs = _shared(_runs(plain_words(given), order), _runs(plain_words(wanted), order))
    return 2 * shared / (mine + theirs) if shared else 0.0


def _runs(items: Sequence[str], order: int) -> Counter[Any]:
    """How often each run of ``order`` characters or words occurs."""
    return Counter(zip(*(items[start:] for start in range(order)), strict=False))


def _shared(mine: Counter[Any], theirs: Counter[Any]) -> tuple[int, int, int]:
    """The number of runs in both, and in each."""
    return (mine & theirs).total(), mine.total(), theirs.total()


def rouge_l(given: str, wanted: str) -> float:
    """2 LCS / (words given + words wanted)."""
    mine, theirs = plain_words(given), plain_words(wanted)
    shared = longest_common_subsequence(mine, theirs)
    return 2 * shared / (len(mine) + len(theirs)) if shared else 0.0


LONGEST_COMPARED = 20_000
_CHRF_ORDER, _CHRF_WEIGHT = 6, 4  # beta is 2
_METRICS: dict[str, Callable[[str, str], float]] = {
    "ratio": ratio,
    "token_set": token_set,
    "rouge_1": rouge_1,
    "rouge_2": rouge_2,
    "rouge_l": rouge_l,
    "bleu": bleu,
    "chrf": chrf,
}


def require_packages(spec: SimilarityCheck) -> None:
    """Raises MissingDependency if the metric's package is not installed."""
    if spec.metric == "bleu":
        require("checks", "The check similarity with the metric bleu", "sacrebleu")


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
