"""Every route of the application, asked with a deadline while something that the server depends on hangs.

One that refuses what is sent here before it waits needs an entry in ``NEEDS``.
"""

import asyncio
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
from fastapi.routing import APIRoute

from judge_server.server.app import create_app
from judge_server.settings.settings import Settings
from tests.hostile.test_bodies import BODIES
from tests.served import settings_of
from tests.stub_judge import Reply, StubJudge, faithful
from tests.submissions import rubric
from tests.yardstick import HANG_SECONDS

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
    "POST /label/show": _LABELLING | {"item": "i"},
    "POST /label/import": {"set": "ward/sheet"},
    "POST /label/item": _LABELLING | {"item": "i", "label.c0": "yes"},
    "POST /keys": {"name": "k", "scope.score": "yes"},
    "POST /calibrations": {"labels": "n", "rubric": "test/listed", "judge": "default", "split": "dev"},
    "POST /calibrations/improve": {"labels": "n", "rubric": "test/listed"},
    "POST /drafts": {"base": "", "id": "own/draft"},
    "POST /drafts/{draft_id}/publish": {"note": "n", "sure": "yes"},
}
FILES = {
    "POST /label/import": {"file": ("labels.csv", b"item,criterion,annotator,label,prompt,response\ni,c0,a,yes,p,r\n")}
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


Hang = Callable[[ExitStack, Any], None]


def threads_of_the_database(stack: ExitStack, app: Any) -> None:
    """All threads that read and write wait."""
    release = threading.Event()
    stack.callback(release.set)
    store = app.state.service.store
    for threads in (store._reading, store._writing):
        for _ in range(8):
            threads.submit(release.wait)


@contextmanager
def unread(path: Path) -> Iterator[None]:
    """In the block, who reads the file waits."""
    content = path.read_bytes() if path.exists() else None
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    try:
        yield
    finally:
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.close(os.open(path, os.O_WRONLY))  # nobody waits any more
        os.close(reading)
        path.unlink()
        if content is not None:
            path.write_bytes(content)


class Hanging:
    """An application that was started soundly, and then something hangs until the end: what ``hang`` says, or the
    judge if it is None."""

    def __init__(self, settings: Callable[[str], Settings], hang: Hang | None) -> None:
        self._settings = settings
        self._hang = hang
        self._release = threading.Event()
        self._hangs = False
        self._judge = StubJudge(self._answer, sleeps=True)

    def _answer(self, body: dict[str, Any]) -> Reply:
        return Reply(until=self._release, body=b"{}") if self._hangs else faithful()(body)

    def answers(self, at_once: int = AT_ONCE) -> dict[str, Answer]:
        """Of every route, so many at a time."""
        with self._judge as judge:
            try:
                return asyncio.run(self._all(self._settings(judge.specification), at_once))
            finally:
                self._release.set()

    async def _all(self, settings: Settings, at_once: int) -> dict[str, Answer]:
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
            with ExitStack() as stack:
                if self._hang is None:
                    self._hangs = True
                else:
                    self._hang(stack, app)
                await asyncio.sleep(0.1)
                some = asyncio.Semaphore(at_once)
                answers = await asyncio.gather(*(self._sent(client, some, one) for one in REQUESTS.values()))
                self._release.set()
        return dict(zip(REQUESTS, answers, strict=True))

    async def _sent(self, client: httpx.AsyncClient, some: asyncio.Semaphore, sent: Sent) -> Answer:
        headers = {"Deadline-Seconds": str(DEADLINE_SECONDS), "Origin": "http://localhost"}
        async with some:
            began = time.monotonic()
            more = dict(sent.more)
            if sent.method == "POST" and "json" not in more:
                more["data"] = {"token": self._token} | FORMS.get(sent.name, {})
                more["files"] = FILES.get(sent.name)
            answer = await client.request(sent.method, sent.address, headers=headers, **more)
            return Answer(answer.status_code, time.monotonic() - began, answer.text)
