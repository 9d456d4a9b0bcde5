"""What is caught before a model sees it: responses that say nothing, and the marks of an attack on the judge.

A degenerate response (empty, a master key, pure repetition) is judged without a model: every criterion takes its
worst value.
Master keys: Zhao et al., "One Token to Fool LLM-as-a-Judge" (2507.08794). The other marks only raise a flag.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Verdict, VerdictStatus

DEGENERATE = "degenerate"
INJECTION = "injection_suspected"
ECHO = "criteria_echo"

_MASTER_KEYS = frozenset(
    {
        "thought process",
        "thinking process",
        "lets solve this problem step by step",
        "let us solve this problem step by step",
        "lets think step by step",
        "solution",
        "the solution",
        "answer",
        "the answer",
        "final answer",
        "解",
        "解答",
        "かいせつ",
        "解説",
        "respuesta",
        "respuesta final",
        "réponse",
        "lösung",
        "antwort",
        "решение",
        "ответ",
    }
)
_CONTROL = re.compile(
    r"""<\|[^|<>\n]{1,40}\|>|<｜[^<>\n]{1,40}｜>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|</?s>
    |\[(?:BEGIN|END)\ [A-Z]+\ """,
    re.VERBOSE,
)
_READY_VERDICT = re.compile(
    r"""["']?(?:verdict|criteria_met|score|rating|grade)["']?\s*[:=]\s*["']?(?:yes|true|met|pass|10|100|5|1\.0)\b
    |\[\[\s*(?:yes|[a-f]|10|\d{1,2})\s*\]\]
    |\brating:\s*\d""",
    re.IGNORECASE | re.VERBOSE,
)
_PLEA = re.compile(
    r"""\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|criteri|rubric|prompt|scoring|grading)
    |\b(?:give|award|assign|grant)\b.{0,40}\b(?:full|maximum|highest|perfect|top)\s+(?:score|marks?|points|reward|rating|grade)
    |\b(?:as|you\s+are)\s+(?:the|a|an)\s+(?:grader|judge|evaluator)\b
    |\ball\s+(?:the\s+)?criteria\s+(?:are|have\s+been|were)\s+(?:fully\s+)?(?:met|satisfied|fulfilled)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_READ_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class Inspection:
    """``degenerate``: why the response is not worth a model's time, or None."""

    flags: tuple[str, ...]
    degenerate: str | None


def inspect(submission: Submission, rubric: Rubric) -> Inspection:
    """Look at a response without a model. Bounded work whatever the text."""
    text = submission.read.text[:_READ_CHARACTERS]
    cause = _degenerate(submission)
    flags = [DEGENERATE] if cause else []
    if _CONTROL.search(text) or _READY_VERDICT.search(text) or _PLEA.search(text):
        flags.append(INJECTION)
    if _echoes(text, rubric):
        flags.append(ECHO)
    return Inspection(tuple(flags), cause)


def worst_verdicts(rubric: Rubric, applicable: frozenset[str], cause: str) -> Iterator[Verdict]:
    """Verdicts that give the lowest reward the rubric can give for what applies."""
    for leaf in rubric.leaves:
        if leaf.id not in applicable:
            yield Verdict(criterion=leaf.id, status=VerdictStatus.NOT_APPLICABLE, source="guard", points=leaf.points)
            continue
        yield Verdict(
            criterion=leaf.id,
            status=VerdictStatus.OK,
            source="guard",
            points=leaf.points,
            value=rubric.worst_values[leaf.id],
            reason=f"Not judged: {cause}. The worst value is assumed.",
        )


def _degenerate(submission: Submission) -> str | None:
    read = submission.read
    if read.tool_calls:
        return None
    answer = read.answer
    if submission.reference is not None and _bare(answer) == _bare(submission.reference) != "":
        return None
    if not answer.strip():
        return "the response has no answer"
    bare = _bare(answer)
    if not bare:
        return "the response has no letter, digit or symbol of content"
    if bare in _MASTER_KEYS:
        return "the response is an opening phrase without content"
    return "the response repeats one piece of text" if _is_repetition(answer) else None


def _bare(text: str) -> str:
    """Letters, digits, symbols and single spaces, case folded: what is left when punctuation is taken away."""
    kept = []
    for character in unicodedata.normalize("NFKC", text[:_READ_CHARACTERS]).casefold():
        kind = unicodedata.category(character)[0]
        if kind in "LNSM":
            kept.append(character)
        elif kind == "Z" or character in "\t\r\n":
            kept.append(" ")
    return " ".join("".join(kept).split())


def _is_repetition(text: str) -> bool:
    """Whether a text of some length is one short unit said again and again."""
    words = text[:_READ_CHARACTERS].split()
    if len(words) >= 12:
        return len({word.casefold() for word in words}) <= max(2, len(words) // 50)
    squeezed = "".join(words)
    return len(squeezed) >= 24 and len(set(squeezed.casefold())) <= 2


def _echoes(text: str, rubric: Rubric) -> bool:
    """Whether the response recites the rubric: two or more of its longer statements, word by word."""
    folded = " ".join(text.casefold().split())
    statements = (" ".join(leaf.statement.casefold().split()).rstrip(".") for leaf in rubric.leaves)
    return sum(len(statement) >= 30 and statement in folded for statement in statements) >= 2
