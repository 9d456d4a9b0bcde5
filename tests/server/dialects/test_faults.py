"""Each trainer is answered as docs/dialects.md says, whatever the judge does."""

import threading

import httpx
import pytest

from judge_server.server.dialects import openrlhf, slime
from tests.served import HangsUp, judged_by, until
from tests.server.dialects.conftest import RUBRIC, publish
from tests.server.dialects.exchanges import DIALECTS, NEMO_GYM, OPENRLHF, SLIME, roll_body, roll_result
from tests.server.faults import only_for
from tests.stub_judge import Reply, faithful
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS

# a judge that has just failed is spared for a moment, in which the deadline of a second may pass
GONE = {"judge_unavailable": 503, "timeout": 504}
FAULTS = {
    "timeout": (Reply(delay_seconds=HANG_SECONDS), {"timeout": 504}),
    "garbage": (Reply(200, b"<<<no json"), {"unusable_verdict": 502, "judge_unavailable": 503}),  # its circuit opens
    "cut": (Reply(200, cut=True, body={"choices": []}), GONE),
    "503": (Reply(503), GONE),
    "nonsense": (
        Reply(200, {"choices": [{"message": {"role": "assistant", "content": "banana"}}]}),
        {"unusable_verdict": 502},
    ),
}
RAISING = ("slime", "azure", "classify")


@pytest.fixture(scope="module", params=sorted(FAULTS))
def faulty(request):
    """A client of a server whose judge fails, and the errors that may come of it, by type. Where the deadline may pass
    it does so soon; elsewhere the answer comes at once, and a busy machine has time."""
    reply, errors = FAULTS[request.param]
    with judged_by(only_for("criterion-", reply)) as (client, _):
        publish(client)
        yield client, errors, {"deadline_seconds": "0.3" if "timeout" in errors else "20"}


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize("number", [-1.0, 0.0, 0.25])
def test_a_chosen_number_is_answered_and_told(faulty, name, number):
    client, errors, quick = faulty
    answer = DIALECTS[name].ask(client, RUBRIC, f"{name} {number}", on_error=str(number), **quick)
    assert answer.status_code == 200
    assert DIALECTS[name].reward(answer.json()) == number
    assert answer.headers["x-judge-substituted"] in {f"{error}=1" for error in errors}


@pytest.mark.parametrize("name", [*RAISING, "nemo-gym"])
def test_where_errors_are_borne_a_failed_judge_is_an_error_status_with_the_judgment(faulty, name):
    client, errors, quick = faulty
    answer = DIALECTS[name].ask(client, RUBRIC, f"{name} raises", on_error="raise", **quick)
    problem = answer.json()
    assert (answer.status_code, problem["judgment"]["reward"]) == (errors[problem["error_type"]], None)
    assert answer.headers["retry-after"]


@pytest.mark.parametrize("name", RAISING)
def test_without_a_policy_these_trainers_get_the_error(faulty, name):
    client, errors, quick = faulty
    assert DIALECTS[name].ask(client, RUBRIC, f"{name} by default", **quick).status_code in errors.values()


def test_nemo_gym_is_told_to_mask_the_rollout(faulty):
    client, _, quick = faulty
    answer = NEMO_GYM.ask(client, RUBRIC, "Masked.", **quick)
    told = answer.json()
    assert answer.status_code == 200
    assert (told["_ng_failure_class"], told["instance_config"]) == ("judge_failed", {"mask_sample": True})
    assert told["judge_failed"] == 1.0
    assert told["_ng_failure_judge_error"]
    assert "reward_components" not in told
    assert answer.headers["x-judge-substituted"].endswith("=1")


def test_openrlhfs_logs_tell_which_rewards_no_judge_gave(faulty):
    client, _, quick = faulty
    logs = OPENRLHF.ask(client, RUBRIC, "Logged.", on_error="-1", **quick).json()["extra_logs"]
    assert logs["judge_failed"] == [1.0]


def test_slimes_object_tells_whether_a_judge_gave_the_reward(faulty):
    client, _, quick = faulty
    told = SLIME.ask(client, RUBRIC, "Told.", on_error="-1", reward_key="score", **quick).json()
    assert (told["score"], told["judge_failed"]) == (-1.0, 1.0)


def test_roll_gets_the_chosen_number_and_is_told_why(faulty):
    client, errors, quick = faulty
    answer = roll_result(client, RUBRIC, roll_body("Fails."), on_error="-1", **quick)
    result = answer.json()
    assert (result["errcode"], result["reward_score"]) == (0, -1.0)
    assert result["dimention_reward_score"]["judge_failed"] == {"score": 1.0}
    assert result["errmsg"] in {f"judge failed: {error}" for error in errors}


def _busy(client: httpx.Client) -> threading.Thread:
    """Fills a server that has one place."""
    address = str(client.base_url)

    def ask() -> None:
        with httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as own:
            SLIME.ask(own, RUBRIC, "Busy.", on_error="-9", deadline_seconds="5")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    until(lambda: "judge_server_submissions_under_way 1.0" in client.get("/metrics").text)
    return thread


def test_a_full_server_sends_away_who_bears_it_and_lets_the_others_wait():
    with judged_by(only_for("Busy.", Reply(delay_seconds=HANG_SECONDS)), max_under_way=1) as (client, _):
        publish(client)
        busy = _busy(client)
        sent_away = SLIME.ask(client, RUBRIC)
        gives_up = OPENRLHF.ask(client, RUBRIC, on_error="-1", deadline_seconds="0.3")
        waits = OPENRLHF.ask(client, RUBRIC, on_error="-1", deadline_seconds="100")
        busy.join(PATIENCE_SECONDS)
    assert sent_away.status_code == 429
    assert sent_away.headers["retry-after"]
    assert gives_up.json()["rewards"] == [-1.0]
    assert gives_up.headers["x-judge-substituted"] == "overloaded=1"
    assert waits.json()["rewards"] == [pytest.approx(0.9)]


def test_a_trainer_that_hangs_up_takes_its_model_calls_along():
    with judged_by(only_for("criterion-", Reply(delay_seconds=HANG_SECONDS))) as (client, judge):
        publish(client)
        before = judge.calls
        caller = HangsUp(client, f"/trainers/openrlhf/{RUBRIC}?on_error=-1", OPENRLHF.body("Gone.", None))
        until(lambda: judge.calls - before >= 2)
        caller.leave()
        until(lambda: judge.disconnects >= 2)
        until(lambda: "judge_server_submissions_under_way 0.0" in client.get("/metrics").text)


def test_the_trainers_own_patience_bounds_the_deadline():
    assert openrlhf.PROFILE.patience_seconds < 180
    assert slime.PROFILE.patience_seconds < 120


def test_the_same_sample_again_costs_no_model_call_and_answers_the_same():
    with judged_by(faithful()) as (client, judge):
        publish(client)
        first = OPENRLHF.ask(client, RUBRIC, on_error="-1").json()
        calls = judge.calls
        again = OPENRLHF.ask(client, RUBRIC, on_error="-1").json()
        assert judge.calls == calls
    assert first == again
