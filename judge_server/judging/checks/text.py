"""Checks that read the text unchanged: ``contains``, ``regex``, ``exact_match``, ``length`` and ``repetition``."""

import re
from collections.abc import Callable

from judge_server.core.check import ContainsCheck, ExactMatchCheck, LengthCheck, RegexCheck, RepetitionCheck
from judge_server.judging.checks import pattern, words
from judge_server.judging.checks.interface import CheckFinding, CheckInput, counted, passed, quoted
from judge_server.util.compatibility_form import compatibility_form


def find_contains(spec: ContainsCheck, check_input: CheckInput) -> CheckFinding:
    text = check_input.text.casefold() if spec.ignore_case else check_input.text

    def stands(wanted: str) -> bool:
        return (wanted.casefold() if spec.ignore_case else wanted) in text

    missing = next((wanted for wanted in spec.all if not stands(wanted)), None)
    if missing is not None:
        return passed(False, f"{quoted(missing)} is missing")
    present = next((wanted for wanted in spec.none if stands(wanted)), None)
    if present is not None:
        return passed(False, f"{quoted(present)} is in the text and should not be")
    if spec.any:
        one = next((wanted for wanted in spec.any if stands(wanted)), None)
        if one is None:
            return passed(False, f"none of {len(spec.any)} texts was found, {quoted(spec.any[0])} among them")
        return passed(True, f"{quoted(one)} was found")
    return passed(True, "every wanted text was found" if spec.all else "none of the unwanted texts was found")


def prepare_regex(spec: RegexCheck) -> None:
    pattern.check(spec.pattern, spec.flags)


def find_regex(spec: RegexCheck, check_input: CheckInput) -> CheckFinding:
    least, most = spec.count.least, spec.count.max
    limit = (least if most is None else most + 1) or 1
    number = pattern.count(spec.pattern, spec.flags, check_input.text, limit)
    if (least, most) == (1, None):
        return passed(number > 0, "the pattern was found" if number else "the pattern was not found")
    return counted(number, "matches of the pattern", least, most)


_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NOT_A_WORD = re.compile(r"[\W_]+")


def prepare_exact_match(spec: ExactMatchCheck) -> None:
    pattern.check_extract(spec.extract)


def find_exact_match(spec: ExactMatchCheck, check_input: CheckInput) -> CheckFinding:
    wanted = spec.against or (check_input.compared_with(spec, None),)
    given = check_input.text if spec.extract is None else pattern.last(spec.extract, check_input.text)
    if given is None:
        return passed(False, "the extraction pattern was not found")
    met = any(_same(given, text, spec.normalize) for text in wanted)
    return passed(met, f"{quoted(given)} {'equals' if met else 'is not'} {quoted(wanted[0])}")


def _same(given: str, wanted: str, normalize: bool) -> bool:
    if not normalize:
        return given.strip() == wanted.strip()
    return normalized(given) == normalized(wanted)


def normalized(text: str) -> str:
    """Compatibility form, lower case, without English articles, punctuation and surplus white space (after SQuAD's
    evaluation, Rajpurkar et al. 2016). A text with nothing else is only lower-cased."""
    folded = compatibility_form(text).casefold()
    bare = _NOT_A_WORD.sub(" ", folded)
    return " ".join(_ARTICLES.sub(" ", bare).split()) or " ".join(folded.split())


_MEASURES: dict[str, Callable[[str], int]] = {
    "characters": len,
    "words": lambda text: len(words.words(text)),
    "tokens": lambda text: len(words.tokens(text)),
    "sentences": lambda text: len(words.sentences(text)),
    "paragraphs": lambda text: len(words.paragraphs(text)),
    "lines": lambda text: len(words.lines(text)),
}


def find_length(spec: LengthCheck, check_input: CheckInput) -> CheckFinding:
    length = _MEASURES[spec.unit](check_input.text)
    plain = counted(length, spec.unit, spec.min or 0, spec.max)
    return CheckFinding(_grade(length, spec.min, spec.max), plain.reason) if spec.graded else plain


def _grade(length: int, least: int | None, most: int | None) -> float:
    """1 inside the bounds, falling linearly to 0 at half the minimum and at twice the maximum."""
    if least is not None and length < least:
        return max(0.0, 2 * length / least - 1)
    if most is not None and length > most:
        return max(0.0, 2 - length / most) if most else 0.0
    return 1.0


def find_repetition(spec: RepetitionCheck, check_input: CheckInput) -> CheckFinding:
    share = repeated_share(check_input.text, spec.n)
    return passed(
        share <= spec.max_ngram_share,
        f"{share:.0%} of the {spec.n}-grams are repeated, at most {spec.max_ngram_share:.0%} wanted",
    )


def repeated_share(text: str, n: int) -> float:
    """1 - distinct n-grams / n-grams, over lower-case words; 0 for a text shorter than n words."""
    said = words.words(text.lower())
    grams = list(zip(*(said[start:] for start in range(n)), strict=False))
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
