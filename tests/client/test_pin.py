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
        self.digest, self.fingerprint, self.guard = "d1", "f1", "1:a"

    def __call__(self, seen: Seen) -> Reply:
        rubric = {"id": "a/b", "version": "1.0.0", "digest": self.digest}
        judge = {"name": "default", "model": "m", "mode": "direct", "fingerprint": self.fingerprint}
        results = [judgment(0.5, rubric=rubric, judge=judge, guard=self.guard) for _ in seen.body["items"]]
        return Reply(body={"results": results, "rewards": [0.5] * len(results)})


@pytest.fixture
def answering(scripted) -> Answering:
    scripted.behave = Answering()
    return scripted.behave


@pytest.mark.parametrize("changed", ["digest", "fingerprint", "guard"])
def test_another_rubric_judge_or_guard_stops_the_run_and_names_both(scripted, answering, changed):
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
    assert rewarder.pinned == {
        "rubric a/b": "a/b 1.0.0 d1",
        "judge default": "m direct f1 uncalibrated",
        "guard": "1:a",
    }
    assert pickle.loads(pickle.dumps(rewarder)).pinned == {}


@pytest.mark.parametrize("run", [None, "night-7"])
def test_pins_cost_no_request(scripted, answering, run):
    rewarder = Rewarder("a/b", url=scripted.url, run=run)
    for _ in range(5):
        rewarder.score([SAMPLE, SAMPLE])
    assert [(one.method, one.path) for one in scripted.seen] == [("POST", "/v1/score/batch")] * 5


class Repinned(Answering):
    """A server whose run was repinned on purpose, after ``before`` had answered."""

    def __init__(self, kind: str, before: str) -> None:
        super().__init__()
        self.change = {"act": "repinned", "kind": kind, "before": before, "reason": "a typo", "by": "Ada"}

    def __call__(self, seen: Seen) -> Reply:
        if seen.path != "/v1/runs/summary?run=night-7":
            return super().__call__(seen)
        return Reply(body={"run": "night-7", "changes": [self.change]})


BEFORE = {
    "digest": ("rubric", "a/b@1.0.0 d1"),
    "fingerprint": ("judge", "m direct f1"),
    "guard": ("guard", "1:a"),
}


@pytest.mark.parametrize("changed", BEFORE)
def test_a_change_that_was_repinned_on_purpose_goes_on_and_is_logged_once_with_its_reason(scripted, changed, caplog):
    scripted.behave = Repinned(*BEFORE[changed])
    rewarder = Rewarder("a/b", url=scripted.url, run="night-7", on_failure="drop")
    rewarder.score([SAMPLE])
    setattr(scripted.behave, changed, "other")
    with caplog.at_level(logging.WARNING, "judge_client"):
        assert [one.reward for one in rewarder.score([SAMPLE, SAMPLE])] == [0.5, 0.5]
        assert rewarder.score_one(SAMPLE).reward == 0.5
    (record,) = caplog.records
    assert "repinned by Ada: a typo" in record.getMessage()
    assert [one.path for one in scripted.seen].count("/v1/runs/summary?run=night-7") == 1
    assert "other" in " ".join(rewarder.pinned.values()).split()


@pytest.mark.parametrize("run", [None, "night-7"])
def test_a_repin_of_something_else_and_a_run_that_is_not_named_stop_it(scripted, run):
    scripted.behave = Repinned(*BEFORE["digest" if run else "guard"])
    rewarder = Rewarder("a/b", url=scripted.url, run=run)
    rewarder.score([SAMPLE])
    scripted.behave.guard = "other"
    with pytest.raises(RewardChanged, match="The guard changed at step 7"):
        rewarder.score([SAMPLE])


def test_a_server_that_does_not_know_the_run_allows_no_change(scripted, answering):
    """Its store was lost, and with it what the run is pinned to."""
    rewarder = Rewarder("a/b", url=scripted.url, run="night-7")
    rewarder.score([SAMPLE])
    answering.guard = "other"
    unknown = {"type": "urn:judge-server:error:unknown_run", "status": 404, "detail": "No judgment is stored."}
    scripted.behave = lambda seen: Reply(404, unknown) if "runs" in seen.path else answering(seen)
    with pytest.raises(RewardChanged, match="The guard changed at step 7"):
        rewarder.score([SAMPLE])


class Keeping(Answering):
    """A server that keeps what rewarded a run first, and refuses anything else unless the sample allows it."""

    def __call__(self, seen: Seen) -> Reply:
        if any(item.get("on_change") == "warn" for item in seen.body["items"]):
            return super().__call__(seen)
        error = {"type": "reward_changed", "detail": "The judge default is f2 and was f1."}
        refused = judgment(None, error=error)
        return Reply(body={"results": [refused] * len(seen.body["items"]), "rewards": [None]})


@pytest.mark.parametrize("policy", ["drop", "raise", -1])
def test_what_the_server_keeps_for_the_run_stops_it_whatever_the_policy(scripted, policy):
    scripted.behave = Keeping()
    rewarder = Rewarder("a/b", url=scripted.url, run="night-7", on_failure=policy)
    with pytest.raises(RewardChanged, match="At step 7: The judge default is f2"):
        rewarder.score([SAMPLE])


def replaced_while_asked(seen: Seen) -> Reply:
    error = {"type": "judge_changed", "detail": "Another model answers at the address of 'm'."}
    results = [judgment(None, error=error) for _ in seen.body["items"]]
    return Reply(body={"results": results, "rewards": [None] * len(results)})


@pytest.mark.parametrize("policy", ["drop", "raise", -1])
def test_a_model_that_is_replaced_while_it_is_asked_stops_the_run_whatever_the_policy(scripted, answering, policy):
    rewarder = Rewarder("a/b", url=scripted.url, on_failure=policy)
    rewarder.score([SAMPLE])
    scripted.behave = replaced_while_asked
    with pytest.raises(RewardChanged, match="At step 7: Another model answers"):
        rewarder.score([SAMPLE])


def test_a_model_that_is_replaced_before_anything_is_pinned_is_a_failure_as_any_other(scripted):
    scripted.behave = replaced_while_asked
    (one,) = Rewarder("a/b", url=scripted.url, on_failure="drop").score([SAMPLE])
    assert (one.reward, one.failure) == (None, "judge_changed")


def test_a_change_that_the_user_allows_is_told_to_the_server(scripted):
    scripted.behave = Keeping()
    rewarder = Rewarder("a/b", url=scripted.url, run="night-7", on_change="warn")
    assert rewarder.score_one(SAMPLE).reward == 0.5


def test_an_empty_response_that_no_judge_read_is_no_change_of_the_judge(scripted, answering):
    rewarder = Rewarder("a/b", url=scripted.url)
    rewarder.score([SAMPLE])
    nobody = {"name": "none", "model": "none", "mode": "none", "fingerprint": "none"}
    rubric = {"id": "a/b", "version": "1.0.0", "digest": "d1"}
    guarded = judgment(0.0, rubric=rubric, judge=nobody)
    scripted.behave = lambda seen: Reply(body={"results": [guarded], "rewards": [0.0]})
    assert rewarder.score_one(SAMPLE).reward == 0.0
