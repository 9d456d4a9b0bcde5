"""What a page in a browser can make the server do: nothing."""

import pytest

from judge_server.server.middleware.host_guard import trusted_names
from judge_server.settings.settings import Settings
from tests.served import served, settings_of
from tests.server.keys import bearer, demanding, key_of, problem
from tests.submissions import checking, submission

BODY = submission(rubric=checking())


@pytest.fixture(scope="module")
def client():
    with served(settings_of(trusted_hosts=("judge.internal",))) as open_client:
        yield open_client


@pytest.fixture(scope="module")
def plain():
    with served(settings_of()) as open_client:
        yield open_client


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:9", "localhost", "LOCALHOST:1", "[::1]:8000", "10.0.0.7", "judge.internal:80"]
)
def test_addresses_localhost_and_trusted_names_are_answered(client, host):
    assert client.get("/v1/judges", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "a" * 5_000, "é"]
)
def test_a_name_that_was_made_to_point_here_is_not(client, plain, host):
    for server in (client, plain):
        refused = server.post("/v1/score", json=BODY, headers={"Host": host.encode()})
        assert host not in problem(refused, 421, "untrusted_host")["detail"]
    assert client.get("/healthz", headers={"Host": host.encode()}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_what_another_sites_page_sends_is_not_done(client, headers):
    simple = {"Content-Type": "text/plain"} | headers
    problem(client.post("/v1/score", json=BODY, headers=headers), 403, "forbidden")
    problem(client.post("/v1/rubrics", content=b"id: a/b", headers=simple), 403, "forbidden")
    problem(client.delete("/v1/jobs/job_" + "0" * 24, headers=headers), 403, "forbidden")
    answer = client.get("/v1/judges", headers=headers)
    assert answer.status_code == 200
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_the_servers_own_page_and_programs_may_send(client):
    own = f"http://127.0.0.1:{client.base_url.port}"
    for headers in ({}, {"Origin": own}, {"Origin": own, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    ):  # fmt: skip
        assert client.post("/v1/score", json=BODY, headers=headers).status_code == 200


def test_a_proxy_that_changes_the_host_is_trusted_by_its_name(client):
    headers = {"Origin": "https://judge.internal"}
    assert client.post("/v1/score", json=BODY, headers=headers).status_code == 200


def test_a_key_does_not_help_another_sites_page():
    text, key = key_of()
    with served(demanding(key)) as client:
        headers = bearer(text) | {"Origin": "https://evil.example"}
        problem(client.post("/v1/score", json=BODY, headers=headers), 403, "forbidden")
        assert client.get("/v1/judges", headers=bearer(text) | {"Host": "any.name"}).status_code == 200


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (Settings(), {"127.0.0.1"}),
        (Settings(host="0.0.0.0", authentication="off"), None),
        (Settings(host="0.0.0.0"), None),
        (Settings(host="0.0.0.0", trusted_hosts=("Judge.Internal",)), {"judge.internal", "0.0.0.0"}),
    ],
)
def test_names_matter_where_no_key_is_demanded_on_loopback_or_where_they_are_given(settings, names):
    assert trusted_names(settings) == (None if names is None else frozenset(names))
