import pytest

from judge_client import BadConfiguration, OnFailure
from tests.client.conftest import environment


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("raise", OnFailure.RAISE),
        (" Drop ", OnFailure.DROP),
        ("neutral", OnFailure.NEUTRAL),
        ("-0.5", OnFailure.number(-0.5)),
        (0, OnFailure.number(0.0)),
        (OnFailure.DROP, OnFailure.DROP),
    ],
)
def test_a_policy_is_read_from_its_text(text, policy):
    assert OnFailure.parse(text) == policy
    assert OnFailure.parse(str(policy)) == policy


@pytest.mark.parametrize("text", ["", "zero", "nan", "inf", "-Infinity", float("-inf"), True, None])
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(BadConfiguration, match="raise, drop, neutral or a finite number"):
        OnFailure.parse(text)


def test_a_trainer_refuses_what_it_cannot_bear_and_says_what_it_can():
    with pytest.raises(
        BadConfiguration, match=r"verl cannot bear drop\. Choose raise or a number \(JUDGE_ON_FAILURE\)"
    ):
        OnFailure.choose("drop", default="raise", bears=("raise", "number"), trainer="verl")


def test_the_argument_goes_before_the_environment_and_that_before_the_default():
    assert OnFailure.choose(None, default="drop") == OnFailure.DROP
    with environment(JUDGE_ON_FAILURE="neutral"):
        assert OnFailure.choose(None, default="drop") == OnFailure.NEUTRAL
        assert OnFailure.choose(0, default="drop") == OnFailure.number(0)


def test_a_policy_with_two_meanings_does_not_exist():
    for kind, value in (("drop", 1.0), ("number", None), ("number", float("inf")), ("zero", None)):
        with pytest.raises(BadConfiguration):
            OnFailure(kind, value)
