import pytest

from judge_client import BadConfiguration, JudgeFailed, Rewarder
from judge_client.adapters.kept import Profile, number_of
from judge_client.judgment import Judgment
from judge_client.scored import Scored
from tests.client.conftest import environment

PROFILE = Profile("a trainer", Rewarder, bears=("raise", "number"))


def test_the_same_settings_get_the_same_rewarder():
    first = PROFILE.rewarder({"rubric": {"id": "a/b"}, "url": "http://127.0.0.1:1"})
    assert PROFILE.rewarder({"url": "http://127.0.0.1:1", "rubric": {"id": "a/b"}}) is first
    assert PROFILE.rewarder({"url": "http://127.0.0.1:2", "rubric": {"id": "a/b"}}) is not first


def test_another_environment_gets_another_rewarder():
    with environment(JUDGE_RUBRIC="a/b"):
        first = PROFILE.rewarder({})
    with environment(JUDGE_RUBRIC="c/d"):
        assert PROFILE.rewarder({}).terms.rubric == "c/d"
    assert first.terms.rubric == "a/b"


def test_a_policy_beyond_what_the_trainer_bears_is_refused():
    with pytest.raises(BadConfiguration, match="a trainer cannot bear drop"):
        PROFILE.rewarder({"on_failure": "drop"})
    with (
        environment(JUDGE_ON_FAILURE="neutral"),
        pytest.raises(BadConfiguration, match="a trainer cannot bear neutral"),
    ):
        PROFILE.rewarder({})


def test_no_reward_is_never_a_number():
    with pytest.raises(AssertionError):
        number_of(Scored.of(Judgment.failed(JudgeFailed("It failed."))))
