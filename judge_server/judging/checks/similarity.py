"""``similarity``: how alike the text and the reference are, in [0, 1]."""

from collections.abc import Callable

from judge_server.core.check import SimilarityCheck
from judge_server.judging.checks import bleu, fuzzy, rouge
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import Finding

LONGEST_COMPARED = 20_000
_METRICS: dict[str, Callable[[str, str], float]] = {
    "ratio": fuzzy.ratio,
    "token_set": fuzzy.token_set,
    "rouge_1": rouge.rouge_1,
    "rouge_2": rouge.rouge_2,
    "rouge_l": rouge.rouge_l,
    "bleu": bleu.bleu,
    "chrf": bleu.chrf,
}


def find(spec: SimilarityCheck, material: CheckInput) -> Finding:
    wanted = material.compared_with(spec, spec.against)
    value = similarity(spec.metric, material.text, wanted)
    cut = max(len(material.text), len(wanted)) > LONGEST_COMPARED
    note = f" (of the first {LONGEST_COMPARED} characters)" if cut else ""
    if spec.min is None:
        return Finding(value, f"{spec.metric} {value:.3f}{note}")
    met = value >= spec.min
    return Finding(1.0 if met else 0.0, f"{spec.metric} {value:.3f}{note}, at least {spec.min:g} wanted")


def similarity(metric: str, given: str, wanted: str) -> float:
    """In [0, 1]. The metrics take more than linear time, so the first ``LONGEST_COMPARED`` characters are compared."""
    value = _METRICS[metric](given[:LONGEST_COMPARED].strip(), wanted[:LONGEST_COMPARED].strip())
    return min(1.0, max(0.0, value))
