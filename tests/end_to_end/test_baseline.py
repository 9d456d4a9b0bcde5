"""One service, two doors: the same hundred answers get the same rewards over HTTP and by the command line."""

import pytest

from tests.command import serving
from tests.end_to_end.answers import COUNT, submissions
from tests.end_to_end.both_ways import by_command, kept_in, over_http, read_back, said


def test_a_hundred_answers_get_the_same_rewards_both_ways_and_are_all_read_back(tmp_path):
    items, database = submissions(), f"sqlite:///{tmp_path}/command.db"
    with serving("--model", "baseline", "--database", f"sqlite:///{tmp_path}/http.db", cwd=tmp_path) as (client, _):
        judged = over_http(client, items)
        remembered = read_back(client)
        one = client.get(f"/v1/judgments/{judged[0]['id']}").json()
    repeated = by_command(tmp_path, items, "--model", "baseline", "--database", database)
    assert said(judged) == said(repeated)
    assert all(result["reward"] is not None for result in judged)
    assert len({result["reward"] for result in judged}) > 20
    assert {result["id"]: result for result in judged} == remembered
    assert len(remembered) == COUNT
    assert one["submitted"]["response"] == items[0]["response"]
    assert {(kept.id, kept.reward) for kept in kept_in(database)} == {(one["id"], one["reward"]) for one in repeated}


@pytest.mark.postgres
def test_the_service_runs_on_postgresql_from_the_first_request_to_the_restart(tmp_path, postgres):
    url = postgres.new_database()
    items = submissions()[:20]
    flags = ("--model", "baseline", "--database", url)
    with serving(*flags, cwd=tmp_path) as (client, server):
        judged = over_http(client, items)
        nul = client.post("/v1/score", json={**items[0], "response": "Call\x00now.", "group": "nul"}).json()
        assert client.get("/readyz").json()["status"] == "ready"
        assert client.get("/v1/judgments", params={"group": "\x00"}).json()["judgments"] == []
        assert "secret-word" not in "".join(server.log)
    with serving(*flags, cwd=tmp_path) as (client, _):
        remembered = read_back(client)
        repeated = over_http(client, items)
        again = over_http(client, [{**one, "id": f"{one['id']}-again"} for one in items])
        assert client.get(f"/v1/judgments/{nul['id']}").json()["submitted"]["response"] == "Call\x00now."
    assert {result["id"]: result for result in judged} | {nul["id"]: nul} == remembered
    assert repeated == judged
    assert [one[1:] for one in said(again)] == [one[1:] for one in said(judged)]
    asked = [
        one for result in again for one in result["verdicts"] if one["source"] == "judge" and one["met"] is not None
    ]
    assert [v for v in asked if not v["cached"]] == []
    assert not list(tmp_path.glob("*.db"))
