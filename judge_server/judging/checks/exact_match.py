"""``exact_match``: the answer, or what is extracted from it, equals the reference."""

import re

from judge_server.core.check import ExactMatchCheck
from judge_server.judging.checks import pattern
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import Finding, passed, quoted
from judge_server.util.compatibility_form import compatibility_form

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NOT_A_WORD = re.compile(r"[\W_]+")


def prepare(spec: ExactMatchCheck) -> None:
    pattern.check_extract(spec.extract)


def find(spec: ExactMatchCheck, material: CheckInput) -> Finding:
    wanted = spec.against or (material.compared_with(spec, None),)
    given = material.text if spec.extract is None else pattern.last(spec.extract, material.text)
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
    evaluation, Rajpurkar et al. 2016). A text of nothing else is kept as it is, in lower case."""
    folded = compatibility_form(text).casefold()
    bare = _NOT_A_WORD.sub(" ", folded)
    return " ".join(_ARTICLES.sub(" ", bare).split()) or " ".join(folded.split())
