"""``text_similarity``: how alike two texts are, in [0, 1]."""

import asyncio
from collections.abc import Callable
from functools import partial

from judge_server.core.grader import Metric, TextSimilarity
from judge_server.judging.checks import bleu, fuzzy, rouge
from judge_server.judging.checks.similarity import LONGEST_COMPARED
from judge_server.judging.checks.words import plain_words
from judge_server.scoring.graders import overlap
from judge_server.scoring.graders.grader_input import GraderInput


def _of_words(metric: Callable[[overlap.Words, overlap.Words], float]) -> Callable[[str, str], float]:
    return lambda given, wanted: metric(plain_words(given), plain_words(wanted))


_METRICS: dict[Metric, Callable[[str, str], float]] = {
    "cosine": _of_words(overlap.cosine),
    "fuzzy_match": fuzzy.ratio,
    "bleu": bleu.bleu,
    "gleu": _of_words(overlap.gleu),
    "meteor": _of_words(overlap.meteor),
    "rouge_1": partial(rouge.rouge_n, order=1),
    "rouge_2": partial(rouge.rouge_n, order=2),
    "rouge_3": partial(rouge.rouge_n, order=3),
    "rouge_4": partial(rouge.rouge_n, order=4),
    "rouge_5": partial(rouge.rouge_n, order=5),
    "rouge_l": rouge.rouge_l,
}


async def measure_similarity(grader: TextSimilarity, material: GraderInput) -> float:
    """Computed on a thread. Raises GraderFailed where a template cannot be filled."""
    given, wanted = material.text(grader.input), material.text(grader.reference)
    return await asyncio.to_thread(similarity, grader.evaluation_metric, given, wanted)


def similarity(metric: Metric, given: str, wanted: str) -> float:
    """Some metrics take more than linear time, so the first ``LONGEST_COMPARED`` characters are compared."""
    value = _METRICS[metric](given[:LONGEST_COMPARED].strip(), wanted[:LONGEST_COMPARED].strip())
    return min(1.0, max(0.0, value))
