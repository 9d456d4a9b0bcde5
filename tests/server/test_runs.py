"""A run keeps its reward in every process that shares the store, and the store tells what rewarded which steps."""

import logging
from contextlib import ExitStack
from datetime import UTC, datetime

from judge_server.core.calibration import RULES
from judge_server.core.fitted_map import FittedMap, MapSet, Platt, Quality
from tests.served import judged_by, served, settings_of, until
from tests.stub_judge import faithful
from tests.submissions import submission

RUBRIC = """\
id: t/hot
version: {version}
title: Short
aggregate: {{kind: points, clip: [0, 1]}}
criteria:
  - id: short
    statement: Names water.
    points: 1
"""
KIND = {
    "id": "t/kind",
    "version": "1.0.0",
    "title": "Kind",
    "criteria": [{"id": "kind", "statement": "Is kind.", "points": 1}],
}
HELD = {"run": "grpo-7", "step": 3, "rubric": "t/hot"}


def rubric_folder(tmp_path, version="1.0.0"):
    folder = tmp_path / "t"
    folder.mkdir(exist_ok=True)
    (folder / "hot.yaml").write_text(RUBRIC.format(version=version))
    return (tmp_path,)


def database(tmp_path):
    return f"sqlite:///{tmp_path / 'judge.db'}"


def score(client, **more):
    return client.post("/v1/score", json=submission(**HELD | more))


def test_another_judge_in_a_second_server_stops_the_run_with_step_and_both_values(tmp_path):
    rubrics, url = rubric_folder(tmp_path), database(tmp_path)
    with served(settings_of(database=url, rubrics=rubrics)) as client:
        assert score(client).status_code == 200
    with served(settings_of(database=url, rubrics=rubrics, judge={"mode": "reason"})) as client:
        refused = score(client, step=9)
        assert refused.status_code == 409
        problem = refused.json()
        assert problem["type"] == "urn:judge-server:error:reward_changed"
        assert problem["step"] == 9
        assert [(one["kind"], one["name"]) for one in problem["changes"]] == [("judge", "default judge")]
        assert "baseline direct" in problem["changes"][0]["pinned"]
        assert "baseline reason" in problem["changes"][0]["now"]
        assert "run repin" in problem["remedy"]
        assert score(client, run="grpo-8").status_code == 200
        assert score(client, run=None).status_code == 200
        batch = {"items": [submission(**HELD), submission(**HELD | {"run": "other"})]}
        results = client.post("/v1/score/batch", json=batch).json()["results"]
        assert [(one["error"] or {}).get("type") for one in results] == ["reward_changed", None]
        group = {"prompt": "p", "responses": ["Drink water.", "Rest."], "rubric": "t/hot", "run": "grpo-7"}
        rewards = client.post("/v1/score/group", json=group).json()
        assert [one["error"]["type"] for one in rewards["results"]] == ["reward_changed"] * 2


def test_a_change_under_on_change_warn_is_recorded_once_and_said_in_every_judgment(tmp_path, caplog):
    rubrics, url = rubric_folder(tmp_path), database(tmp_path)
    with served(settings_of(database=url, rubrics=rubrics)) as client:
        assert score(client).json()["notices"] == []
    with served(settings_of(database=url, rubrics=rubrics, judge={"mode": "reason"})) as client:
        with caplog.at_level(logging.WARNING, logger="judge_server.scoring.run_pins"):
            for step in (9, 10):
                told = score(client, step=step, on_change="warn").json()["notices"]
                assert len(told) == 1
                assert "judge 'default judge' of the run was baseline direct" in told[0]
        assert sum("at step 9" in record.message for record in caplog.records) == 1
        assert not any("at step 10" in record.message for record in caplog.records)
        summary = client.get("/v1/runs/summary", params={"run": "grpo-7"}).json()
        assert [(one["act"], one["kind"], one["step"]) for one in summary["changes"]] == [("accepted", "judge", 9)]
        assert score(client).status_code == 409


def test_a_new_version_of_a_rubric_asked_without_one_stops_the_run(tmp_path):
    rubrics = rubric_folder(tmp_path)
    with served(settings_of(database=database(tmp_path), rubrics=rubrics)) as client:
        assert score(client).status_code == 200
        rubric_folder(tmp_path, "1.1.0")
        until(lambda: score(client).status_code == 409)
        (change,) = score(client).json()["changes"]
    assert change["kind"] == "rubric"
    assert change["pinned"].startswith("t/hot 1.0.0".replace(" ", "@", 1))
    assert change["now"].startswith("t/hot@1.1.0 ")


def test_other_vetoes_of_the_guard_stop_the_run(tmp_path):
    rubrics, url = rubric_folder(tmp_path), database(tmp_path)
    with served(settings_of(database=url, rubrics=rubrics)) as client:
        guard = score(client).json()["guard"]
    with served(settings_of(database=url, rubrics=rubrics, veto=("injection_suspected",))) as client:
        (change,) = score(client).json()["changes"]
    assert change == {
        "kind": "guard",
        "name": "",
        "pinned": guard,
        "now": f"{guard} veto injection_suspected",
    }


def test_two_servers_at_once_agree_on_the_pin_and_a_repin_reaches_both(tmp_path):
    rubrics, url = rubric_folder(tmp_path), database(tmp_path)
    with ExitStack() as stack:
        first = stack.enter_context(served(settings_of(database=url, rubrics=rubrics)))
        second = stack.enter_context(served(settings_of(database=url, rubrics=rubrics, judge={"mode": "reason"})))
        assert score(first).status_code == 200
        assert score(second).status_code == 409
        made = first.post("/v1/runs/repin", json={"run": "grpo-7", "reason": "the judge explains now"}).json()
        assert made["pins"] == []
        assert {one["kind"] for one in made["changes"]} == {"guard", "judge", "maps", "rubric", "server"}
        assert {one["reason"] for one in made["changes"]} == {"the judge explains now"}
        assert score(second).status_code == 200
        until(lambda: score(first).status_code == 409)
        assert first.post("/v1/runs/repin", json={"run": "grpo-7", "reason": " "}).status_code == 422


def test_the_summary_says_what_rewarded_which_steps(tmp_path):
    rubrics, url = rubric_folder(tmp_path), database(tmp_path)
    with served(settings_of(database=url, rubrics=rubrics)) as client:
        rewards = [score(client, step=step, response=f"Drink water. {step}").json()["reward"] for step in (0, 1, 1)]
    with served(settings_of(database=url, rubrics=rubrics, judge={"mode": "reason"})) as client:
        later = score(client, step=5, on_change="warn").json()
        summary = client.get("/v1/runs/summary", params={"run": "grpo-7"}).json()
        assert client.get("/v1/runs").json() == {"runs": ["grpo-7"]}
        missing = client.get("/v1/runs/summary", params={"run": "none"})
    first, second = summary["sources"]
    assert (first["first_step"], first["last_step"], first["steps"], first["judgments"]) == (0, 1, 2, 3)
    assert first["ok"] == 3
    assert abs(first["mean_reward"] - sum(rewards) / 3) < 1e-9
    assert first["rubric"]["digest"] == later["rubric"]["digest"]
    assert (second["first_step"], second["judgments"]) == (5, 1)
    assert second["fingerprint"] == later["judge"]["fingerprint"] != first["fingerprint"]
    assert second["guard"] == later["guard"]
    assert missing.json()["type"] == "urn:judge-server:error:unknown_run"


def test_prompts_are_followed_over_steps_and_equal_groups_are_counted(tmp_path):
    with served(settings_of(database=database(tmp_path), rubrics=rubric_folder(tmp_path))) as client:
        for step in (0, 1):
            for response in ("Drink water now.", "Rest."):
                score(client, prompt="What helps?", response=response, step=step)
                score(client, prompt="And what else?", response="Drink water now.", step=step)
        found = client.get("/v1/runs/prompts", params={"run": "grpo-7"}).json()
    assert (found["prompts"], found["groups"], found["equal_groups"]) == (2, 4, 2)
    equal, other = found["listed"]
    assert (equal["excerpt"], equal["equal_groups"]) == ("And what else?", 2)
    assert (other["excerpt"], other["equal_groups"]) == ("What helps?", 0)
    assert [(one["step"], one["rewards"], one["equal"]) for one in equal["steps"]] == [(0, 2, True), (1, 2, True)]


def test_a_prerelease_version_is_refused_for_training_unless_allowed(tmp_path):
    rubrics = rubric_folder(tmp_path, "1.1.0-draft")
    asked = {"rubric": "t/hot@1.1.0-draft", "step": None}
    with served(settings_of(rubrics=rubrics)) as client:
        for training in ({}, {"run": None, "priority": "training"}):
            refused = score(client, **asked | training)
            assert refused.status_code == 409
            assert refused.json()["type"] == "urn:judge-server:error:prerelease_refused"
        assert "prerelease" in score(client, **asked, run=None).json()["notices"][0]
    with served(settings_of(rubrics=rubrics, allow_prereleases=True)) as client:
        assert "prerelease" in score(client, **asked).json()["notices"][0]


def test_a_map_that_is_fitted_during_the_run_stops_it(tmp_path):
    rubrics, url = rubric_folder(tmp_path), database(tmp_path)
    with served(settings_of(database=url, rubrics=rubrics)) as client:
        judgment = score(client).json()
    quality = Quality(
        labels=9, items=9, clusters=9, folds=3, brier_before=0.2, brier_after=0.1, ece_before=0.2, ece_after=0.1
    )
    maps = MapSet(
        judge="default",
        fingerprint=judgment["judge"]["fingerprint"],
        rubric=judgment["rubric"],
        labels="sha256:1",
        maps={
            "short": FittedMap(curve=Platt(kind="platt", slope=1.0, intercept=0.5), pool="criterion", quality=quality)
        },
        rules=RULES,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    path = tmp_path / "maps.json"
    path.write_text(maps.to_json())
    with served(settings_of(database=url, rubrics=rubrics, fitted_maps=(path,))) as client:
        (change,) = score(client).json()["changes"]
    assert (change["kind"], change["pinned"], change["now"]) == ("maps", "none", maps.id)


def test_the_pins_of_a_run_ask_the_judge_nothing_more():
    calls = {}
    for run in (None, "grpo-7"):
        with judged_by(faithful()) as (client, judge):
            before = judge.calls
            for step in range(6):
                item = submission(response=f"Drink water, glass {step}.", rubric=KIND, run=run, step=step)
                assert client.post("/v1/score", json=item).json()["reward"] is not None
            calls[run] = judge.calls - before
    assert calls["grpo-7"] == calls[None] == 6
