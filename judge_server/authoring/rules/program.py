"""Rules on programmatic checks."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import re2

from judge_server.authoring.finding import Path, Severity
from judge_server.authoring.rule import Remark, leaves_of, rule
from judge_server.core.check import (
    CheckBase,
    CitationsCheck,
    ContainsCheck,
    Count,
    ExactMatchCheck,
    LengthCheck,
    MathCheck,
    MentionsCheck,
    NumericCheck,
    RegexCheck,
    RepetitionCheck,
    SameNumbersCheck,
    SimilarityCheck,
    ToolSchemaCheck,
)
from judge_server.core.criterion import CheckCriterion
from judge_server.core.rubric import Rubric

_COMPARING = (
    ExactMatchCheck, NumericCheck, MathCheck, SimilarityCheck, MentionsCheck, SameNumbersCheck, ToolSchemaCheck,
)  # fmt: skip
_FEW_WORDS = 3
_UNRELATED = ("x", "42", "A fox.", "¿Qué?\n-", "{}")


def _checks(rubric: Rubric) -> Iterator[tuple[Path, CheckCriterion]]:
    return ((path, leaf) for path, leaf in leaves_of(rubric) if isinstance(leaf, CheckCriterion))


@rule("broad-regex", Severity.WARNING)
def broad_regex(rubric: Rubric) -> Iterable[Remark]:
    """A pattern that every text matches decides nothing."""
    for path, criterion in _checks(rubric):
        check = criterion.check
        if (
            isinstance(check, RegexCheck)
            and check.count.max is None
            and not check.negate
            and _matches_anything(check.pattern)
        ):
            message = f"the pattern {check.pattern!r} matches every text"
            yield Remark((*path, "check", "pattern"), message, "require some text of the thing that is looked for")


def _matches_anything(pattern: str) -> bool:
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Any = re2.compile(pattern, options)
    except re2.error:
        return False  # which the checks themselves refuse
    return all(compiled.search(text) for text in _UNRELATED)


@rule("always-passes", Severity.WARNING)
def always_passes(rubric: Rubric) -> Iterable[Remark]:
    """The check's bounds allow every response."""
    for path, criterion in _checks(rubric):
        if _passes_everything(criterion.check) and not criterion.check.negate:
            yield Remark((*path, "check"), "every response passes this check", "set a bound that some fail")


def _passes_everything(check: CheckBase) -> bool:
    match check:
        case LengthCheck(min=None | 0, max=None) | CitationsCheck(min=0, max=None) | RepetitionCheck(max_ngram_share=1):
            return True
        case SimilarityCheck(min=0) | RegexCheck(count=Count(min=0, max=None)):
            return True
    return False


@rule("check-without-reference", Severity.WARNING)
def check_without_reference(rubric: Rubric) -> Iterable[Remark]:
    """The check compares with the submission's reference, but ``reference`` is none: a submission that brings no
    reference is noticed only when it is scored."""
    for path, criterion in _checks(rubric):
        check = criterion.check
        compares = isinstance(check, _COMPARING) or (isinstance(check, CitationsCheck) and check.resolve)
        if compares and criterion.reference == "none" and getattr(check, "against", None) in (None, ()):
            message = f"{check.kind} compares with the reference, which the criterion does not ask for"
            yield Remark((*path, "check"), message, "add reference: required, or give against:")


@rule("check-without-statement", Severity.INFO)
def check_without_statement(rubric: Rubric) -> Iterable[Remark]:
    """Reports show the statement; without one a reader has to decipher the check."""
    for path, criterion in _checks(rubric):
        if not criterion.statement.strip():
            yield Remark(path, f"the check {criterion.id!r} has no statement", "say in words what it checks")


_ENGLISH = re.compile(r"(?<![\\\w])[A-Za-z]{4,}(?![\w(:])")


@rule("english-only-check", Severity.INFO)
def english_only_check(rubric: Rubric) -> Iterable[Remark]:
    """The check looks for English words, and nothing limits it to English answers: in other languages it decides
    blindly."""
    for path, criterion in _checks(rubric):
        check = criterion.check
        words = " ".join(getattr(check, "any", ()) or ()) if isinstance(check, ContainsCheck) else ""
        words = check.pattern if isinstance(check, RegexCheck) else words
        limited = any(fact.endswith("language") for fact in criterion.when) or "English" in criterion.statement
        if not limited and len(set(_ENGLISH.findall(words))) >= _FEW_WORDS:
            message = "the check looks for English words in answers of any language"
            yield Remark((*path, "check"), message, "add a condition on a fact such as language, or say English")


RULES = (broad_regex, always_passes, check_without_reference, check_without_statement, english_only_check)
