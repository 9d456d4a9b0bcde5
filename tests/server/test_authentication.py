"""API keys at the door: who is let in, by what, and what nobody reads before."""

import asyncio
import base64
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import aiohttp
import httpx
import pytest

from judge_client import Client, Refused
from judge_server.core.caller import current_caller
from judge_server.core.errors import StoreUnavailable, Unauthorized
from judge_server.server.app import create_app
from judge_server.server.dialects.decisions import ERROR_SHAPES
from judge_server.server.middleware.authentication import KeyRing, presented_key
from judge_server.settings.settings import Settings
from judge_server.store import Store
from tests.served import served, settings_of
from tests.server.keys import bearer, demanding, key_of, problem
from tests.submissions import submission
from tests.yardstick import PATIENCE_SECONDS

SCORE, SCORING = key_of("trainer", "score")
AUTHOR, AUTHORING = key_of("author", "author")
LABEL, LABELLING = key_of("labeller", "label")
ADMIN, ADMINISTRATING = key_of("admin", "admin")
KEYS = {"trainer": SCORE, "author": AUTHOR, "labeller": LABEL, "admin": ADMIN}
OLD, EXPIRED = key_of("old", "admin", expires_at=datetime.now(UTC) - timedelta(seconds=1))


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with served(demanding(SCORING, AUTHORING, LABELLING, ADMINISTRATING, EXPIRED)) as open_client:
        yield open_client


def operations() -> list[tuple[str, str, bool]]:
    """Method, path with anything in its placeholders, and whether it demands a key."""
    paths = create_app(Settings(authentication="required")).openapi()["paths"]
    return [
        (method.upper(), path.replace("{", "").replace("}", ""), "security" in operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


@pytest.mark.parametrize(("method", "path", "demands"), operations())
def test_only_health_can_be_asked_without_a_key(client, method, path, demands):
    answer = client.request(method, path)
    if path in ERROR_SHAPES:
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    elif demands:
        problem(answer, 401, "unauthorized")
    if demands:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    else:
        assert path in ("/healthz", "/readyz")
        assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_what_the_server_can_do_is_no_secret(client, path):
    assert client.get(path).status_code == 200


def test_what_is_not_there_is_not_told_to_strangers(client):
    problem(client.get("/no/such/route"), 401, "unauthorized")
    problem(client.get("/no/such/route", headers=bearer(SCORE)), 404, "not_found")


@pytest.mark.parametrize(
    "headers",
    [
        bearer(SCORE),
        {"Authorization": f"bearer   {SCORE}"},
        {"X-API-Key": SCORE},
        {"Authorization": "Basic " + base64.b64encode(f"any:{SCORE}".encode()).decode()},
        {"Authorization": "Basic " + base64.b64encode(f"{SCORE}:".encode()).decode()},
    ],
    ids=["bearer", "bearer in other letters", "header", "password", "user"],
)
def test_a_key_comes_as_bearer_as_header_or_as_password(client, headers):
    assert client.post("/v1/score", json=submission(), headers=headers).status_code == 200


def with_password(client: httpx.Client) -> str:
    return str(client.base_url.copy_with(username="any", password=SCORE, path="/v1/score"))


def test_a_key_in_a_url_is_sent_in_a_header_by_httpx(client):
    answer = httpx.post(with_password(client), json=submission(), timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200
    assert answer.request.url.raw_path == b"/v1/score"


async def test_a_key_in_a_url_is_sent_in_a_header_by_aiohttp(client):
    url = with_password(client)
    async with aiohttp.ClientSession() as session, session.post(url, json=submission()) as answer:
        assert answer.status == 200
        assert SCORE not in str(answer.url)


def test_a_key_in_the_query_is_no_key(client):
    problem(client.post(f"/v1/score?key={SCORE}&api_key={SCORE}", json=submission()), 401, "unauthorized")


@pytest.mark.parametrize(
    "wrong",
    ["", "jsk_", SCORE[:-1], SCORE + "0", f"{SCORE[:17]}{'0' * 64}", key_of()[0], OLD, "é", "Bearer"],
    ids=["empty", "prefix", "cut off", "too long", "forged", "unknown", "expired", "not ascii", "scheme"],
)
def test_a_wrong_key_is_refused_and_not_repeated(client, wrong):
    answer = client.post("/v1/score", json=submission(), headers={"X-API-Key": wrong.encode()})
    problem(answer, 401, "unauthorized")
    assert len(wrong) < 20 or wrong not in answer.text


def test_an_expired_key_says_so_to_its_owner_only(client):
    assert "has expired" in client.get("/v1/judges", headers=bearer(OLD)).json()["detail"]
    forged = f"{OLD[:17]}{'0' * 64}"
    assert "has expired" not in client.get("/v1/judges", headers=bearer(forged)).json()["detail"]


@pytest.mark.parametrize(
    ("key", "method", "path", "needed"),
    [
        ("author", "POST", "/v1/score", "score"),
        ("labeller", "POST", "/trainers/openrlhf/-", "score"),
        ("labeller", "POST", "/v1/jobs", "score"),
        ("trainer", "POST", "/v1/rubrics", "author"),
        ("trainer", "POST", "/v1/calibrations", "author"),
        ("trainer", "POST", "/v1/exams", "author"),
        ("trainer", "POST", "/v1/improvements", "author"),
        ("trainer", "POST", "/v1/labels", "label"),
        ("author", "GET", "/metrics", "metrics"),
    ],
)
def test_a_key_without_the_scope_is_told_which_one_it_lacks(client, key, method, path, needed):
    refused = problem(client.request(method, path, headers=bearer(KEYS[key]), content=b"no JSON"), 403, "forbidden")
    assert needed in refused["detail"]
    assert refused["scopes"] == [needed]
    assert client.request(method, path, headers=bearer(ADMIN), content=b"no JSON").status_code not in (401, 403)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("path", ["/v1/rubrics", "/v1/judges", "/v1/judgments", "/v1/calibrations"])
def test_every_key_may_read(client, key, path):
    assert client.get(path, headers=bearer(KEYS[key])).status_code == 200


def test_metrics_can_be_opened_to_all():
    with served(demanding(SCORING, public_metrics=True)) as client:
        assert client.get("/metrics").status_code == 200


def test_on_loopback_no_key_is_asked_for_and_any_is_passed_over():
    with served(settings_of(api_keys={SCORING.id: SCORING})) as client:
        assert client.post("/v1/score", json=submission()).status_code == 200
        assert client.get("/metrics", headers=bearer("wrong")).status_code == 200


def test_nothing_of_the_body_is_awaited_before_the_key_is_known(client):
    """A stranger announces a body, sends none of it, and is answered."""
    announcements = {
        "chunked": "Transfer-Encoding: chunked\r\n\r\n",
        "long": "Content-Length: 8000000\r\n\r\n",
        "a job": "Content-Type: application/jsonl\r\nTransfer-Encoding: chunked\r\n\r\n",
    }
    for announced in announcements.values():
        with socket.create_connection(("127.0.0.1", client.base_url.port), timeout=PATIENCE_SECONDS) as stranger:
            stranger.sendall(f"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n{announced}".encode())
            assert stranger.recv(4096).startswith(b"HTTP/1.1 401")


def test_the_client_package_sends_its_key_and_says_when_it_is_wrong(client):
    url = str(client.base_url)
    with Client(url, api_key=SCORE) as judging:
        assert judging.score(submission()).status == "ok"
    with Client(url, api_key="jsk_wrong") as stranger, pytest.raises(Refused, match="API key") as refused:
        stranger.score(submission())
    assert "jsk_wrong" not in str(refused.value)


def test_the_key_of_one_request_is_not_the_caller_of_another(client):
    assert client.get("/metrics", headers=bearer(ADMIN)).status_code == 200
    problem(client.get("/metrics", headers=bearer(SCORE)), 403, "forbidden")
    problem(client.get("/metrics"), 401, "unauthorized")
    assert current_caller.get().name == "anyone"


@pytest.mark.parametrize("header", [b"Basic !!!", b"Basic", b"Digest abc", b""])
def test_other_ways_of_authorizing_are_no_key(header):
    assert presented_key([(b"authorization", header)]) in (None, "")


async def test_a_revoked_key_is_refused_as_soon_as_keys_are_read_again(tmp_path):
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    store, other = await Store.open(url), await Store.open(url)
    ring = KeyRing((), store.api_keys, fresh_seconds=0.05)
    text, key = key_of()
    await other.api_keys.add(key, datetime.now(UTC))
    assert (await ring.find(text)).name == "trainer"
    await other.api_keys.revoke(key.id, datetime.now(UTC))
    await asyncio.sleep(0.06)
    with pytest.raises(Unauthorized, match="was revoked"):
        await ring.find(text)
    await ring.close()
    (kept,) = await other.api_keys.all()
    assert kept.last_used_at is not None
    await store.close()
    await other.close()


async def test_strangers_with_invented_ids_do_not_keep_the_database_busy():
    store = await Store.open("sqlite://")
    counting = _Counting(store.api_keys)
    ring = KeyRing((), counting)
    for _ in range(200):
        with pytest.raises(Unauthorized, match="unknown"):
            await ring.find(key_of()[0])
    assert counting.readings <= 5
    await store.close()


async def test_many_who_come_at_once_share_a_reading():
    store = await Store.open("sqlite://")
    text, key = key_of()
    await store.api_keys.add(key, datetime.now(UTC))
    counting = _Counting(store.api_keys)
    ring = KeyRing((), counting)
    found = await asyncio.gather(*(ring.find(text) for _ in range(50)))
    assert {one.name for one in found} == {"trainer"}
    assert counting.readings <= 2  # those who came while one began wait for the next
    await store.close()


async def test_while_the_database_is_silent_its_keys_are_nobodys_and_configured_ones_stay():
    silent = _Counting(None)
    text, key = key_of()
    ring = KeyRing([key], silent)
    assert (await ring.find(text)).name == "trainer"
    with pytest.raises(StoreUnavailable):
        await ring.find(key_of()[0])
    await ring.close()
    assert silent.readings == 1


class _Counting:
    """Keys of a store; of none, where the database is silent."""

    def __init__(self, records) -> None:
        self.records = records
        self.readings = 0

    async def all(self):
        self.readings += 1
        if self.records is None:
            raise StoreUnavailable("The database does not answer.")
        return await self.records.all()

    async def used(self, moments) -> None:
        if self.records is None and moments:
            raise StoreUnavailable("The database does not answer.")
