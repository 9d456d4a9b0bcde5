"""In which steps of a response the passages stand that a judge quoted as its reason.

A reason quotes between marks: « », “ ”, „ “, ‘ ’, " " or ' '. What stands there is looked for in the part of the
response that the criterion reads, with any case, blanks and punctuation between its words; what is not found there is
no evidence. Each passage counts the same. One that stands in several places is divided equally among them; in more than
``MOST_PLACES``, it shows no place.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import fsum
from typing import Final

from judge_server.core.criterion import Scope, quoting
from judge_server.core.rubric import Rubric
from judge_server.core.step import Span, Step, steps_of
from judge_server.core.submission import Response, Submission
from judge_server.core.verdict import QuotedStep, Verdict

MOST_PLACES: Final = 8
_LEAST_CHARACTERS: Final = 4  # of one word alone
_MARKED: Final = re.compile(
    '«([^«»]+)»|[“„]([^“”„]+)[“”]|‘([^‘]+?)’(?!\\w)|"([^"]+)"|(?<!\\w)\'(.+?)\'(?!\\w)', re.DOTALL
)
_LEFT_OUT: Final = re.compile(r"\[?(?:\.{3,}|…)\]?")
_WORD: Final = re.compile(r"\w+")
_BETWEEN: Final = r"\W{1,12}"


def with_evidence(rubric: Rubric, submission: Submission, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, those on criteria with ``evidence: quote`` with the steps that hold what their reasons quote."""
    quoted = quoting(rubric.leaves)
    return tuple(
        _with_steps(verdict, submission.read, rubric.by_id[verdict.criterion].scope)
        if verdict.criterion in quoted and verdict.decided
        else verdict
        for verdict in verdicts
    )


def _with_steps(verdict: Verdict, response: Response, scope: Scope) -> Verdict:
    return verdict.model_copy(update={"evidence": evidence_of(verdict, response, scope)})


def evidence_of(verdict: Verdict, response: Response, scope: Scope) -> tuple[QuotedStep, ...]:
    """The steps that hold passages which the reasons of a verdict quote, in order; none if no passage is found."""
    reasons = [verdict.reason, *(opinion.reason for opinion in verdict.panel)]
    quotes = dict.fromkeys(quote for reason in reasons if reason for quote in quotes_in(reason))
    steps = _steps_in(response, scope) if quotes else ()
    places: dict[int, list[Span]] = defaultdict(list)
    found: list[Counter[int]] = []
    for words in quotes:
        passage = _pattern(words)
        counts = Counter({place: count for place, step in enumerate(steps) if (count := _count(passage, step.text))})
        if 0 < counts.total() <= MOST_PLACES:
            found.append(counts)
            for place in counts:
                places[place] += _spans(passage, steps[place], response)
    shares = {place: [counts[place] / counts.total() for counts in found] for place in places}
    return tuple(_quoted(steps[place], places[place], fsum(shares[place]) / len(found)) for place in sorted(places))


def quotes_in(reason: str) -> Iterator[tuple[str, ...]]:
    """The words of each passage that a reason quotes, in small letters; passages around "..." are two. A single short
    word is no passage."""
    for marked in _MARKED.finditer(reason):
        for part in _LEFT_OUT.split(marked[marked.lastindex or 0]):
            words = tuple(_WORD.findall(part.lower()))
            if len(words) > 1 or (words and len(words[0]) >= _LEAST_CHARACTERS):
                yield words


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){_BETWEEN.join(map(re.escape, words))}(?!\w)", re.IGNORECASE)


def _count(passage: re.Pattern[str], text: str) -> int:
    return sum(1 for _ in passage.finditer(text))


def _spans(passage: re.Pattern[str], step: Step, response: Response) -> Iterator[Span]:
    """Where a passage stands in the text that the step's span counts in; a turn's calls and tool results are not in
    it."""
    source = response.source
    text = source if isinstance(source, str) else getattr(source[step.message or 0], step.field) or ""
    return (match.span() for match in passage.finditer(text, step.start, step.end))


def _quoted(step: Step, quotes: Sequence[Span], weight: float) -> QuotedStep:
    return QuotedStep(quotes=tuple(sorted(set(quotes))), weight=weight, **step.place())


def _steps_in(response: Response, scope: Scope) -> Sequence[Step]:
    """The steps of the part that a criterion of this scope reads: those of the reasoning are followed by those of the
    answer. Turns are not divided."""
    source = response.source
    if not isinstance(source, str) and (len(source) > 1 or source[0].tool_calls or source[0].role == "tool"):
        return response.steps
    text = source if isinstance(source, str) else source[0].content
    thoughts = response.steps if response.reasoning.strip() else ()
    end = len(text.rstrip())
    first = len(thoughts)
    answer = [replace(step, index=first + step.index) for step in steps_of(text, end - len(response.answer), end)]
    if not isinstance(source, str):
        answer = [replace(step, message=0) for step in answer]
    return {"answer": answer, "reasoning": thoughts}.get(scope, (*thoughts, *answer))
