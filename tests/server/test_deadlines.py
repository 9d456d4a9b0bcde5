"""A database that hangs: every route answers after the caller's deadline, and the server stops in time."""

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from judge_server.server.app import create_app
from tests.hostile.test_bodies import BODIES
from tests.served import settings_of
from tests.submissions import rubric
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS

_DEADLINE_SECONDS = 0.5
_APP = create_app(settings_of())
_PATHS = _APP.openapi()["paths"]
_READS = sorted(path for path, operations in _PATHS.items() if "get" in operations)
_PLACES = {"rubric": "test/listed", "job_id": "job_" + "0" * 24, "judgment_id": "jdg_" + "0" * 28}


@pytest.fixture(scope="module")
def hanging(tmp_path_factory) -> Iterator[tuple[asyncio.AbstractEventLoop, httpx.AsyncClient]]:
    """A client of an application whose database threads all wait."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    release = threading.Event()
    app = create_app(settings_of(database=f"sqlite:///{tmp_path_factory.mktemp('hanging') / 'judge.db'}"))
    lifespan = app.router.lifespan_context(app)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost", timeout=HANG_SECONDS)

    async def start() -> None:
        await lifespan.__aenter__()
        assert (await client.post("/v1/rubrics", json=rubric())).status_code == 201
        await client.post("/v1/score", json=BODIES["score"][1][0])  # what is loaded once
        store = app.state.service.store
        for threads in (store._reading, store._writing):
            for _ in range(8):
                threads.submit(release.wait)
        await asyncio.sleep(0.1)

    asyncio.run_coroutine_threadsafe(start(), loop).result(60)
    yield loop, client
    release.set()
    asyncio.run_coroutine_threadsafe(lifespan.__aexit__(None, None, None), loop).result(PATIENCE_SECONDS)
    loop.call_soon_threadsafe(loop.stop)


def _sent(hanging, method: str, path: str, body: object = None) -> tuple[httpx.Response, float]:
    loop, client = hanging
    headers = {"Deadline-Seconds": str(_DEADLINE_SECONDS), "content-type": "application/json"}
    content = None if body is None else json.dumps(body)
    started = time.monotonic()
    sending = client.request(method, path, content=content, headers=headers)
    answer = asyncio.run_coroutine_threadsafe(sending, loop).result(HANG_SECONDS)
    return answer, time.monotonic() - started


@pytest.mark.parametrize("path", _READS)
def test_reading_is_answered_soon_after_the_deadline(hanging, path):
    filled = re.sub(r"{(\w+)(?::path)?}", lambda name: _PLACES.get(name[1], "x"), path)
    answer, seconds = _sent(hanging, "GET", filled)
    assert seconds < PATIENCE_SECONDS  # the database hangs until the end
    assert answer.status_code != 500, answer.text


@pytest.mark.parametrize("name", BODIES)
def test_what_is_sent_is_answered_soon_after_the_deadline(hanging, name):
    path, bodies = BODIES[name]
    body = bodies[-1]
    if isinstance(body, dict) and "response" in body:
        body = body | {"response": f"Something new for {name}: call for help now."}
    answer, seconds = _sent(hanging, "POST", path, body)
    assert seconds < PATIENCE_SECONDS  # the database hangs until the end
    assert answer.status_code != 500, answer.text
