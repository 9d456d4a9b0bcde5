"""Training on nothing is impossible: wrong first calls raise whatever the policy, and lasting faults do so later."""

import logging
from dataclasses import replace

import pytest

from judge_client import BadConfiguration, BadSample, JudgeFailed, Rewarder, Sample
from judge_client.contact import (
    LONGEST_WITHOUT_SECONDS,
    OF_THE_SERVER,
    OF_THE_TEXT,
    PERMANENT,
    PERMANENT_IN_A_ROW,
    Contact,
)
from judge_client.errors import DeadlineExceeded
from judge_client.judgment import Judgment
from judge_client.scored import Scored
from judge_server.core.errors import BadInput, JudgeFailure, JudgeServerError
from judge_server.judging.checks.interface import MissingReference
from judge_server.server.dialects.envelope import BadEnvelope
from tests.client.scripted_server import ScriptedServer, Seen, judged, judgment, problem
from tests.client.test_errors import tree
from tests.stub_judge import Reply

GOOD = Sample("p", "good", rubric="a/b")
NO_REFERENCE = {"type": "bad_submission", "detail": "reference: the criterion 'exact' needs one."}
TOO_LATE = {"type": "timeout", "detail": "too late"}


def answers(**errors: dict[str, str]):
    """A server that judges ``good`` and gives every other response its error."""

    def behave(seen: Seen) -> Reply:
        results = [
            judgment(0.5) if item["response"] == "good" else judgment(None, error=errors[item["response"]])
            for item in seen.body["items"]
        ]
        return Reply(body={"results": results, "rewards": [one["reward"] for one in results]})

    return behave


def dropping(url: str, **options) -> Rewarder:
    return Rewarder("a/b", **{"url": url, "on_failure": "drop", "attempts": 1} | options)


def test_a_server_that_nobody_reached_stops_the_training():
    with ScriptedServer() as gone:
        url = gone.url
    with pytest.raises(JudgeFailed, match=r"server_unreachable.*http://127\.0\.0\.1.*No judgment has succeeded yet"):
        dropping(url).score([GOOD])
    with pytest.raises(JudgeFailed, match="server_unreachable"):
        dropping(url).score_group("p", ["r", "s"])


def test_another_service_at_the_address_is_named(scripted):
    scripted.behave = lambda _: Reply(body=b"<html>hello</html>")
    with pytest.raises(JudgeFailed, match="Is this the address of a judge-server"):
        dropping(scripted.url).score([GOOD])


def test_rows_that_all_lack_their_reference_stop_the_training(scripted):
    scripted.behave = answers(bad=NO_REFERENCE)
    with pytest.raises(JudgeFailed, match="reference: the criterion"):
        dropping(scripted.url).score([Sample("p", "bad")] * 3)


@pytest.mark.parametrize("family", [JudgeFailure, BadInput])
def test_what_comes_again_with_the_same_sample_counts_as_permanent(family):
    """The reasons that stand in judgments and in refused samples."""
    lasting = {kind.type for kind in tree(family) if 400 <= kind.status < 500 and kind.status not in (408, 429)}

    assert lasting <= PERMANENT | OF_THE_TEXT


def test_permanent_reasons_without_a_class_of_the_client_are_the_servers():
    refusals = {kind.type for kind in tree(JudgeServerError) if 400 <= kind.status < 500}

    assert refusals | {BadEnvelope.type, MissingReference.type} >= OF_THE_SERVER | OF_THE_TEXT


@pytest.mark.parametrize("slug", sorted(OF_THE_TEXT))
def test_texts_that_no_judge_can_read_stop_a_training_only_at_its_beginning(scripted, slug):
    scripted.behave = answers(long={"type": slug, "detail": "7,000 tokens are too many."})
    with pytest.raises(JudgeFailed, match=r"7,000 tokens.*No judgment has succeeded yet"):
        dropping(scripted.url).score([Sample("p", "long")] * 2)
    rewarder = dropping(scripted.url)
    rewarder.score([GOOD])

    assert [one.failure for one in rewarder.score([Sample("p", "long")] * 2)] == [slug] * 2


def test_a_judge_that_is_late_at_first_follows_the_policy(scripted):
    scripted.behave = answers(late=TOO_LATE)
    (one,) = dropping(scripted.url).score([Sample("p", "late")])
    assert (one.reward, one.failure) == (None, "timeout")


def test_a_judge_that_stays_late_for_two_minutes_without_any_judgment_stops_the_training():
    now = [0.0]
    contact = Contact(clock=lambda: now[0])
    late = [Scored.of(Judgment.failed(DeadlineExceeded("too late")))]
    for now[0] in (0.0, 60.0, LONGEST_WITHOUT_SECONDS):
        contact.check(late, "http://h")
    now[0] += 1
    with pytest.raises(JudgeFailed, match=r"timeout.*No judgment has succeeded yet"):
        contact.check(late, "http://h")


def test_a_judge_that_is_late_for_long_after_a_first_judgment_follows_the_policy():
    now = [0.0]
    contact = Contact(clock=lambda: now[0])
    late = Scored.of(Judgment.failed(DeadlineExceeded("too late")))
    contact.check([replace(late, reward=0.5, judgment=replace(late.judgment, reward=0.5), failure=None)], "http://h")
    now[0] = 10 * LONGEST_WITHOUT_SECONDS
    contact.check([late], "http://h")


def test_one_bad_row_among_good_ones_follows_the_policy(scripted):
    scripted.behave = answers(bad=NO_REFERENCE)
    good, bad = dropping(scripted.url).score([GOOD, Sample("p", "bad")])
    assert (good.reward, bad.failure) == (0.5, "bad_submission")


def test_a_whole_call_that_fails_for_good_stops_a_running_training_too(scripted):
    scripted.behave = answers(bad=NO_REFERENCE)
    rewarder = dropping(scripted.url)
    rewarder.score([GOOD])
    rewarder.score([Sample("p", "bad")])
    with pytest.raises(JudgeFailed, match="can be judged any more"):
        rewarder.score([Sample("p", "bad")] * 2)


def test_single_samples_that_fail_for_good_stop_it_after_several_in_a_row(scripted):
    scripted.behave = answers(bad=NO_REFERENCE)
    rewarder = dropping(scripted.url)
    rewarder.score([GOOD])
    for _ in range(PERMANENT_IN_A_ROW - 1):
        rewarder.score_one(Sample("p", "bad"))
    with pytest.raises(JudgeFailed):
        rewarder.score_one(Sample("p", "bad"))


def test_an_outage_after_the_first_judgment_is_waited_for_and_logged(scripted, caplog):
    rewarder = dropping(scripted.url, attempts=None, patience_seconds=20)
    rewarder.score([GOOD])
    scripted.script = [problem(503, "draining"), Reply(reset=True), problem(502, "bad_gateway")]
    with caplog.at_level(logging.WARNING, "judge_client"):
        assert rewarder.score_one(GOOD).reward == 0.5


def test_an_outage_that_outlasts_the_patience_follows_the_policy(scripted):
    rewarder = dropping(scripted.url, attempts=None, patience_seconds=0.3)
    rewarder.score([GOOD])
    scripted.behave = lambda _: problem(503, "draining")
    (one,) = rewarder.score([GOOD])
    assert (one.reward, one.failure) == (None, "draining")


@pytest.mark.parametrize(
    ("options", "fix"),
    [
        ({"url": "http://127.0.0.1:8000/v1"}, r"Write http://127.0.0.1:8000 "),
        ({"url": "127.0.0.1:8000"}, "Write http://HOST:PORT"),
        ({"url": "ftp://host"}, "Write http://HOST:PORT"),
        ({"api_key": "Bearer abc"}, "Give the key alone"),
        ({"timeout": 3}, "Did you mean deadline_seconds"),
        ({"base_url": "http://h"}, "Did you mean url"),
        ({"rubrik": "a/b"}, "Did you mean rubric"),
        ({"on_failure": "dropp"}, "Write raise, drop, neutral"),
        ({"on_change": "never"}, "Choose stop or warn"),
        ({"deadline_seconds": 0}, "Give seconds"),
        ({"patience_seconds": -1}, "Give seconds"),
        ({"attempts": 0}, "Give 1 or more"),
        ({"priority": "urgent"}, "Choose one of training"),
    ],
)
def test_a_wrong_option_says_how_to_write_it(options, fix):
    with pytest.raises(BadConfiguration, match=fix):
        Rewarder(**{"rubric": "a/b"} | options)


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        (["text"], r"samples\[0\] is a str, no Sample"),
        ([("p", "r")], r"samples\[0\] is a tuple, no Sample.*Write Sample"),
        (Sample("p", "r"), "a list is expected"),
        ("text", "a list is expected"),
        ([{"prompt": "p", "completion": "r"}], "no 'completion'"),
        ([{"prompt": "p", "respons": "r"}], "Did you mean 'response'"),
        ([{"prompt": "p"}], "has no 'response'"),
        (7, "a int is no list"),
    ],
)
def test_what_is_no_list_of_samples_says_how_to_write_it(given, fix):
    with pytest.raises(BadSample, match=fix):
        dropping("http://127.0.0.1:9").score(given)


@pytest.mark.parametrize(
    ("response", "fix"),
    [
        ([1, 2, 3], "Decode them"),
        (["text"], "Give one text, or messages"),
        ([{"content": "hi"}], r"response\[0\] has no role"),
        (7, "neither text nor messages"),
        (b"text", "neither text nor messages"),
    ],
)
def test_a_response_that_is_no_text_says_how_to_give_it(response, fix):
    with pytest.raises(BadSample, match=fix):
        Sample("p", response)


def test_generators_mappings_and_missing_completions_are_scored(scripted):
    seen: list[Seen] = []

    def behave(one: Seen) -> Reply:
        seen.append(one)
        return judged(one)

    scripted.behave = behave
    rewarder = dropping(scripted.url)
    assert [one.reward for one in rewarder.score(Sample("p", text) for text in ("a", "b"))] == [0.5, 0.5]
    assert [one.reward for one in rewarder.score([{"prompt": "p", "response": None}])] == [0.5]
    assert seen[-1].body["items"] == [{"prompt": "p", "response": ""}]
