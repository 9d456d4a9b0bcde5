"""The reward of a run stays what it was: another rubric version or another judge stops it."""

import logging
import pickle

import pytest

from judge_client import Rewarder, Sample
from judge_client.errors import RewardChanged
from tests.client.scripted_server import Seen, judgment
from tests.stub_judge import Reply

SAMPLE = Sample("p", "r", step=7)


class Answering:
    """A server under whose names other content can be put."""

    def __init__(self) -> None:
        self.digest, self.fingerprint = "d1", "f1"

    def __call__(self, seen: Seen) -> Reply:
        rubric = {"id": "a/b", "version": "1.0.0", "digest": self.digest}
        judge = {"name": "default", "model": "m", "mode": "direct", "fingerprint": self.fingerprint}
        results = [judgment(0.5, rubric=rubric, judge=judge) for _ in seen.body["items"]]
        return Reply(body={"results": results, "rewards": [0.5] * len(results)})


@pytest.fixture
def answering(scripted) -> Answering:
    scripted.behave = Answering()
    return scripted.behave


@pytest.mark.parametrize("changed", ["digest", "fingerprint"])
def test_another_rubric_or_judge_stops_the_run_and_names_both(scripted, answering, changed):
    rewarder = Rewarder("a/b", url=scripted.url, on_failure="drop")
    rewarder.score([SAMPLE])
    setattr(answering, changed, "other")
    with pytest.raises(RewardChanged, match=r"at step 7.*1.* and is now .*other"):
        rewarder.score([SAMPLE])


def test_a_change_that_the_user_allows_is_logged_once(scripted, answering, caplog):
    rewarder = Rewarder("a/b", url=scripted.url, on_change="warn")
    rewarder.score([SAMPLE])
    answering.digest = "d2"
    with caplog.at_level(logging.WARNING, "judge_client"):
        assert [rewarder.score_one(SAMPLE).reward for _ in range(2)] == [0.5, 0.5]
    (record,) = caplog.records
    assert "not comparable" in record.getMessage()


def test_a_rubric_that_a_sample_carries_whole_is_not_pinned(scripted, answering):
    rewarder = Rewarder({"id": "a/b"}, url=scripted.url)
    rewarder.score([SAMPLE])
    answering.digest = "d2"
    assert rewarder.score_one(SAMPLE).reward == 0.5


def test_what_answered_first_can_be_logged(scripted, answering):
    rewarder = Rewarder("a/b", url=scripted.url)
    rewarder.score([SAMPLE])
    assert rewarder.pinned == {"rubric a/b": "a/b 1.0.0 d1", "judge default": "m direct f1 uncalibrated"}
    assert pickle.loads(pickle.dumps(rewarder)).pinned == {}
