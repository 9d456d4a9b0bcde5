import pytest

from judge_client import JudgeFailed, Sample
from judge_client.adapters.decoded import DecodedRewarder
from judge_client.errors import UnknownJudge, UnknownRubric
from tests.client.adapters.telling import (
    ANSWERED,
    FAILING,
    GOOD,
    QUESTION,
    RENDERED,
    RUBRIC,
    UNUSABLE,
    settings,
    telling,
)


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


def test_the_server_takes_the_template_apart(served):
    url, judge = served
    (scored,) = DecodedRewarder(**settings(url)).score([Sample(RENDERED, f"{GOOD}<|im_end|>")])
    assert scored.reward == pytest.approx(0.9)
    assert scored.metrics == {
        "coverage": 1.0, "partial": 0.0, "flagged": 0.0, "judge_failed": 0.0, "judge_substituted": 0.0
    }  # fmt: skip
    assert QUESTION in str(judge.bodies[-1])
    assert "im_" not in str(judge.bodies[-1])


async def test_samples_fail_one_by_one(served):
    samples = [Sample(RENDERED, GOOD), *(Sample(RENDERED, response) for response in ANSWERED.values())]
    rewarder = DecodedRewarder(**settings(served[0], on_failure="drop"))
    for scored in (rewarder.score(samples), await rewarder.ascore(samples)):
        assert [one.failure for one in scored] == [None, *(UNUSABLE[fault] for fault in ANSWERED)]
    assert rewarder.counts["dropped"] == 2 * len(ANSWERED)


async def test_a_judge_that_is_late_fails_the_sample(served):
    sample = [Sample(RENDERED, FAILING["timeout"])]
    rewarder = DecodedRewarder(**settings(served[0], "timeout", on_failure="drop"))
    for scored in (rewarder.score(sample), await rewarder.ascore(sample)):
        assert [one.failure for one in scored] == ["timeout"]


def test_a_sample_that_cannot_be_judged_is_treated_by_the_policy(served):
    bad = Sample(RENDERED, GOOD, rubric={"id": "broken"})
    rewarder = DecodedRewarder(**settings(served[0], on_failure=-1))
    rewarder.score([Sample(RENDERED, GOOD)])
    (scored,) = rewarder.score([bad])
    assert (scored.reward, scored.substituted) == (-1.0, True)
    with pytest.raises(JudgeFailed):
        DecodedRewarder(**settings(served[0])).score([bad])


def test_a_rubric_or_judge_of_the_run_that_nobody_knows_is_raised_whatever_the_policy(served):
    with pytest.raises(UnknownRubric):
        DecodedRewarder(**settings(served[0], rubric="a/b", on_failure=0)).score([Sample(RENDERED, GOOD)])
    with pytest.raises(UnknownJudge):
        DecodedRewarder(**settings(served[0], judge="nobody", on_failure=0)).score([Sample(RENDERED, GOOD)])


def test_a_sample_s_own_rubric_goes_first(served):
    own = RUBRIC | {"criteria": [{"id": "wise", "statement": "Is wise.", "points": 1}]}
    DecodedRewarder(**settings(served[0])).score([Sample(RENDERED, GOOD, rubric=own)])
    assert "Is wise." in str(served[1].bodies[-1])
