import asyncio
import logging

import pytest

from judge_client import BadConfiguration, BadSample, JudgeFailed, OnFailure, Rewarder, Sample
from judge_client.errors import Unauthorized, UnknownJudge, UnknownRubric
from tests.client.conftest import environment
from tests.client.scripted_server import ScriptedServer, Seen, judgment, problem
from tests.stub_judge import Reply

GOOD = Sample("p", "good", rubric="a/b")
BAD = Sample("p", "bad", rubric="a/b")
OTHER = Sample("q", "bad", rubric="a/b")


def behave(seen: Seen) -> Reply:
    """``good`` is worth 0.5 and ``best`` 1; the judge has no answer for ``bad``."""
    rewards = [{"good": 0.5, "best": 1.0}.get(item["response"]) for item in seen.body["items"]]
    return Reply(body={"results": [judgment(reward) for reward in rewards], "rewards": rewards})


@pytest.fixture
def failing(scripted: ScriptedServer) -> str:
    scripted.behave = behave
    return scripted.url


def both(rewarder: Rewarder, samples: list[Sample]):
    blocking = rewarder.score(samples)
    assert [one.reward for one in asyncio.run(rewarder.ascore(samples))] == [one.reward for one in blocking]
    return blocking


def test_a_failed_judge_raises_unless_the_user_chose_otherwise(failing):
    with pytest.raises(JudgeFailed, match=r"timeout.*JUDGE_ON_FAILURE") as caught:
        Rewarder(url=failing).score([GOOD, BAD])
    assert [one.reward for one in caught.value.judgments] == [None]


def test_drop_leaves_no_number(failing):
    good, bad = both(Rewarder(url=failing, on_failure="drop"), [GOOD, BAD])
    assert (good.reward, good.failure, good.substituted) == (0.5, None, False)
    assert (bad.reward, bad.failure, bad.substituted) == (None, "timeout", False)
    assert (good.metrics["judge_failed"], bad.metrics["judge_failed"]) == (0.0, 1.0)


def test_a_number_is_put_in_and_seen(failing):
    rewarder = Rewarder(url=failing, on_failure=-1)
    good, bad = both(rewarder, [GOOD, BAD])
    assert (good.reward, good.substituted) == (0.5, False)
    assert (bad.reward, bad.failure, bad.substituted) == (-1.0, "timeout", True)
    assert bad.judgment.reward is None
    assert rewarder.counts == {"judged": 4, "failed": 2, "substituted": 2, "dropped": 0, "failed/timeout": 2}


def test_neutral_is_the_mean_of_the_same_prompt(failing):
    best = Sample("p", "best", rubric="a/b")
    scored = both(Rewarder(url=failing, on_failure="neutral"), [GOOD, best, BAD])
    assert [one.reward for one in scored] == [0.5, 1.0, 0.75]
    assert [one.substituted for one in scored] == [False, False, True]


def test_neutral_has_nothing_to_say_where_every_rollout_of_a_prompt_failed(failing):
    with pytest.raises(JudgeFailed, match="one call"):
        Rewarder(url=failing, on_failure="neutral").score([GOOD, OTHER])


def test_a_group_name_joins_prompts_that_are_written_differently(failing):
    samples = [Sample("p", "good", rubric="a/b", group="1"), Sample("q", "bad", rubric="a/b", group="1")]
    assert Rewarder(url=failing, on_failure="neutral").score(samples)[1].reward == 0.5


def test_a_server_that_goes_away_is_a_failed_judge():
    with ScriptedServer(behave) as server:
        dropping = Rewarder(url=server.url, on_failure="drop", attempts=1)
        substituting = Rewarder(url=server.url, on_failure=0.25, attempts=1)
        raising = Rewarder(url=server.url, attempts=1)
        for rewarder in (dropping, substituting, raising):
            rewarder.score([GOOD])
            rewarder.close()
    (one,) = dropping.score([GOOD])
    assert (one.reward, one.failure) == (None, "server_unreachable")
    with pytest.raises(JudgeFailed, match="server_unreachable"):
        asyncio.run(raising.ascore([GOOD]))
    group = substituting.score_group("p", ["r", "s"], rubric="a/b")
    assert (group.rewards, group.group) == ([0.25, 0.25], None)


def test_a_server_that_stays_full_is_a_failed_judge(scripted):
    scripted.behave = lambda _: problem(429, "overloaded")
    (one,) = Rewarder(url=scripted.url, on_failure="drop", attempts=2).score([GOOD])
    assert one.failure == "overloaded"


def test_a_wrong_key_is_never_a_reward(scripted):
    scripted.behave = lambda _: problem(401, "unauthorized")
    with pytest.raises(Unauthorized):
        Rewarder(url=scripted.url, on_failure=0).score([GOOD])


def test_no_training_starts_with_a_misspelt_rubric_or_judge(url):
    sample = Sample("p", "r")
    with pytest.raises(UnknownRubric, match="Did you mean medical/consultation"):
        Rewarder("medical/consultatoin", url=url, on_failure="drop").score([sample])
    with pytest.raises(UnknownJudge):
        Rewarder("medical/consultation", url=url, judge="nobody", on_failure="drop").score([sample])
    with pytest.raises(UnknownRubric):
        Rewarder("medical/consultatoin", url=url, on_failure="drop").score_group("p", ["r"])


def test_a_row_with_a_misspelt_rubric_is_one_failed_row(url):
    rewarder = Rewarder("medical/consultation", url=url, on_failure="drop")
    good, bad = rewarder.score([Sample("p", "r"), Sample("p", "r", rubric="no/such")])
    assert good.reward is not None
    assert (bad.reward, bad.failure) == (None, "unknown_rubric")


def test_a_sample_without_any_rubric_is_refused_before_anything_is_sent():
    with pytest.raises(BadConfiguration, match=r"samples\[1\].*JUDGE_RUBRIC"):
        Rewarder(url="http://127.0.0.1:9", on_failure="drop").score([GOOD, Sample("p", "r")])


def test_a_sample_that_is_no_json_is_named(failing):
    with pytest.raises(BadSample, match=r"samples\[1\]"):
        Rewarder("a/b", url=failing, on_failure="drop").score([GOOD, Sample("p", "r", facts={"x": float("nan")})])


def test_metrics_are_flat_numbers(url):
    (one,) = Rewarder("medical/consultation", url=url).score([Sample("p", "Rest.")])
    assert all(isinstance(value, float) for value in one.metrics.values())
    marks = {"coverage", "judged_coverage", "partial", "flagged", "cached", "abstained", "latency_seconds"}
    marks |= {"judge_failed", "judge_substituted"}
    assert {name.partition("/")[0] for name in one.metrics} == {"criterion", "component", *marks}
    assert one.metrics_under("judge") == {f"judge/{name}": value for name, value in one.metrics.items()}


def test_rewards_of_a_group(url):
    rewarder = Rewarder("medical/consultation", url=url)
    group = rewarder.score_group("p", ["Rest.", "word " * 400], advantages=True, group="7")
    again = asyncio.run(rewarder.ascore_group("p", ["Rest.", "word " * 400], advantages=True, group="7"))
    assert list(group) == [group[0], group[1]]
    assert group.rewards == again.rewards
    assert group.group.advantages == again.group.advantages
    assert group.rewards == [one.judgment.reward for one in group]


def test_the_environment_says_what_no_argument_says(failing):
    with environment(
        JUDGE_URL=failing, JUDGE_RUBRIC="x/y", JUDGE_NAME="strict", JUDGE_ON_FAILURE="0.125", JUDGE_API_KEY="s3cret",
        JUDGE_DEADLINE_SECONDS="9", JUDGE_PRIORITY="training", JUDGE_ATTEMPTS="2",
    ):  # fmt: skip
        rewarder = Rewarder()
        other = Rewarder("z", judge="kind", on_failure="drop", deadline_seconds=1, priority="batch")
    assert (rewarder.url, rewarder.on_failure, rewarder.terms.rubric) == (failing, OnFailure.number(0.125), "x/y")
    assert (rewarder.terms.judge, rewarder.terms.deadline_seconds, rewarder.terms.priority) == ("strict", 9, "training")
    assert (other.terms.rubric, other.terms.judge, other.on_failure) == ("z", "kind", OnFailure.DROP)
    assert rewarder._endpoint.conduct.backoff.attempts == 2
    assert "s3cret" not in f"{rewarder!r} {vars(rewarder)} {rewarder._endpoint.connection.address!r}"
    assert rewarder.score_one(Sample("p", "bad")).reward == 0.125


@pytest.mark.parametrize(
    ("variable", "value"),
    [("JUDGE_DEADLINE_SECONDS", "soon"), ("JUDGE_DEADLINE_SECONDS", "-1"), ("JUDGE_PRIORITY", "now"),
     ("JUDGE_ON_FAILURE", "zero"), ("JUDGE_URL", "localhost"), ("JUDGE_ATTEMPTS", "0"), ("JUDGE_ATTEMPTS", "many")],
)  # fmt: skip
def test_a_variable_that_cannot_be_used_is_told_at_construction(variable, value):
    with environment(**{variable: value}), pytest.raises(BadConfiguration):
        Rewarder("a/b")


@pytest.mark.parametrize("arguments", [{"attempts": 0}, {"connections": 0}, {"api_key": "a\nb"}, {"url": "ftp://h"}])
def test_an_argument_that_cannot_be_used_is_told_at_construction(arguments):
    with pytest.raises(BadConfiguration) as caught:
        Rewarder("a/b", **arguments)
    assert "a\nb" not in str(caught.value)


def test_failures_are_told_at_once_and_then_not_with_every_call(failing, caplog):
    rewarder = Rewarder(url=failing, on_failure="0.5")
    with caplog.at_level(logging.WARNING, "judge_client"):
        for _ in range(5):
            rewarder.score([GOOD, BAD])
    (record,) = caplog.records
    assert record.getMessage() == "1 of 2 judgments failed (1 timeout); on_failure is 0.5"


def test_the_name_of_the_run_goes_with_every_sample_that_names_none(scripted):
    with environment(JUDGE_RUN="night-7"):
        rewarder = Rewarder("a/b", url=scripted.url)
    rewarder.score([Sample("p", "good"), Sample("p", "good", run="other")])
    assert [item["run"] for item in scripted.seen[-1].body["items"]] == ["night-7", "other"]


def test_nothing_to_score_is_nothing(failing):
    assert Rewarder("a/b", url=failing).score([]) == []
