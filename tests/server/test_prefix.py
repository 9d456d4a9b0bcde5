"""A server below a path of a proxy, whether the proxy removes the path or not; and whose forwarded headers count."""

import pytest

from tests.served import served, settings_of
from tests.server.keys import demanding, key_of, problem
from tests.submissions import rubric, submission


@pytest.fixture(scope="module")
def client():
    with served(settings_of(root_path="/judge")) as opened:
        yield opened


@pytest.mark.parametrize("path", ["", "/judge"])
def test_every_route_answers_with_and_without_the_prefix(client, path):
    assert client.get(f"{path}/readyz").status_code == 200
    assert "openapi.json" in client.get(f"{path}/docs").text
    assert 'href="/judge/static/pages.css"' in client.get(f"{path}/rubrics").text
    assert client.get(f"{path}/openapi.json").json()["servers"] == [{"url": "/judge"}]
    job = client.post(f"{path}/v1/jobs", json={"items": [submission(rubric=rubric(1))]})
    assert job.headers["location"].startswith("/judge/v1/jobs/")
    assert client.get(job.headers["location"]).status_code == 200


def test_a_prefix_opens_no_route_that_demands_a_key():
    with served(demanding(key_of()[1], root_path="/judge")) as client:
        problem(client.get("/judge/v1/judgments"), 401, "unauthorized")
        assert client.get("/judge/healthz").status_code == 200
        problem(client.get("/judge/judge/healthz"), 401, "unauthorized")
