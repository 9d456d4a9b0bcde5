"""POST /v1/score/group with members that come in requests of their own."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from judge_server.core.caller import Allowance
from tests.comparing_judge import by_number, comparing, shown
from tests.served import HangsUp, judged_by, served, until
from tests.server.faults import only_for
from tests.server.keys import allowing, bearer, demanding, key_of, problem
from tests.stub_judge import Reply, faithful
from tests.submissions import PROMPT, checking, rubric
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS

WORTHS = (0.3, 0.9, 0.6, 0.1)
RESPONSES = [f"Answer worth {worth} in all respects." for worth in WORTHS]


PATH = "/v1/score/group"


def group_of(*responses, **fields):
    body = {"prompt": PROMPT, "responses": list(responses), "rubric": checking("0.9"), "group": "g", "expected": 4}
    return body | fields


def send(client, *responses, headers=None, **fields):
    answer = client.post(PATH, json=group_of(*responses, **fields), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def one_by_one(client, responses=RESPONSES, **fields):
    """Each response in a request of its own, all waiting at once."""
    with ThreadPoolExecutor(len(responses)) as pool:
        calls = [
            pool.submit(send, client, said, ids=[f"rollout-{place}"], **fields) for place, said in enumerate(responses)
        ]
        return [call.result() for call in calls]


def test_members_that_come_one_by_one_are_judged_together(client):
    answers = one_by_one(client, advantages="rloo")
    assert [answer["rewards"] for answer in answers] == [[0.0], [1.0], [0.0], [0.0]]
    assert [answer["group"]["advantages"] for answer in answers] == [
        [pytest.approx(value)] for value in (-1 / 3, 1.0, -1 / 3, -1 / 3)
    ]
    assert [answer["results"][0]["submission"]["id"] for answer in answers] == [f"rollout-{n}" for n in range(4)]
    for answer in answers:
        assert (answer["group"]["count"], answer["group"]["mean"]) == (4, 0.25)
        assert (answer["group"]["expected"], answer["group"]["collected"], answer["group"]["complete"]) == (4, 4, True)


def test_a_cohort_is_compared_once_for_all_who_wait():
    with judged_by(comparing(by_number)) as (client, judge):
        answers = one_by_one(client, rubric=rubric(), relative=True)
        compared = [body for body in judge.bodies if shown(body)]
    assert [answer["rewards"][0] for answer in answers] == pytest.approx(WORTHS)
    assert [answer["group"]["relative"]["ranks"] for answer in answers] == [[3], [1], [2], [4]]
    assert len(compared) == 2


def test_a_partial_cohort_is_judged_when_the_collection_ends(client):
    answers = one_by_one(client, RESPONSES[:2], collection_seconds=2.0, group="partial", advantages=True)
    group = answers[0]["group"]
    assert (group["count"], group["collected"], group["expected"], group["complete"]) == (2, 2, 4, False)
    assert [answer["rewards"] for answer in answers] == [[0.0], [1.0]]
    late = send(client, RESPONSES[2], group="partial")
    assert late["rewards"] == [None]
    assert late["errors"][0]["type"] == "cohort_closed"
    assert late["results"][0]["status"] == "failed"
    again = send(client, RESPONSES[1], ids=["rollout-1"], group="partial")
    assert again["rewards"] == [1.0]
    assert again["results"][0]["id"] == answers[1]["results"][0]["id"]


def test_a_cohort_below_its_minimum_has_no_relative_rewards_and_no_advantages():
    with judged_by(comparing(by_number)) as (client, judge):
        fields = {"collection_seconds": 2.0, "min_cohort": 3, "rubric": rubric(), "relative": True, "advantages": True}
        answers = one_by_one(client, RESPONSES[:2], **fields)
        assert not any(shown(body) for body in judge.bodies)
    for answer in answers:
        assert answer["rewards"] == [None]
        assert answer["errors"][0]["type"] == "cohort_incomplete"
        assert "2 of 4" in answer["errors"][0]["detail"]
        assert answer["results"][0]["reward"] == pytest.approx(0.9)
        assert answer["group"]["advantages"] == [None]


def test_who_hangs_up_spoils_nothing_and_may_come_back(client):
    address = str(client.base_url)
    patience = httpx.Timeout(PATIENCE_SECONDS, read=0.3)
    with pytest.raises(httpx.ReadTimeout), httpx.Client(base_url=address, timeout=patience) as hasty:
        send(hasty, RESPONSES[0], ids=["rollout-0"], group="hasty")
    answers = one_by_one(client, group="hasty")
    assert answers[0]["group"]["collected"] == 4
    assert [answer["rewards"] for answer in answers] == [[0.0], [1.0], [0.0], [0.0]]


def test_a_request_that_waits_no_longer_gets_typed_nulls(client):
    answer = send(client, RESPONSES[0], group="lonely", deadline_seconds=0.2, relative=True)
    assert answer["rewards"] == [None]
    assert answer["errors"][0]["type"] == "timeout"
    assert "1 of 4" in answer["errors"][0]["detail"]
    assert answer["group"]["collected"] == 1
    assert answer["group"]["complete"] is False


def test_what_is_not_judged_when_the_evaluation_ends_is_null():
    def behave(body):
        return Reply(delay_seconds=HANG_SECONDS) if "worth 0.3" in json.dumps(body) else faithful()(body)

    with judged_by(behave) as (client, _):
        answers = one_by_one(client, rubric=rubric(), evaluation_seconds=3.0)
    assert [answer["rewards"][0] for answer in answers] == [None, *[pytest.approx(0.9)] * 3]
    assert answers[0]["errors"][0]["type"] == "timeout"
    assert answers[0]["group"]["count"] == 3


def test_groups_of_other_prompts_steps_or_rubrics_do_not_mix(client):
    together = ThreadPoolExecutor(3)
    calls = [
        together.submit(send, client, RESPONSES[0], collection_seconds=0.4, group="mixed", **other)
        for other in ({"step": 1}, {"step": 2}, {"prompt": "Something else?"})
    ]
    assert [call.result()["group"]["collected"] for call in calls] == [1, 1, 1]


def test_groups_of_other_callers_do_not_mix():
    (one, first), (two, second) = key_of("one"), key_of("two")
    with served(demanding(first, second)) as client, ThreadPoolExecutor(2) as together:
        calls = [
            together.submit(send, client, said, collection_seconds=0.4, ids=["0"], headers=bearer(text))
            for said, text in zip(RESPONSES, (one, two), strict=False)
        ]
        answers = [call.result() for call in calls]
    assert [answer["group"]["collected"] for answer in answers] == [1, 1]
    assert [answer["rewards"] for answer in answers] == [[0.0], [1.0]]


def test_when_the_last_caller_leaves_the_judge_is_let_go():
    with judged_by(only_for("worth", Reply(delay_seconds=HANG_SECONDS))) as (client, judge):
        caller = HangsUp(client, PATH, group_of(*RESPONSES, rubric=rubric()))
        until(lambda: sum("worth" in str(body) for body in judge.bodies) == 8)
        caller.leave()
        until(lambda: judge.disconnects == 8)


def test_a_retrying_trainer_is_answered_once_for_each_rollout():
    """Every request is sent three times at once, as clients do that lost patience."""
    with judged_by(comparing(by_number)) as (client, judge):
        barrier = threading.Barrier(12)

        def call(place):
            barrier.wait()
            return send(client, RESPONSES[place], ids=[str(place)], rubric=rubric(), relative=True)

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(call, [0, 1, 2, 3] * 3))
        assert sum(bool(shown(body)) for body in judge.bodies) == 2
    assert [answer["rewards"][0] for answer in answers] == pytest.approx(WORTHS * 3)
    assert {answer["group"]["count"] for answer in answers} == {4}


def test_hostile_ids_are_names_like_any_other(client):
    names = ["../../etc/passwd", "'; DROP TABLE judgment; --", "content 0 1", "\u202e☃"]
    answers = send(client, *RESPONSES, ids=names, group="\n{{ group }}%s")
    assert [result["submission"]["id"] for result in answers["results"]] == names
    long = {"prompt": PROMPT, "responses": ["a"], "ids": ["x" * 201], "rubric": checking()}
    assert client.post("/v1/score/group", json=long).status_code == 422


@pytest.mark.parametrize("setting", [{"max_cohorts": 1}, {"max_cohort_bytes": 6_000}])
def test_a_full_collection_is_told_with_the_time_to_come_back(setting):
    with judged_by(faithful(), **setting) as (client, _), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(send, client, RESPONSES[0], collection_seconds=4.0)
        time.sleep(1.0)
        body = {"prompt": PROMPT, "responses": ["b"], "rubric": checking(), "group": "h", "expected": 2}
        refused = client.post("/v1/score/group", json=body)
        whole = client.post("/v1/score/group", json={**body, "expected": None})
        assert waiting.result()["group"]["collected"] == 1
    assert refused.status_code == 429
    assert refused.headers["retry-after"]
    assert whole.status_code == 200


def hung_up(client, text, group):
    patience = httpx.Timeout(PATIENCE_SECONDS, read=0.3)
    with pytest.raises(httpx.ReadTimeout), httpx.Client(base_url=str(client.base_url), timeout=patience) as hasty:
        send(hasty, RESPONSES[0], group=group, headers=bearer(text))


def test_a_caller_that_opens_groups_and_hangs_up_keeps_nobody_else_out():
    (hostile, one), (modest, two) = allowing(submissions_under_way=4), key_of("modest")
    with served(demanding(one, two, max_cohorts=4)) as client:
        for number in range(6):
            hung_up(client, hostile, f"abandoned-{number}")
        answers = one_by_one(client, group="mine", headers=bearer(modest))
    assert [answer["rewards"] for answer in answers] == [[0.0], [1.0], [0.0], [0.0]]


def test_members_that_wait_are_counted_against_their_key():
    text, key = key_of("bounded", allowance=Allowance(submissions_under_way=4))
    with served(demanding(key)) as client, ThreadPoolExecutor(1) as pool:
        headers = bearer(text)
        body = {"prompt": PROMPT, "responses": RESPONSES[:3], "rubric": checking("0.9"), "group": "g"}
        waiting = pool.submit(client.post, "/v1/score/group", json=body | {"expected": 4}, headers=headers)
        time.sleep(0.5)
        refused = client.post("/v1/score/group", json=body | {"group": "other", "expected": 4}, headers=headers)
        problem(refused, 429, "allowance_spent")
        too_many = client.post("/v1/score/group", json=body | {"expected": 5}, headers=headers)
        problem(too_many, 413, "too_large")
        last = send(client, RESPONSES[3], headers=headers)
        assert last["group"]["complete"] is True
        assert waiting.result().json()["group"]["complete"] is True


def test_a_caller_that_waits_in_every_group_leaves_others_their_share():
    (flood, one), (modest, two) = key_of("flood"), key_of("modest")
    with served(demanding(one, two, max_cohorts=4)) as client, ThreadPoolExecutor(8) as pool:
        body = {"prompt": PROMPT, "responses": RESPONSES[:1], "rubric": checking("0.9"), "expected": 4}
        waiting = [
            pool.submit(
                client.post,
                "/v1/score/group",
                json=body | {"group": f"f{number}", "collection_seconds": 3},
                headers=bearer(flood),
            )
            for number in range(8)
        ]
        time.sleep(0.8)
        answers = one_by_one(client, group="mine", headers=bearer(modest))
        statuses = sorted(one.result().status_code for one in waiting)
    assert [answer["rewards"] for answer in answers] == [[0.0], [1.0], [0.0], [0.0]]
    assert statuses == [200] * 4 + [429] * 4
