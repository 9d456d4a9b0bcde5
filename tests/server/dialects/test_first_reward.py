"""No training on nothing: until a sample of a URL has been judged, what fails for good is an error and not a number."""

import pytest

from judge_server.server.dialects.first_reward import IN_A_ROW
from tests.served import served, settings_of
from tests.server.dialects.conftest import RUBRIC, publish
from tests.server.dialects.exchanges import DIALECTS, OPENRLHF
from tests.stub_judge import StubJudge, faithful

NUMBER = {"on_error": "-0.5"}
UNREADABLE = {"rubrics": "a member that an envelope does not have"}
OTHER_ENVELOPES = {"roll", "nemo-gym", "azure"}
LABELLED = sorted(name for name, one in DIALECTS.items() if one.labelled and name not in OTHER_ENVELOPES)
GOOD = "Call the emergency number now, please."


@pytest.fixture
def server():
    with StubJudge(faithful(0.9)) as judge, served(settings_of(judge.specification)) as client:
        publish(client)
        yield client


def batch(count, *, good=0):
    """OpenRLHF's, with ``good`` samples whose prompt can be split off."""
    queries = [f"prompt {place} {GOOD}" if place < good else f"other {place}" for place in range(count)]
    return {"query": queries, "prompts": [f"prompt {place}" for place in range(count)], "labels": None}


def ask(client, count, *, good=0, **query):
    return client.post(f"/trainers/openrlhf/{RUBRIC}", params=NUMBER | query, json=batch(count, good=good))


@pytest.mark.parametrize("name", LABELLED)
def test_a_first_sample_that_can_never_be_judged_is_an_error(server, name):
    answer = DIALECTS[name].ask(server, RUBRIC, label=UNREADABLE | {"rubric": RUBRIC}, **NUMBER)

    assert answer.status_code == 422, answer.text
    assert "No sample of this URL has been judged yet" in answer.json()["detail"]


def test_one_good_sample_is_enough_and_then_single_bad_ones_get_the_number(server):
    assert ask(server, 2).status_code == 422
    assert ask(server, 2, good=1).json()["rewards"] == [pytest.approx(0.9), -0.5]
    assert ask(server, 1).json()["rewards"] == [-0.5]


def test_a_whole_request_and_several_in_a_row_are_errors_later_too(server):
    assert ask(server, 1, good=1).status_code == 200
    whole = ask(server, 2)
    assert whole.status_code == 422
    assert "No sample can be judged any more" in whole.json()["detail"]
    assert ask(server, 1, good=1).status_code == 200
    found = [ask(server, 1).status_code for _ in range(IN_A_ROW)]
    assert found == [200] * (IN_A_ROW - 1) + [422]


def test_a_run_that_has_had_a_reward_keeps_its_number_over_a_restart_of_the_server(tmp_path):
    with StubJudge() as judge:
        settings = settings_of(judge.specification, database=f"sqlite:///{tmp_path}/judge.db")
        with served(settings) as client:
            publish(client)
            assert ask(client, 1, good=1, run="night-1").status_code == 200
        with served(settings) as client:
            assert ask(client, 1, run="night-1").status_code == 200
            assert ask(client, 1, run="night-2").status_code == 422


def test_a_run_whose_judge_changed_gets_no_number():
    with StubJudge(faithful(0.9)) as judge:
        settings = settings_of(judge.specification, canary="warn", recognition_seconds=0)
        with served(settings) as client:
            publish(client)
            assert ask(client, 1, good=1, run="night-1").status_code == 200
            judge.stop()
            with StubJudge(faithful(0.2), port=judge.port):
                first = client.post(
                    f"/trainers/openrlhf/{RUBRIC}",
                    params=NUMBER | {"run": "night-1"},
                    json={"query": ["prompt another answer"], "prompts": ["prompt"], "labels": None},
                )
                assert first.json()["rewards"] == [-0.5]
                assert "judge_changed" in first.headers["x-judge-substituted"]
                stopped = ask(client, 1, good=1, run="night-1")
                assert stopped.status_code == 409
                assert stopped.json()["type"] == "urn:judge-server:error:reward_changed"


def test_the_log_says_why(server, caplog):
    OPENRLHF.ask(server, RUBRIC, label=UNREADABLE | {"rubric": RUBRIC}, **NUMBER)
    assert "on_error does not apply" in caplog.text
