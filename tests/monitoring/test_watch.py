"""Looks at what was judged, alarms, and the webhook."""

import asyncio
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from judge_server.core.monitor import MonitorFinding, MonitorLimits, Series, Transition
from judge_server.monitoring.watch import Watch
from judge_server.monitoring.webhook import Webhook, WebhookRefused, signature
from judge_server.store import Store
from tests.monitoring.simulated import RUBRIC, Run
from tests.yardstick import PATIENCE_SECONDS

LIMITS = MonitorLimits(window=400, horizon_seconds=3_600)
KEY = "a secret of the operator"


class Receiver:
    """A webhook's other end, which answers ``statuses`` one after the other, and then 204."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.received = []

    async def __aenter__(self):
        application = web.Application()
        application.router.add_post("/hook", self._take)
        application.router.add_post("/elsewhere", self._take)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(self, *_):
        await self._runner.cleanup()

    async def _take(self, request):
        self.received.append((request.path, dict(request.headers), await request.read()))
        status = self.statuses.pop(0) if self.statuses else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})


class Listening:
    def __init__(self):
        self.told = []

    async def looked(self, findings, raised):
        self.told.append((findings, raised))


@pytest.fixture
async def store():
    opened = await Store.open("sqlite://")
    yield opened
    await opened.close()


async def fill(store, bias):
    """A run that has just ended."""
    run = Run(21, bias, groups=120, begin=datetime.now(UTC) - timedelta(seconds=970))
    await store.save_many([(one.judgment, one.submission, RUBRIC) for one in run.rollouts()])


async def until(condition):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.02)


async def test_an_alarm_is_raised_told_and_told_once(store):
    await fill(store, "repetition")
    listening = Listening()
    async with Receiver() as receiver:
        watch = Watch(store, LIMITS, 0.2, Webhook(receiver.url, KEY), listening, first_wait_seconds=0.05)
        watch.start()
        await until(lambda: receiver.received and len(listening.told) > 2)
        await asyncio.sleep(0.3)
        await watch.close()
    ((_, headers, body),) = receiver.received
    told = json.loads(body)
    assert (told["event"], told["finding"]["monitor"], told["finding"]["subject"]) == ("raised", "flags", "repetition")
    stamp, code = (part.split("=")[1] for part in headers["X-Judge-Server-Signature"].split(","))
    assert code == hmac.new(KEY.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Judge-Server-Event"] == told["id"]
    findings, raised = listening.told[0]
    assert {one.finding.monitor for one in raised} == {"flags"} == {o.monitor for o in findings if o.state == "alarm"}


async def test_a_clean_run_tells_nobody_anything(store):
    await fill(store, None)
    async with Receiver() as receiver:
        watch = Watch(store, LIMITS, 0, Webhook(receiver.url, KEY))
        assert await watch.look() == []
        await watch.tell()
        await watch.close()
    assert receiver.received == []


async def test_what_the_webhook_refuses_is_told_again_with_the_same_id(store):
    await fill(store, "repetition")
    async with Receiver(500, 302) as receiver:
        watch = Watch(store, LIMITS, 0, Webhook(receiver.url, None), first_wait_seconds=0.05)
        watch.start()
        (made,) = await watch.look()
        await until(lambda: len(receiver.received) == 3)
        await asyncio.sleep(0.3)
        await watch.close()
    assert [path for path, _, _ in receiver.received] == ["/hook"] * 3
    assert {json.loads(body)["id"] for _, _, body in receiver.received} == {made.id}
    assert "X-Judge-Server-Signature" not in receiver.received[0][1]


async def test_a_webhook_that_never_takes_it_is_given_up(store, caplog):
    await fill(store, "repetition")
    async with Receiver(*[500] * 20) as receiver:
        watch = Watch(store, LIMITS, 0, Webhook(receiver.url, None), first_wait_seconds=0.001)
        await watch.look()
        for _ in range(20):
            await watch.tell()
            await asyncio.sleep(0.15)
        await watch.close()
    assert len(receiver.received) == 8
    assert "not told" in caplog.text
    assert receiver.url not in caplog.text


async def test_of_two_servers_one_looks(store):
    await fill(store, "repetition")
    first, second = Listening(), Listening()
    one, other = (Watch(store, LIMITS, 100.0, listener=listener) for listener in (first, second))
    assert len(await one.look()) == 1
    assert await other.look() == []
    assert second.told[0][0] is None
    assert second.told[0][1] == first.told[0][1]
    await one.close()
    await other.close()


async def test_findings_are_those_of_a_fresh_look(store):
    await fill(store, "repetition")
    watch = Watch(store, LIMITS, 0)
    assert await watch.findings() is await watch.findings()
    await watch.close()


async def test_a_store_that_fails_ends_no_watch(store, caplog):
    watch = Watch(store, LIMITS, 0.02)
    watch.start()
    await store.close()
    await until(lambda: caplog.text.count("monitors: ") > 2)
    await watch.close()


async def test_a_webhook_on_this_machine_is_told_without_the_proxy_of_the_environment(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    finding = MonitorFinding(monitor="flags", series=Series(rubric=None, judge="j"), state="alarm", text="Look.")
    async with Receiver() as receiver, Webhook(receiver.url, None) as webhook:
        await webhook.tell(Transition(id="alt_1", raised=True, at=datetime.now(UTC), finding=finding))
    assert len(receiver.received) == 1


async def test_an_address_where_nobody_listens_is_a_refusal_that_does_not_name_it():
    finding = MonitorFinding(monitor="flags", series=Series(rubric=None, judge="j"), state="alarm", text="Look.")
    transition = Transition(id="alt_1", raised=True, at=datetime.now(UTC), finding=finding)
    async with Webhook("http://127.0.0.1:9/token-of-the-operator", None) as webhook:
        with pytest.raises(WebhookRefused) as refused:
            await webhook.tell(transition)
    assert "token" not in str(refused.value)


def test_a_signature_is_of_the_time_and_the_body():
    assert signature(b"{}", KEY, 1) != signature(b"{}", KEY, 2)
    assert signature(b"{}", KEY, 1) == signature(b"{}", KEY, 1)
