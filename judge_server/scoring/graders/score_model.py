"""``score_model``: a judge gives a reason and then a number within the range."""

from judge_server.core.grader import ScoreModel
from judge_server.judging.answer import Reading
from judge_server.judging.reading import read_score, score_schema
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import Completion, Segment, Structured
from judge_server.scoring.graders.grader_input import GraderInput
from judge_server.scoring.graders.judge_call import Question
from judge_server.scoring.graders.judge_prompt import prompt_of


def score_question(grader: ScoreModel, material: GraderInput, judge: SingleJudge) -> Question:
    """Raises GraderFailed where a message cannot be filled."""
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
    return Question(
        prompt_of(grader.input, material, [closing], judge.writer),
        Structured(score_schema(lowest, highest), judge.specification.reason_tokens, name="score"),
        read,
    )
