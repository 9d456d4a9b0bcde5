"""``repetition``: the share of a text's word n-grams that only repeat an earlier one."""

from judge_server.core.check import RepetitionCheck
from judge_server.judging.checks import words
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import Finding, passed


def find(spec: RepetitionCheck, material: CheckInput) -> Finding:
    share = repeated_share(material.text, spec.n)
    return passed(
        share <= spec.max_ngram_share,
        f"{share:.0%} of the {spec.n}-grams are repeated, at most {spec.max_ngram_share:.0%} wanted",
    )


def repeated_share(text: str, n: int) -> float:
    """1 - distinct n-grams / n-grams, over lower-case words; 0 for a text shorter than n words."""
    said = words.words(text.lower())
    grams = list(zip(*(said[start:] for start in range(n)), strict=False))
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
