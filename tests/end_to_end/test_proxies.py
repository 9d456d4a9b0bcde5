"""judge-server below a path of nginx and of Caddy with TLS, by the examples in ``deploy``; forwarded headers count from
configured addresses only."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.command import judge_server, serving
from tests.end_to_end.proxies import EXAMPLES, HOST, certificate, installed, nginx_with, running
from tests.served import served, settings_of, until
from tests.server.dialects.exchanges import NEMO_GYM
from tests.submissions import checking, submission
from tests.trainers.page import example
from tests.yardstick import PATIENCE_SECONDS

CONFIGURATION = f"""
root_path = "/judge"
trusted_hosts = ["{HOST}"]
trusted_proxies = ["127.0.0.1"]
canary = "off"
"""
ITEM = submission(rubric=checking())


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """Its host and port, and a key of it."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "judge.toml").write_text(CONFIGURATION)
    key = judge_server("keys", "create", "operator", "--scope", "admin", cwd=folder).stdout.strip()
    with serving("--config", "judge.toml", "--auth", cwd=folder) as (client, _):
        yield client.base_url.netloc.decode(), key


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _behind(name: str, server: str, folder) -> Iterator[httpx.Client]:
    port = _free_port()
    told = certificate(folder)
    address = f"https://127.0.0.1:{port}/judge"
    with (
        running(EXAMPLES[name](folder, server, port, told), folder, address, told),
        httpx.Client(
            base_url=address, verify=told.context, headers={"Host": HOST}, trust_env=False, timeout=PATIENCE_SECONDS
        ) as client,
    ):
        yield client


def _sign_in(client: httpx.Client, key: str, headers: dict[str, str]) -> httpx.Response:
    found = re.search(r'name="token" value="([^"]+)"', client.get("/signin").text)
    assert found is not None
    return client.post("/signin", data={"key": key, "token": found[1]}, headers=headers)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_serves_every_kind_of_route_below_its_path(name, server, tmp_path):
    missing = [tool for tool in (name, "openssl") if not installed(tool)]
    assert missing == [], "the examples of proxies are run: apt-get install nginx-light caddy openssl"
    place, key = server
    with _behind(name, place, tmp_path) as client:
        assert client.get("/readyz").json()["status"] == "ready"
        assert client.post("/v1/score", json=ITEM).status_code == 401
        assert "openapi.json" in client.get("/docs").text
        assert client.get("/openapi.json").json()["servers"] == [{"url": "/judge"}]
        entered = _sign_in(client, key, {"Origin": f"https://{HOST}"})
        assert entered.headers["location"].startswith("/judge")
        assert "Secure" in entered.headers["set-cookie"], "the proxy's word that this is https is believed"
        page = client.get("/signin").text
        assert 'href="/judge/static/' in page
        assert client.get("/static/pages.css").status_code == 200
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {key}"
        assert client.post("/v1/score", json=ITEM).json()["reward"] is not None
        job = client.post("/v1/jobs", json={"items": [ITEM] * 3})
        where = job.headers["location"]
        assert where.startswith("/judge/v1/jobs/")
        until(lambda: client.get(where.removeprefix("/judge")).json()["status"] == "done")
        events = client.get(f"{where.removeprefix('/judge')}/events")
        assert "text/event-stream" in events.headers["content-type"]
        assert '"done"' in events.text
        lines = b"".join(b'{"rubric": "a/b", "response": "%s"}\n' % (b"x" * 100_000) for _ in range(30))
        large = client.post("/v1/jobs", content=lines, headers={"Content-Type": "application/x-ndjson"})
        assert large.status_code == 202, "an upload is not cut off at the proxy's own limit"


def test_forwarded_headers_count_from_configured_addresses_only(server):
    place, key = server
    for source, believed in (("127.0.0.1", True), ("127.0.0.3", False)):
        transport = httpx.HTTPTransport(local_address=source)
        with httpx.Client(base_url=f"http://{place}", transport=transport, timeout=PATIENCE_SECONDS) as client:
            headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
            entered = _sign_in(client, key, headers)
            assert entered.status_code == 303, entered.text
            assert ("Secure" in entered.headers["set-cookie"]) == believed


@pytest.mark.parametrize("policy", ["the default", "another policy"])
def test_the_nginx_of_nemo_gyms_page_leads_to_its_resources_server(policy, tmp_path):
    missing = [tool for tool in ("nginx",) if not installed(tool)]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    port = _free_port()
    with served(settings_of()) as server:
        told = {"listen 9100;": f"listen 127.0.0.1:{port};", "127.0.0.1:8000": server.base_url.netloc.decode()}
        site = example("nemo-gym", "nginx", told).replace(f"# {policy}: ", "")
        with running(nginx_with(site, tmp_path), tmp_path, address := f"http://127.0.0.1:{port}"):
            body = NEMO_GYM.body("Rest, and drink enough.", "Rest.")
            answer = httpx.post(f"{address}/verify", json=body, trust_env=False, timeout=PATIENCE_SECONDS)

    assert answer.status_code == 200, answer.text
    assert 0 <= NEMO_GYM.reward(answer.json()) <= 1
