"""Erasure over HTTP and on the command line: texts, audits, remembered verdicts, and a record of the act."""

import json
import sqlite3
from datetime import UTC, datetime

from tests.cli.test_runs import invoke
from tests.served import judged_by, served, settings_of
from tests.server.keys import demanding, key_of
from tests.stub_judge import faithful
from tests.submissions import rubric, submission


def test_an_erased_judgment_is_gone_and_its_verdicts_are_asked_for_again():
    with judged_by(faithful()) as (client, judge):
        made = client.post("/v1/score", json=submission(rubric=rubric(1), id="row-17")).json()
        asked = len(judge.bodies)
        client.post("/v1/score", json=submission(rubric=rubric(1), id="row-18"))
        assert len(judge.bodies) == asked
        erased = client.delete(f"/v1/judgments/{made['id']}", params={"reason": "by request"}).json()
        assert (erased["judgments"], erased["texts"], erased["verdicts"]) == (1, 0, 1)
        assert client.get(f"/v1/judgments/{made['id']}").status_code == 404
        again = client.delete(f"/v1/judgments/{made['id']}")
        assert again.json()["type"] == "urn:judge-server:error:unknown_judgment"
        client.post("/v1/score", json=submission(rubric=rubric(1)))
        assert len(judge.bodies) == asked + 1
        matched = client.post("/v1/erasures", json={"submission": "row-18", "reason": "by request"}).json()
        assert matched["judgments"] == 1
        acts = client.get("/v1/erasures").json()["erasures"]
        assert [one["wish"]["submission"] for one in acts] == ["row-18", None]
        assert "emergency" not in str(acts)
        for wish in ({"reason": "everything"}, {"submission": "x"}, {"submission": "x", "reason": " "}):
            assert client.post("/v1/erasures", json=wish).status_code == 422


def test_erasing_needs_the_scope_admin():
    secret, key = key_of("trainer", "score", "author", "label")
    with served(demanding(key)) as client:
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.delete("/v1/judgments/x", headers=headers).status_code == 403
        assert client.post("/v1/erasures", headers=headers, json={"run": "r", "reason": "x"}).status_code == 403


def test_the_database_commands_tell_what_is_there_and_change_nothing_in_a_dry_run(tmp_path):
    url = f"sqlite:///{tmp_path / 'judge.db'}"
    with served(settings_of(database=url)) as client:
        client.post("/v1/score", json=submission(id="row-17"))
    shown = invoke("database", "current", "--database", url)
    assert "migrated by judge-server 0.1.0" in shown.stdout, shown.output
    assert invoke("database", "check", "--database", url).exit_code == 0
    assert "evaluation" in invoke("database", "stats", "--database", url).stdout
    rehearsed = invoke("database", "downgrade", "0012", "--dry-run", "--database", url)
    assert "DROP TABLE erasure" in rehearsed.stdout, rehearsed.output
    assert invoke("database", "check", "--database", url).exit_code == 0
    assert invoke("database", "downgrade", "0011", "--database", url).exit_code == 0
    different = invoke("database", "check", "--database", url)
    assert different.exit_code == 1
    assert "the revision is 0011" in different.stdout
    assert "add table erasure" in different.stdout
    unknown = invoke("database", "downgrade", "nonsense", "--database", url)
    assert unknown.exit_code == 2
    assert "from revision 0011" in unknown.output
    assert "PRAGMA" not in rehearsed.output
    reading = invoke("show", "--rubric", "test/listed", "--database", url)
    assert reading.exit_code == 2
    assert "database upgrade" in reading.output
    assert "0011" in invoke("database", "current", "--database", url).stdout
    assert "CREATE TABLE text" in invoke("database", "upgrade", "--dry-run", "--database", url).stdout
    assert invoke("database", "upgrade", "--database", url).exit_code == 0
    assert invoke("show", "--rubric", "test/listed", "--database", url).exit_code == 0
    erased = invoke("database", "erase", "--submission", "row-17", "--reason", "by request", "--database", url)
    assert ": 1 judgment, 2 texts" in erased.stdout, erased.output
    assert invoke("database", "erase", "--reason", "x", "--database", url).exit_code == 2


def test_a_database_of_a_newer_version_names_the_version_that_wrote_it(tmp_path):
    url = f"sqlite:///{tmp_path / 'judge.db'}"
    with served(settings_of(database=url)):
        pass
    connection = sqlite3.connect(tmp_path / "judge.db", isolation_level=None)
    connection.execute("UPDATE judge_server_version SET version_num = '9999'")
    connection.execute("INSERT INTO migrated_by VALUES ('9999', '7.1.0')")
    connection.close()
    for command in (("show", "x"), ("database", "upgrade")):
        refused = invoke(*command, "--database", url)
        assert refused.exit_code == 2
        assert "judge-server 7.1.0 migrated it" in refused.output
    assert "newer judge-server" in invoke("database", "current", "--database", url).stdout


def test_old_judgments_are_pruned_by_the_configuration(tmp_path):
    url = f"sqlite:///{tmp_path / 'judge.db'}"
    with served(settings_of(database=url)) as client:
        client.post("/v1/score", json=submission())
    connection = sqlite3.connect(tmp_path / "judge.db", isolation_level=None)
    connection.execute("UPDATE judgment SET created_us = created_us - 40 * 86400 * 1000000")
    connection.close()
    config = tmp_path / "judge-server.toml"
    config.write_text("[retention_days]\nevaluation = 30\n")
    command = ("database", "prune", "--database", url, "--config", config)
    assert "1 judgment older than 30 days would be removed" in invoke(*command, "--dry-run").stdout
    assert "1 judgment older than 30 days removed" in invoke(*command).stdout
    assert "0 judgments" in invoke(*command).stdout
    kept = invoke("database", "prune", "--database", url)
    assert "every judgment is kept" in kept.stdout


def test_remembered_verdicts_are_counted_with_their_days_and_pruned_by_age(tmp_path):
    file = tmp_path / "judge.db"
    with judged_by(faithful(), database=f"sqlite:///{file}") as (client, _):
        assert client.post("/v1/score", json=submission(rubric=rubric(1, 2, 3))).status_code == 200
    command = ("database", "prune", "--database", f"sqlite:///{file}")
    assert "0 remembered verdicts older than 90 days would be removed" in invoke(*command, "--dry-run").stdout
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("UPDATE verdict SET day = day - 100")
    connection.close()
    stats = json.loads(invoke("database", "stats", "--json", "--database", f"sqlite:///{file}").stdout)
    assert stats["remembered"]["verdicts"] == 3
    assert stats["remembered"]["oldest"] == stats["remembered"]["newest"] < datetime.now(UTC).isoformat()
    assert "3 remembered verdicts older than 90 days would be removed" in invoke(*command, "--dry-run").stdout
    assert "3 remembered verdicts older than 90 days removed" in invoke(*command).stdout
    assert "0 remembered verdicts" in invoke(*command).stdout


def test_judgments_are_listed_and_erased_by_tag():
    with judged_by(faithful()) as (client, _):
        of = {name: submission(rubric=rubric(1), id=name, response=f"Call for help, {name}.") for name in "abc"}
        made = {
            "a": client.post("/v1/score", json=of["a"] | {"tags": ["site-7", "consented"]}).json()["id"],
            "b": client.post("/v1/score", json=of["b"] | {"tags": ["consented", "consented"]}).json()["id"],
            "c": client.post("/v1/score", json=of["c"]).json()["id"],
        }
        group = {"prompt": "Help?", "responses": ["Call."], "rubric": rubric(1), "tags": ["site-8"]}
        grouped = client.post("/v1/score/group", json=group)
        assert grouped.status_code == 200, grouped.text

        def tagged(tag):
            return {one["id"] for one in client.get("/v1/judgments", params={"tag": tag}).json()["judgments"]}

        assert tagged("consented") == {made["a"], made["b"]}
        assert len(tagged("site-8")) == 1
        assert client.get(f"/v1/judgments/{made['a']}").json()["submitted"]["tags"] == ["site-7", "consented"]
        erased = client.delete("/v1/judgments", params={"tag": "site-7", "reason": "withdrawn"}).json()
        assert (erased["judgments"], erased["wish"]["tag"], erased["wish"]["reason"]) == (1, "site-7", "withdrawn")
        assert tagged("site-7") == set()
        assert tagged("consented") == {made["b"]}
        both = {"tag": "consented", "submission": "c", "reason": "matches none"}
        assert client.post("/v1/erasures", json=both).json()["judgments"] == 0
        assert client.post("/v1/erasures", json={"tag": "consented", "reason": "x"}).json()["judgments"] == 1
        assert client.get(f"/v1/judgments/{made['c']}").status_code == 200
        assert client.delete("/v1/judgments").status_code == 422, "never everything"
        for wrong in ([""], ["x" * 101], [str(number) for number in range(21)], "site", [3]):
            assert client.post("/v1/score", json=of["c"] | {"tags": wrong}).status_code == 422


def test_erasing_by_tag_needs_the_scope_admin_too():
    secret, key = key_of("trainer", "score", "author", "label")
    with served(demanding(key)) as client:
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.delete("/v1/judgments", params={"tag": "x"}, headers=headers).status_code == 403


def test_the_command_line_shows_and_erases_by_tag(tmp_path):
    url = f"sqlite:///{tmp_path}/judge.db"
    with served(settings_of(database=url)) as client:
        for name in "ab":
            sent = submission(rubric=rubric(1), id=name, response=f"Call for help, {name}.") | {
                "tags": [f"site-{name}"]
            }
            assert client.post("/v1/score", json=sent).status_code == 200
    shown = invoke("show", "--tag", "site-a", "--json", "--database", url).stdout
    assert shown.count('"jdg_') == 1
    told = invoke("database", "erase", "--tag", "site-a", "--reason", "withdrawn", "--database", url).stdout
    assert "1 judgment" in told
    assert "jdg_" not in invoke("show", "--tag", "site-a", "--json", "--database", url).output
