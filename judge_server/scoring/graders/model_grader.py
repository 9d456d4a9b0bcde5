"""Graders that ask a judge: ``score_model`` for a number within a range, ``label_model`` for one of its labels.

The prompt names labels by letters (numbers if there are more than 26), so that each answer is short. Label
probabilities are read if the judge's model gives them."""

import string
from collections.abc import Sequence
from math import fsum

from judge_server.core.grader import LabelModel, ScoreModel
from judge_server.judging.answer import Reading
from judge_server.judging.prompt import authored
from judge_server.judging.reading import label_reading, read_score, read_structured, score_schema, verdict_schema
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import Completion, Labels, Segment, Structured
from judge_server.scoring.graders.grader_input import GraderInput
from judge_server.scoring.graders.judge_call import GraderQuestion, prompt_of

_MOST_READ = 20  # engines return the probabilities of this many tokens


def score_question(grader: ScoreModel, material: GraderInput, judge: SingleJudge) -> GraderQuestion:
    """Raises GraderFailed if a message cannot be filled."""
    lowest, highest = grader.range

    def read(completion: Completion) -> tuple[Reading]:
        score, reason = read_score(completion, lowest, highest)
        return (Reading(score, (), reason=reason),)

    closing = Segment(
        "First give the reason in one or two short sentences that quote or name the evidence, then the score, a number "
        f'from {lowest:g} to {highest:g}.\nAnswer with JSON only: {{"reason": "...", "score": ...}}',
        "question",
        trusted=True,
    )
    return GraderQuestion(
        prompt_of(grader.input, material, [closing], judge.writer),
        Structured(score_schema(lowest, highest), judge.specification.reason_tokens, name="score"),
        read,
    )


def label_question(grader: LabelModel, material: GraderInput, judge: SingleJudge, *, direct: bool) -> GraderQuestion:
    """``direct``: by the first token's probabilities. Raises GraderFailed if a message cannot be filled."""
    words = _words(len(grader.labels))
    passing = frozenset(grader.passing_labels)
    good = [place for place, label in enumerate(grader.labels) if label in passing]
    prompt = prompt_of(grader.input, material, _closing(grader.labels, words, direct=direct), judge.writer)

    def read_direct(completion: Completion) -> tuple[Reading]:
        return (label_reading(completion, words, [float(label in passing) for label in grader.labels]),)

    def read_spoken(completion: Completion) -> tuple[Reading]:
        (said,) = read_structured(completion, [words])
        shares = tuple(1.0 if word == said.label else 0.0 for word in words)
        return (Reading(fsum(shares[place] for place in good), shares, reason=said.reason),)

    if direct:
        return GraderQuestion(prompt, Labels(words), read_direct)
    answer = Structured(verdict_schema([words]), judge.specification.reason_tokens, name="label")
    return GraderQuestion(prompt, answer, read_spoken)


def reads_directly(grader: LabelModel, judge: SingleJudge) -> bool:
    return judge.mode == "direct" and len(grader.labels) <= _MOST_READ


def _words(count: int) -> tuple[str, ...]:
    letters = string.ascii_uppercase
    return tuple(letters[:count]) if count <= len(letters) else tuple(str(number) for number in range(1, count + 1))


def _closing(labels: Sequence[str], words: Sequence[str], *, direct: bool) -> list[Segment]:
    segments = [_ours("Which label fits best?\n")]
    for word, label in zip(words, labels, strict=True):
        segments += [_ours(f"{word}. "), authored(label, "question"), _ours("\n")]
    if direct:
        return [*segments, _ours(f"Answer with exactly one of: {', '.join(words)}.")]
    return [
        *segments,
        _ours(
            "First give the reason in one or two short sentences that quote or name the evidence, then the label's "
            f'letter or number.\nAnswer with JSON only: {{"reason": "...", "verdict": "{words[0]}|{words[1]}|..."}}'
        ),
    ]


def _ours(text: str) -> Segment:
    return Segment(text, "question", trusted=True)
