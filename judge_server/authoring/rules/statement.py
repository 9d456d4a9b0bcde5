"""Rules on the wording of statements."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import combinations

from judge_server.authoring.finding import Severity
from judge_server.authoring.rule import Remark, binaries, judged, leaves_of, located, rule
from judge_server.authoring.rules.wording import (
    COMPOUND,
    ELSEWHERE,
    INVISIBLE,
    NEGATED,
    REFERENCE,
    VAGUE,
    words,
)
from judge_server.core.criterion import AnyLeaf, Binary, Choice, Group
from judge_server.core.rubric import Rubric

_LONGEST_WORDS = 60
_NEARLY_THE_SAME = 0.85
_MOST_COMPARED = 200


@rule("compound-statement", Severity.WARNING)
def compound_statement(rubric: Rubric) -> Iterable[Remark]:
    """A binary statement makes two demands ("explains A and recommends B"). A response that meets one of them has no
    right verdict, judges differ on it, and a policy learns to satisfy the easier half."""
    for path, criterion in binaries(rubric):
        if found := COMPOUND.search(criterion.statement):
            yield Remark(
                (*path, "statement"),
                f"two demands in one statement ({found.group().strip()!r})",
                "make a criterion of each",
            )


@rule("vague-wording", Severity.WARNING)
def vague_wording(rubric: Rubric) -> Iterable[Remark]:
    """A word that leaves the decision to the judge's taste ("appropriate", "good", "etc."). Experts disagree on such
    statements; examples of both verdicts, or anchors on every option of a scale, take the vagueness out."""
    for path, criterion in judged(rubric):
        if _is_anchored(criterion):
            continue
        found = sorted({match.group().strip().lower() for match in VAGUE.finditer(criterion.statement)})
        if found:
            yield Remark(
                (*path, "statement"),
                f"vague wording: {', '.join(found)}",
                "say what can be seen in the text, or add examples of both verdicts",
            )


def _is_anchored(criterion: Binary | Choice) -> bool:
    if isinstance(criterion, Choice):
        return all(option.description for option in criterion.options)
    return {example.met for example in criterion.examples} == {True, False}


@rule("duplicate-statement", Severity.WARNING)
def duplicate_statement(rubric: Rubric) -> Iterable[Remark]:
    """Two criteria that say the same under the same conditions count one thing twice. Identical ones are an error."""
    entries = [(path, leaf, words(leaf.statement)) for path, leaf in leaves_of(rubric) if leaf.statement]
    first_of: dict[tuple[str, ...], AnyLeaf] = {}
    for path, leaf, found in entries:
        first = first_of.setdefault(tuple(found), leaf)
        if first is not leaf and _comparable(first, leaf):
            message = f"the same statement as {first.id!r}"
            yield Remark((*path, "statement"), message, "remove one of the two", Severity.ERROR)
    if len(entries) > _MOST_COMPARED:
        return  # comparing all pairs of a large rubric would take seconds
    for (_, one, one_words), (path, two, two_words) in combinations(entries, 2):
        if one_words != two_words and _comparable(one, two) and _nearly_the_same(one_words, two_words):
            message = f"almost the same statement as {one.id!r}"
            yield Remark((*path, "statement"), message, "remove one, or word the difference clearly")


def _comparable(first: AnyLeaf, second: AnyLeaf) -> bool:
    if first.when != second.when or first.scope != second.scope:
        return False
    return getattr(first, "check", None) == getattr(second, "check", None)


def _nearly_the_same(one: list[str], two: list[str]) -> bool:
    shared = len(set(one) & set(two))
    if shared < 0.7 * len(set(one) | set(two)):
        return False
    return SequenceMatcher(None, one, two, autojunk=False).ratio() >= _NEARLY_THE_SAME


@rule("double-negative", Severity.WARNING)
def double_negative(rubric: Rubric) -> Iterable[Remark]:
    """Negative points on a negated statement ("does not ask about allergies", -5): met then means a bad absence, and
    judges as well as authors get the sign wrong. Write what should be there, with positive points."""
    for path, criterion in judged(rubric):
        if criterion.points < 0 and (found := NEGATED.match(criterion.statement)):
            yield Remark(
                (*path, "statement"),
                f"negative points on a negated statement ({found.group().strip()!r})",
                "state the good behaviour and give it positive points, or name the bad thing as present",
            )


@rule("negated-statement", Severity.INFO)
def negated_statement(rubric: Rubric) -> Iterable[Remark]:
    """Positive points for an absence ("does not recommend antibiotics"): an empty answer earns them. Consider the
    presence of the bad thing with negative points."""
    for path, criterion in judged(rubric):
        if criterion.points > 0 and (found := NEGATED.match(criterion.statement)):
            yield Remark(
                (*path, "statement"),
                f"positive points for an absence ({found.group().strip()!r}): an empty answer earns them",
                "state the bad thing as present and give it negative points",
            )


@rule("question-statement", Severity.WARNING)
def question_statement(rubric: Rubric) -> Iterable[Remark]:
    """A binary criterion is a statement that is true or false of the response; a question invites a free answer."""
    for path, criterion in binaries(rubric):
        if criterion.statement.rstrip().endswith("?"):
            yield Remark((*path, "statement"), "a binary criterion is written as a question", "write it as a statement")


@rule("long-statement", Severity.WARNING)
def long_statement(rubric: Rubric) -> Iterable[Remark]:
    """More than 60 words: the judge weighs parts of it against each other, and it probably holds several demands."""
    for path, criterion in judged(rubric):
        if (count := len(words(criterion.statement))) > _LONGEST_WORDS:
            yield Remark(
                (*path, "statement"), f"{count} words in one statement", "split it, or move detail to examples"
            )


@rule("refers-elsewhere", Severity.WARNING)
def refers_elsewhere(rubric: Rubric) -> Iterable[Remark]:
    """The judge sees the conversation, the response and this one criterion. "As above" or "criterion 3" points at
    something that it cannot see."""
    for path, criterion in judged(rubric):
        if found := ELSEWHERE.search(criterion.statement):
            yield Remark(
                (*path, "statement"),
                f"{found.group().strip()!r} points at something that the judge cannot see",
                "write it out; each criterion is judged alone",
            )


@rule("reference-not-shown", Severity.WARNING)
def reference_not_shown(rubric: Rubric) -> Iterable[Remark]:
    """The statement speaks of the reference, but ``reference`` is none: the judge is not shown it."""
    for path, criterion in judged(rubric):
        if criterion.reference == "none" and (found := REFERENCE.search(criterion.statement)):
            yield Remark(
                (*path, "statement"),
                f"{found.group()!r} is mentioned, but the judge is not shown the reference",
                "add reference: required or reference: optional",
            )


@rule("reference-not-mentioned", Severity.INFO)
def reference_not_mentioned(rubric: Rubric) -> Iterable[Remark]:
    """``reference: required``, yet the statement does not say what the reference is to be compared with."""
    for path, criterion in judged(rubric):
        if criterion.reference == "required" and not REFERENCE.search(criterion.statement):
            yield Remark(
                (*path, "statement"),
                "the reference is required but the statement does not mention it",
                "say how the response relates to the reference",
            )


@rule("invisible-characters", Severity.WARNING)
def invisible_characters(rubric: Rubric) -> Iterable[Remark]:
    """Zero-width or direction-changing characters: the judge reads another text than the reviewer sees."""
    for path, node in located(rubric):
        if found := INVISIBLE.search(node.statement):
            code = f"U+{ord(found.group()):04X}"
            yield Remark((*path, "statement"), f"the invisible character {code} stands in the statement", "remove it")


@rule("group-without-statement", Severity.INFO)
def group_without_statement(rubric: Rubric) -> Iterable[Remark]:
    """A group without a statement reads as a bare id in reports."""
    for path, node in located(rubric):
        if isinstance(node, Group) and not node.statement:
            yield Remark(path, f"the group {node.id!r} has no statement", "say in a line what its criteria share")


RULES = (
    compound_statement,
    vague_wording,
    duplicate_statement,
    double_negative,
    negated_statement,
    question_statement,
    long_statement,
    refers_elsewhere,
    reference_not_shown,
    reference_not_mentioned,
    invisible_characters,
    group_without_statement,
)
