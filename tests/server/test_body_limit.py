"""What bodies may take of the memory, each, those of one caller, and all together; and how slowly they may come."""

import asyncio
import gc
import json
import logging
import socket
import time
import weakref
from dataclasses import replace
from types import SimpleNamespace

import pytest
from starlette.requests import Request

from judge_server.core.caller import Caller, current_caller
from judge_server.scheduling.processor_share import TimeShare, current_share
from judge_server.server.middleware.request_stream import BodyLimit, Pace
from judge_server.server.service import _StrictRequest
from tests.served import judged_by, until
from tests.stub_judge import faithful
from tests.submissions import rubric, submission
from tests.yardstick import PATIENCE_SECONDS


class LimitedApp:
    """An application behind the limit that keeps every request open until it is let go."""

    def __init__(self, **limits):
        self.limit = BodyLimit(self._application, **limits)
        self.inside = 0
        self.seen = b""

    async def _application(self, scope, receive, send):
        self.inside += 1
        if scope.get("fails"):
            raise RuntimeError("no")
        more = True
        while more:
            message = await receive()
            self.seen += message.get("body", b"")
            more = message.get("more_body", False)
        if scope.get("meanwhile"):
            await scope["meanwhile"]()

    async def send(self, *chunks, declared=None, meanwhile=None, fails=False):
        """The status and document of a refusal; None where the request was let in."""
        headers = [] if declared is None else [(b"content-length", str(declared).encode())]
        scope = {"type": "http", "path": "/v1/score", "headers": headers, "meanwhile": meanwhile, "fails": fails}
        left = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        left[-1]["more_body"] = False
        answered = []

        async def receive():
            return left.pop(0) if left else {"type": "http.disconnect"}

        async def send(message):
            answered.append(message)

        await self.limit(scope, receive, send)
        return (answered[0]["status"], json.loads(answered[1]["body"])) if answered else None


@pytest.mark.parametrize("declared", [60, None])
async def test_all_bodies_of_a_caller_together_are_bounded(declared):
    app = LimitedApp(max_bytes=100, most_under_way=240)
    refused = []

    async def second():
        assert app.limit.under_way == 60

        async def third():
            assert app.limit.under_way == 120
            refused.append(await app.send(b"x" * 30, b"y" * 30, declared=declared))

        assert await app.send(b"x" * 60, declared=declared, meanwhile=third) is None

    assert await app.send(b"x" * 60, declared=declared, meanwhile=second) is None
    status, document = refused[0]
    assert status == 429
    assert document["type"] == "urn:judge-server:error:overloaded"
    assert document["retry_after_seconds"] > 0
    assert app.limit.under_way == 0
    assert app.inside == 3


async def test_one_body_is_bounded_whether_it_declares_its_size_or_not():
    app = LimitedApp(max_bytes=100, most_under_way=1_000)
    assert (await app.send(b"x", declared=101))[0] == 413
    assert (await app.send(b"x" * 60, b"y" * 60))[0] == 413
    assert await app.send(b"x" * 60, b"y" * 40) is None
    assert app.seen.endswith(b"x" * 60 + b"y" * 40)
    assert app.limit.under_way == 0


async def test_a_body_of_the_largest_size_is_always_let_in_alone():
    app = LimitedApp(max_bytes=100, most_under_way=10)
    assert await app.send(b"x" * 100, declared=100) is None


async def test_a_request_that_fails_frees_its_bytes():
    app = LimitedApp(max_bytes=100, most_under_way=150)
    with pytest.raises(RuntimeError, match="no"):
        await app.send(b"x" * 100, declared=100, fails=True)
    assert app.limit.under_way == 0


def named(name: str) -> Caller:
    return replace(current_caller.get(), name=name)


async def test_a_caller_who_takes_all_that_it_can_leaves_room_for_each_other_caller():
    app = LimitedApp(max_bytes=100, most_under_way=1_000)
    holding = asyncio.Event()
    refused = []

    async def send_as(name: str, count: int) -> None:
        current_caller.set(named(name))
        tasks = [asyncio.create_task(app.send(b"x" * 100, meanwhile=holding.wait)) for _ in range(count)]
        await asyncio.sleep(0.05)
        refused.append((name, sum(task.done() and task.result()[0] == 429 for task in tasks)))

    await asyncio.create_task(send_as("greedy", 50))
    assert app.limit.under_way == 500
    for other in ("first", "second", "third"):
        await asyncio.create_task(send_as(other, 1))
    assert refused == [("greedy", 45), ("first", 0), ("second", 0), ("third", 0)]
    holding.set()
    await asyncio.sleep(0.05)
    assert app.limit.under_way == 0


async def test_a_body_that_falls_behind_the_pace_is_answered_408():
    limit = BodyLimit(reading, max_bytes=1_000, most_under_way=10_000, pace=Pace(0.2, 1_000))
    waits = iter([0.01] * 10 + [0.05] * 100)

    async def slowly():
        await asyncio.sleep(next(waits))
        return {"type": "http.request", "body": b"x", "more_body": True}

    assert await status_of(limit, slowly) == 408
    assert limit.under_way == 0


async def test_a_body_that_keeps_the_pace_may_take_long():
    limit = BodyLimit(reading, max_bytes=1_000, most_under_way=10_000, pace=Pace(1.0, 20))
    parts = iter([True] * 60 + [False])

    async def steadily():
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x" * 10, "more_body": next(parts)}

    assert await status_of(limit, steadily) == 200


async def test_a_body_sent_to_a_public_path_is_not_read():
    async def answering(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def never():
        raise AssertionError("the body was read")

    limit = BodyLimit(answering, max_bytes=10, most_under_way=10, public=frozenset({"/v1/score"}))
    assert await status_of(limit, never, declared=10_000) == 200


@pytest.mark.parametrize("held_by", ["address 10.0.0.7", "trainer"])
async def test_a_request_takes_the_time_of_its_connections_holder(held_by):
    """Also on a server without keys, where all are one caller: what reads the connection takes the same time."""
    shares = []

    async def answering(scope, receive, send):
        shares.append(current_share.get())
        await reading(scope, receive, send)

    async def whole():
        return {"type": "http.request", "body": b"x", "more_body": False}

    limit = BodyLimit(answering, max_bytes=10, most_under_way=100)
    state = {"connection": SimpleNamespace(holder=held_by)}
    assert await status_of(limit, whole, state=state) == 200
    assert shares == [TimeShare(held_by)]


async def reading(scope, receive, send):
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def status_of(limit: BodyLimit, receive, declared: int | None = None, state: object = None) -> int:
    answered = []

    async def send(message):
        answered.append(message)

    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    scope = {"type": "http", "path": "/v1/score", "headers": headers, "state": state or {}}
    await limit(scope, receive, send)
    return answered[0]["status"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/score", "application/json"),
        ("/v1/rubrics", "application/yaml"),
        ("/v1/jobs", "application/json"),
        ("/v1/jobs", "application/jsonl"),
        ("/v1/fine_tuning/alpha/graders/run", "application/json"),
        ("/trainers/slime/test/listed", "application/json"),
    ],
)
@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
def test_a_client_that_disconnects_while_it_sends_leaves_one_line(path, kind, framing, caplog):
    with judged_by(faithful()) as (client, _), caplog.at_level(logging.INFO):
        caplog.clear()
        with socket.create_connection((client.base_url.host, client.base_url.port)) as sender:
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n"
            body = b'7\r\n{"a": 1\r\n' if "chunked" in framing else b'{"a": 1'
            sender.sendall(head.encode() + body)
            time.sleep(0.2)
        until(lambda: any("499" in record.getMessage() for record in caplog.records))
        time.sleep(0.2)
        told = [record for record in caplog.records if record.name.startswith(("judge_server", "uvicorn"))]
        assert [(record.levelname, record.exc_info) for record in told] == [("INFO", None)]


def test_a_body_of_many_tiny_chunks_is_read():
    with judged_by(faithful()) as (client, _):
        client.post("/v1/rubrics", json=rubric())
        content = json.dumps(submission()).encode()
        answer = client.post(
            "/v1/score",
            content=(content[place : place + 1] for place in range(len(content))),
            headers={"content-type": "application/json"},
        )
        assert answer.status_code == 200


async def test_a_long_body_is_read_in_blocks_that_need_not_move_when_more_comes():
    chunks = [bytes([65 + number]) * 65_536 for number in range(50)]
    left = iter(
        [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks] + [{"type": "http.request"}]
    )

    async def receive():
        return next(left)

    request = _StrictRequest({"type": "http", "headers": []}, receive)
    blocks = await request.blocks()
    assert b"".join(blocks) == b"".join(chunks)
    assert max(map(len, blocks)) <= 2**20 + 65_536
    assert await request.body() == b"".join(chunks)


@pytest.mark.parametrize("headers", [{}, {"deadline-seconds": "60"}], ids=["directly", "by FastAPI"])
def test_a_long_body_is_judged_whole(headers):
    text = "".join(f"{number} call the emergency number. " for number in range(80_000))
    with judged_by(faithful()) as (client, _):
        body = submission(rubric=rubric(1), response=text)
        answer = client.post("/v1/score", json=body, headers=headers)
        assert answer.status_code == 200
        assert text in client.get(f"/v1/judgments/{answer.json()['id']}").text


def _requests() -> list[Request]:
    return [one for one in gc.get_objects() if issubclass(type(one), Request)]  # some warn of being looked at


@pytest.mark.parametrize("size", [100, 200_000], ids=["short", "read in another process"])
def test_a_request_with_its_body_is_gone_once_it_is_answered(size):
    """Without a collection of garbage, which comes only after many objects, however large they are."""
    with judged_by(faithful()) as (client, _):
        gc.collect()
        standing = _requests()  # that other tests of this process left
        gc.disable()
        try:
            for number in range(3):
                body = submission(rubric=rubric(1), response=f"{number} call the emergency number " * (size // 30))
                assert client.post("/v1/score", json=body).status_code == 200
            until(lambda: len(_requests()) <= len(standing))
        finally:
            gc.enable()


async def test_young_garbage_is_collected_after_a_large_body():
    """Cancelled work refers to itself by its tracebacks, and keeps the texts of its request."""

    class Work:
        itself: "Work"

    def begin() -> "weakref.ref[Work]":
        work = Work()
        work.itself = work
        return weakref.ref(work)

    app = LimitedApp(max_bytes=4_000_000, most_under_way=8_000_000)
    gc.collect()
    gc.disable()
    try:
        left = begin()
        await app.send(b"x" * 1_500_000)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while left() is not None:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.05)
    finally:
        gc.enable()
