"""Correct answers that look degenerate, which the guard must not refuse. Needs no model."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from judge_server.attack.genuine_answers import signs, words
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.guard import guard

RIGHT_ANSWER = Rubric.model_validate(
    {
        "id": "attack/genuine",
        "version": "1.0.0",
        "title": "Right answers",
        "criteria": [{"id": "right", "statement": "Gives the right answer to the question."}],
    }
)


class GenuineAnswer(Frozen):
    """A question with a correct answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """How a guard treated genuine answers. ``flagged``: answers with a flag that were not refused."""

    answers: int
    refused: tuple[GenuineAnswer, ...]
    flagged: int


@lru_cache(maxsize=1)
def genuine_answers() -> tuple[GenuineAnswer, ...]:
    """The bundled set: the same in every run, without duplicates."""
    pairs = (pair for kind in (signs, words) for pair in kind.pairs())
    return tuple(GenuineAnswer(question=question, answer=answer) for question, answer in dict.fromkeys(pairs))


def refusals(
    answers: Iterable[GenuineAnswer],
    rubric: Rubric | None = None,
    inspect: Callable[[Submission, Rubric], guard.Inspection] = guard.inspect,
) -> Refusals:
    """The answers that the guard refuses under a rubric. No reference is given: it would exempt any answer like it."""
    count = flagged = 0
    refused: list[GenuineAnswer] = []
    for one in answers:
        count += 1
        seen = inspect(Submission(prompt=one.question, response=one.answer), rubric or RIGHT_ANSWER)
        if seen.refused is not None:
            refused.append(one)
        elif seen.flags:
            flagged += 1
    return Refusals(count, tuple(refused), flagged)
