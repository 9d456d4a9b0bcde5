"""``judge-server keys`` as a process, with servers that go by what it wrote."""

import json
import tomllib

import httpx
import pytest

from judge_server.core.api_key import digest_of, id_in
from tests.command import judge_server, serving
from tests.served import until
from tests.server.keys import bearer
from tests.submissions import checking, submission
from tests.yardstick import PATIENCE_SECONDS

BODY = submission(rubric=checking())


def create(cwd, *flags: str) -> str:
    made = judge_server("keys", "create", *flags, cwd=cwd)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_a_key_is_printed_once_lets_in_is_listed_and_can_be_revoked(tmp_path):
    key = create(tmp_path, "run-7", "--expires", "30d")
    with serving("--auth", cwd=tmp_path) as (client, server):
        assert client.post("/v1/score", json=BODY).status_code == 401
        assert client.post("/v1/score", json=BODY, headers=bearer(key)).status_code == 200
        late = create(tmp_path, "late", "--scope", "admin")
        until(lambda: client.get("/metrics", headers=bearer(late)).status_code == 200)
        (revoked,) = json.loads(judge_server("keys", "revoke", "run-7", "--json", cwd=tmp_path).stdout)
        assert revoked["id"] == id_in(key)
        until(lambda: client.post("/v1/score", json=BODY, headers=bearer(key)).status_code == 401)
        assert client.get("/metrics", headers=bearer(late)).status_code == 200
    listed = judge_server("keys", "list", "--json", cwd=tmp_path)
    keys = {one["name"]: one for one in json.loads(listed.stdout)}
    assert keys["run-7"]["scopes"] == ["score"]
    assert keys["run-7"]["revoked_at"]
    assert keys["late"]["last_used_at"]
    shown = judge_server("keys", "list", cwd=tmp_path).stdout
    assert "was revoked" in shown
    for text in (listed.stdout, shown, *server.log, (tmp_path / "judge-server.db").read_bytes().decode("latin-1")):
        assert key.rpartition("_")[2] not in text


def test_a_server_that_others_can_reach_does_not_start_without_a_key(tmp_path):
    refused = judge_server("serve", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path)
    assert refused.returncode == 2
    assert "judge-server keys create NAME" in refused.stderr
    assert "--no-auth" in refused.stderr
    assert "Traceback" not in refused.stderr
    key = create(tmp_path, "someone")
    with serving("--host", "0.0.0.0", cwd=tmp_path) as (client, _):
        here = httpx.URL(f"http://127.0.0.1:{client.base_url.port}/v1/judges")
        assert httpx.get(here, timeout=PATIENCE_SECONDS).status_code == 401
        assert httpx.get(here, headers=bearer(key), timeout=PATIENCE_SECONDS).status_code == 200


def test_the_advice_without_a_key_names_the_command_that_makes_one_where_the_server_looks(tmp_path):
    (tmp_path / "mine.toml").write_text('authentication = "required"\ndatabase_url = "sqlite:///other.db"\n')
    refused = judge_server("serve", "--port", "0", "--config", "mine.toml", cwd=tmp_path)
    advised = "judge-server keys create NAME --scope score --config mine.toml"
    assert advised in refused.stderr
    assert "bind to 127.0.0.1" not in refused.stderr
    assert judge_server(*advised.split()[1:], cwd=tmp_path).returncode == 0
    with serving("--config", "mine.toml", cwd=tmp_path) as (client, _):
        assert client.get("/v1/judges").status_code == 401


def test_whoever_wants_no_keys_has_to_say_so_and_is_warned(tmp_path):
    with serving("--host", "0.0.0.0", "--no-auth", cwd=tmp_path) as (client, server):
        here = f"http://127.0.0.1:{client.base_url.port}/v1/judges"
        assert httpx.get(here, timeout=PATIENCE_SECONDS).status_code == 200
        until(lambda: any("may do anything" in line for line in server.log))


def test_a_key_can_stand_in_the_configuration_alone(tmp_path):
    flags = ("--scope", "score", "--submissions-per-request", "2", "--expires", "2w", "--print-config")
    key, _, table = create(tmp_path, "trainer@host", *flags).partition("\n")
    (kept,) = tomllib.loads(table)["api_keys"].values()
    assert kept["sha256"] == digest_of(key)
    assert not (tmp_path / "judge-server.db").exists()
    config = tmp_path / "server.toml"
    config.write_text(table, "utf-8")
    with serving("--auth", "--config", config, cwd=tmp_path) as (client, _):
        assert client.post("/v1/score", json=BODY, headers=bearer(key)).status_code == 200
        assert client.post("/v1/score/batch", json={"items": [BODY] * 3}, headers=bearer(key)).status_code == 413
    refused = judge_server("keys", "revoke", "trainer@host", "--config", config, cwd=tmp_path)
    assert refused.returncode == 2
    assert "take it out of api_keys" in refused.stderr


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("create", "a name"), "NAME: 'a name' cannot be one. Use at most 80 of"),
        (("create", "a", "--burst", "5"), "--burst: how many at once is counted beside --requests-per-second only"),
        (("create", "a", "--requests-per-second", "9e9"), "--requests-per-second: Input should be less than"),
        (("create", "a", "--expires", "soon"), "--expires: 'soon' is no time"),
        (("create", "a", "--expires", "2020-01-01"), "has passed"),
        (("create", "a", "--scope", "root"), "--scope: 'root' is not known. Known: score, author, label, admin"),
        (("revoke", "nobody"), "There is no database"),
        (("list",), "Name the server's own with --database, DATABASE_URL or --config"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path, flags, told):
    refused = judge_server("keys", *flags, cwd=tmp_path)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert refused.stdout == ""


def test_a_key_that_leaked_is_revoked_as_it_was_found(tmp_path):
    key = create(tmp_path, "leaky")
    assert "was revoked" in judge_server("keys", "revoke", key, cwd=tmp_path).stdout
    again = judge_server("keys", "revoke", key, cwd=tmp_path)
    assert again.returncode == 2
    assert f"No valid API key has the id or name {id_in(key)}" in again.stderr


def test_the_key_is_alone_on_standard_output(tmp_path):
    made = judge_server("keys", "create", "a", cwd=tmp_path)
    assert id_in(made.stdout.strip())
    assert f"only time that the key is shown. {tmp_path / 'judge-server.db'} keeps its digest." in made.stderr
    described = json.loads(judge_server("keys", "create", "b", "--scope", "label", "--json", cwd=tmp_path).stdout)
    assert id_in(described["key"]) == described["id"]
    assert "sha256" not in described
