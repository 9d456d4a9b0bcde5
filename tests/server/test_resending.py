"""What a replica left unanswered is asked again, whole; what must not be repeated gets a typed refusal."""

import httpx
import pytest

from judge_server.server.middleware.resending import ResendUnanswered


class Replicas:
    """``dead`` of them read the request and answer nothing, as Serve's proxy does for a replica that died."""

    def __init__(self, dead):
        self.dead = dead
        self.heard = []

    async def __call__(self, scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.heard.append((scope["method"], scope["path"], body))
        if len(self.heard) > self.dead:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body, "more_body": False})


async def _sent(replicas, method, path, content=b""):
    transport = httpx.ASGITransport(ResendUnanswered(replicas))
    async with httpx.AsyncClient(transport=transport, base_url="http://judge") as client:
        return await client.request(method, path, content=content)


async def _parts():
    yield b"first "
    yield b"second"


@pytest.mark.parametrize("dead", [0, 1, 3])
async def test_scoring_is_asked_again_with_its_whole_body(dead):
    replicas = Replicas(dead)
    answer = await _sent(replicas, "POST", "/v1/score/batch", _parts())
    assert (answer.status_code, answer.content) == (200, b"first second")
    assert replicas.heard == [("POST", "/v1/score/batch", b"first second")] * (dead + 1)


@pytest.mark.parametrize(("method", "path", "asked"), [("POST", "/v1/jobs", 1), ("GET", "/v1/judgments", 4)])
async def test_what_stays_unanswered_is_refused_with_a_type_and_when_to_send_it_again(method, path, asked):
    replicas = Replicas(9)
    answer = await _sent(replicas, method, path)
    assert len(replicas.heard) == asked
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("draining")
    assert answer.headers["retry-after"] == "1"
