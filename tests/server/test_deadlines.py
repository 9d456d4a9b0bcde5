"""A database or a judge that hangs: every route, pages too, is answered after the caller's deadline.

The routes are those of the application: one that refuses what is sent here before it waits needs an entry in ``NEEDS``.
"""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.routing import APIRoute

from judge_server.server.app import create_app
from tests.hostile.test_bodies import BODIES
from tests.served import settings_of
from tests.stub_judge import Reply, StubJudge, faithful
from tests.submissions import rubric
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS

DEADLINE_SECONDS = 2.0
AT_ONCE = 24
_PLACES = {
    "rubric": "test/listed", "rubric_id": "test/listed", "name": "test/listed", "job_id": "job_" + "0" * 24,
    "judgment_id": "jdg_" + "0" * 28,
}  # fmt: skip
_RUN = {"params": {"run": "r"}}
_SET = {"params": {"label_set": "n"}}
_QUEUE = {"label_set": "n", "rubric": "test/listed"}
_LABEL = {"item": "i", "criterion": "c0", "annotator": "a", "label": "yes"}
_GIVEN = {"judgment": "jdg_" + "0" * 28, "criterion": "c0", "label": "yes"}
_LABELLING = {"set": "n", "rubric": "test/listed", "annotator": "a"}
NEEDS: dict[str, dict[str, Any]] = {
    **{f"GET /v1/runs/{name}": _RUN for name in ("summary", "prompts", "noise")},
    "POST /v1/admin/sleep": {"json": {}},
    "POST /v1/admin/wake": {"json": {}},
    "DELETE /v1/judgments": {"params": {"tag": "x"}},
    "PUT /v1/budgets": {"json": {"kind": "run", "name": "r", "tokens": 9}},
    "DELETE /v1/budgets": {"params": {"kind": "run", "name": "r"}},
    "GET /v1/rubrics/{rubric_id:path}/diff": {"params": {"from": "1.0.0", "to": "1.0.0"}},
    "POST /v1/labels": {"json": {"label_set": "n", "labels": [_LABEL]}},
    "POST /v1/calibrations": {"json": {"labels": "n", "rubric": "test/listed"}},
    "POST /v1/monitor/audit-queue": {"json": _QUEUE},
    "GET /v1/monitor/audit-queue": _SET,
    "GET /v1/monitor/audit-queue/estimate": _SET,
    "POST /v1/monitor/audit-queue/labels": {"json": {"label_set": "n", "annotator": "a", "labels": [_GIVEN]}},
    "POST /v1/decisions": {
        "json": {"input": "Help?", "questions": [{"type": "predicate", "name": "q", "instructions": "Is it said?"}]}
    },
    "POST /v1/systemone": {
        "json": {"state": "Help?", "questions": {"q": {"type": "noul", "instructions": "Is it said?"}}}
    },
    **{
        f"POST /trainers/{name}/{{rubric:path}}": {"params": {"on_error": "0"}} for name in ("openrlhf", "llamafactory")
    },
    "GET /static/{name}": {"address": "/static/htmx.min.js"},
    "GET /runs/one": _RUN,
    "GET /groups": {"params": {"group": "g"}},
    "GET /rubrics/diff": {"params": {"old": "test/listed", "new": "test/listed"}},
    "GET /calibrations/compare": {"params": {"old": "cal_x", "new": "cal_y"}},
    "GET /label/item": {"params": _LABELLING},
    "GET /label/export": {"params": {"set": "n", "format": "csv"}},
}
FORMS: dict[str, dict[str, str]] = {
    "POST /try": {
        "rubric": "test/listed",
        "prompt": "Help?",
        "response": "Call.",
        "other": "",
        "judge": "",
        "reference": "",
    },
    "POST /label": _LABELLING,
    "POST /label/item": _LABELLING | {"item": "i", "label.c0": "yes"},
    "POST /keys": {"name": "k", "scope.score": "yes"},
    "POST /calibrations": {"labels": "n", "rubric": "test/listed", "judge": "default", "split": "dev"},
    "POST /drafts": {"base": "", "id": "own/draft"},
    "POST /drafts/{draft_id}/publish": {"note": "n", "sure": "yes"},
}
REFUSED = {400, 404, 405, 413, 415, 422}


class Sent(NamedTuple):
    """One request to a route."""

    method: str
    route: str
    address: str
    more: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"


def _requests() -> Iterator[Sent]:
    for route in create_app(settings_of()).routes:
        if not isinstance(route, APIRoute):
            continue
        for method in sorted(route.methods):
            address = re.sub(r"{(\w+)(?::path)?}", lambda name: _PLACES.get(name[1], "x"), route.path)
            needed = NEEDS.get(f"{method} {route.path}")
            known = [(path, bodies) for path, bodies in BODIES.values() if route.path_regex.match(urlsplit(path).path)]
            if method == "POST" and known:
                body = {"json": known[0][1][-1]}
                address = address if needed else known[0][0]
            else:
                body = {}
            more = body | (needed or {})
            yield Sent(method, route.path, more.pop("address", address), more)


REQUESTS = {sent.name: sent for sent in _requests()}


class Answer(NamedTuple):
    """``seconds`` until it was there."""

    status: int
    seconds: float
    text: str


class Hanging:
    """An application that was started soundly, and whose database or judge then hangs until the end."""

    def __init__(self, folder: Any, what: str) -> None:
        self._what = what
        self._release = threading.Event()
        self._hangs = False
        self._judge = StubJudge(self._answer, sleeps=True)
        self._folder = folder

    def _answer(self, body: dict[str, Any]) -> Reply:
        return Reply(until=self._release, body=b"{}") if self._hangs else faithful()(body)

    def answers(self) -> dict[str, Answer]:
        """Of every route."""
        with self._judge as judge:
            try:
                return asyncio.run(
                    self._all(settings_of(judge.specification, database=f"sqlite:///{self._folder}/j.db"))
                )
            finally:
                self._release.set()

    async def _all(self, settings: Any) -> dict[str, Answer]:
        app = create_app(settings)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=HANG_SECONDS) as client,
        ):
            assert (await client.post("/v1/rubrics", json=rubric())).status_code == 201
            await client.post("/v1/score", json=BODIES["score"][1][0])  # what is loaded once
            found = re.search(r'name="token" value="([^"]+)"', (await client.get("/try")).text)
            self._token = found[1] if found else ""
            self._hang(app.state.service.store)
            await asyncio.sleep(0.1)
            some = asyncio.Semaphore(AT_ONCE)
            found = await asyncio.gather(*(self._sent(client, some, one) for one in REQUESTS.values()))
            self._release.set()
        return dict(zip(REQUESTS, found, strict=True))

    def _hang(self, store: Any) -> None:
        self._hangs = True
        if self._what == "database":
            for threads in (store._reading, store._writing):
                for _ in range(8):
                    threads.submit(self._release.wait)

    async def _sent(self, client: httpx.AsyncClient, some: asyncio.Semaphore, sent: Sent) -> Answer:
        headers = {"Deadline-Seconds": str(DEADLINE_SECONDS), "Origin": "http://localhost"}
        async with some:
            began = time.monotonic()
            more = dict(sent.more)
            if sent.method == "POST" and "json" not in more:
                more["data"] = {"token": self._token} | FORMS.get(sent.name, {})
            answer = await client.request(sent.method, sent.address, headers=headers, **more)
            return Answer(answer.status_code, time.monotonic() - began, answer.text)


@pytest.fixture(scope="module", params=["database", "judge"])
def hanging(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Answer]]:
    return request.param, Hanging(tmp_path_factory.mktemp("hanging"), request.param).answers()


@pytest.mark.parametrize("name", REQUESTS)
def test_every_route_is_answered_soon_after_the_deadline(hanging, name):
    what, answers = hanging
    answer = answers[name]
    assert answer.seconds < PATIENCE_SECONDS, f"the {what} hangs until the end"
    assert answer.status != 500, answer.text
    if what == "database":
        assert answer.status not in REFUSED, f"refused before it waited: NEEDS says what it needs. {answer.text}"
