"""What is caught before a model sees it: responses that say nothing, and the marks of an attack on the judge.

A degenerate response (empty, a master key, pure repetition) is judged without a model: it gets the lowest reward that
the rubric can give. The other marks only raise a flag.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from judge_server.core.criterion import AnyLeaf, Group, Judged, Scale, nodes
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.judging.bounded_cache import BoundedCache
from judge_server.judging.degenerate import emptiness
from judge_server.judging.lowest import lowest_values

DEGENERATE = "degenerate"
INJECTION = "injection_suspected"
ECHO = "criteria_echo"

# (what every match contains, pattern) on text in small letters: most texts are done with a few quick searches
_MARKS = tuple(
    (anchors, re.compile(pattern, re.VERBOSE | re.DOTALL))
    for anchors, pattern in (
        (
            ("<", "["),
            r"""<\|[^|<>\n]{1,40}\|> | <｜[^<>\n]{1,40}｜> | \[/?inst\] | <</?sys>> | </?(?:start|end)_of_turn> | </?s>
            | \[(?:begin|end)\ [a-z]+\ """,
        ),
        (
            ("verdict", "criteria_met", "score", "rating", "grade"),
            r"""(?:verdict|criteria_met|score|rating|grade)["']?\s*[:=]\s*["']?(?:yes|true|met|pass|10|100|5|1\.0)\b
            | \brating:\s*\d""",
        ),
        (("[[",), r"""\[\[\s*(?:yes|[a-f]|10|\d{1,2})\s*\]\]"""),
        (
            ("ignore", "disregard", "forget", "override"),
            r"""\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|criteri|rubric|prompt|scoring|grading)""",
        ),
        (
            ("score", "mark", "points", "reward", "rating", "grade"),
            r"""\b(?:give|award|assign|grant)\b.{0,40}
            \b(?:full|maximum|highest|perfect|top)\s+(?:score|marks?|points|reward|rating|grade)""",
        ),
        (
            ("grader", "judge", "evaluator"),
            r"""\b(?:as|you\s+are)\s+(?:the|a|an)\s+(?:grader|judge|evaluator)\b""",
        ),
        (
            ("criteria",),
            r"""\ball\s+(?:the\s+)?criteria\s+(?:are|have\s+been|were)\s+(?:fully\s+)?(?:met|satisfied|fulfilled)""",
        ),
    )
)
_READ_CHARACTERS = 200_000
_STATEMENTS: BoundedCache[tuple[str, ...]] = BoundedCache(8_000_000, lambda some: sum(map(len, some)) + 100)


@dataclass(frozen=True, slots=True)
class Inspection:
    """``degenerate``: why the response is not worth a model's time, or None."""

    flags: tuple[str, ...]
    degenerate: str | None


def inspect(submission: Submission, rubric: Rubric) -> Inspection:
    """Look at a response without a model. Bounded work whatever the text."""
    text = submission.read.text[:_READ_CHARACTERS]
    cause = _degenerate(submission, rubric)
    flags = [DEGENERATE] if cause else []
    if _looks_like_an_attack(text.lower()):
        flags.append(INJECTION)
    if _echoes(text, rubric):
        flags.append(ECHO)
    return Inspection(tuple(flags), cause)


def worst_verdicts(rubric: Rubric, applicable: frozenset[str], cause: str) -> Iterator[Verdict]:
    """Verdicts that give the lowest reward the rubric can give for what applies."""
    values = lowest_values(rubric, applicable)
    for leaf in rubric.leaves:
        if leaf.id in applicable:
            yield decided(leaf, values[leaf.id], f"Not judged: {cause}. The worst value is assumed.")
        else:
            yield Verdict(criterion=leaf.id, status=VerdictStatus.NOT_APPLICABLE, source="guard", points=leaf.points)


def counted_characters(rubric: Rubric, flags: Sequence[str], characters: int) -> int:
    """The length of a response as length adjustment may read it: saying nothing earns no bonus for being short."""
    if DEGENERATE not in flags:
        return characters
    groups = [node.aggregate for node in nodes(rubric.criteria) if isinstance(node, Group)]
    adjustments = [aggregate.length_adjustment for aggregate in (rubric.aggregate, *groups)]
    return max([characters, *(ceil(adjustment.center) for adjustment in adjustments if adjustment)])


def unmet(leaf: Judged, scope: str) -> Verdict:
    """The verdict on a criterion that reads a part which the response does not have: what is not there meets nothing,
    and a judge that is shown an empty text is known to make something up."""
    worst = leaf.options[0].value if isinstance(leaf, Scale) else 0.0
    return decided(leaf, worst, f"Not asked: the response has no {scope}, so there is nothing that could meet this.")


def decided(leaf: AnyLeaf, value: float, reason: str) -> Verdict:
    """A verdict without a judge, worth ``value`` (of a scale: of one of its options)."""
    option = next((o.label for o in leaf.options if o.value == value), None) if isinstance(leaf, Scale) else None
    return Verdict(
        criterion=leaf.id,
        status=VerdictStatus.OK,
        source="guard",
        points=leaf.points,
        value=value,
        met=None if isinstance(leaf, Scale) else value,
        option=option,
        reason=reason,
    )


def _looks_like_an_attack(text: str) -> bool:
    return any(
        pattern.search(text) is not None for anchors, pattern in _MARKS if any(anchor in text for anchor in anchors)
    )


def _degenerate(submission: Submission, rubric: Rubric) -> str | None:
    read = submission.read
    if read.tool_calls:
        return None
    if not read.answer and read.reasoning and any(leaf.scope != "answer" for leaf in rubric.leaves):
        return None  # the answer's criteria find nothing, those of the reasoning have their text
    return emptiness(read.answer, submission.reference)


def _long_statements(rubric: Rubric) -> tuple[str, ...]:
    folded = (" ".join(leaf.statement.casefold().split()).rstrip(".") for leaf in rubric.leaves)
    return tuple(dict.fromkeys(statement for statement in folded if len(statement) >= 30))


def _echoes(text: str, rubric: Rubric) -> bool:
    """Whether the response recites the rubric: two or more of its longer statements, word by word."""
    statements = _STATEMENTS.get(rubric.digest, lambda: _long_statements(rubric))
    if len(text) < 60 or len(statements) < 2:
        return False
    folded = " ".join(text.casefold().split())
    return sum(statement in folded for statement in statements) >= 2
