"""Scores of a judgment under any rubric."""

from datetime import UTC, datetime

from judge_server.core.judgment import Judgment
from judge_server.evaluation.scored_response import reward_scores


def judgment(reward, **components):
    status = "failed" if reward is None else "ok"
    return Judgment(
        id="j", reward=reward, status=status, coverage=1, components=components, created_at=datetime.now(UTC)
    )


def test_the_reward_is_the_overall_score_and_that_of_the_row_s_tags():
    found = reward_scores(judgment(0.4, clarity=0.9, unknown=None), ["hard"])
    assert found == {"overall": 0.4, "hard": 0.4, "clarity": 0.9}


def test_without_a_reward_there_is_no_score():
    assert reward_scores(judgment(None, clarity=0.9), ["hard"]) == {}
