"""What bodies may take of the memory, each and all together."""

import json

import pytest

from judge_server.server.middleware.body_limit import BodyLimit


class Door:
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
async def test_all_bodies_together_are_bounded(declared):
    door = Door(max_bytes=100, most_under_way=150)
    refused = []

    async def second():
        assert door.limit.under_way == 60

        async def third():
            assert door.limit.under_way == 120
            refused.append(await door.send(b"x" * 30, b"y" * 30, declared=declared))

        assert await door.send(b"x" * 60, declared=declared, meanwhile=third) is None

    assert await door.send(b"x" * 60, declared=declared, meanwhile=second) is None
    status, document = refused[0]
    assert status == 429
    assert document["type"] == "urn:judge-server:error:overloaded"
    assert document["retry_after_seconds"] > 0
    assert door.limit.under_way == 0
    assert door.inside == 2


async def test_one_body_is_bounded_whether_it_declares_its_size_or_not():
    door = Door(max_bytes=100, most_under_way=1_000)
    assert (await door.send(b"x", declared=101))[0] == 413
    assert (await door.send(b"x" * 60, b"y" * 60))[0] == 413
    assert await door.send(b"x" * 60, b"y" * 40) is None
    assert door.seen == b"x" * 60 + b"y" * 40
    assert door.limit.under_way == 0


async def test_a_body_of_the_largest_size_is_always_let_in_alone():
    door = Door(max_bytes=100, most_under_way=10)
    assert await door.send(b"x" * 100, declared=100) is None


async def test_a_request_that_fails_frees_its_bytes():
    door = Door(max_bytes=100, most_under_way=150)
    with pytest.raises(RuntimeError, match="no"):
        await door.send(b"x" * 100, declared=100, fails=True)
    assert door.limit.under_way == 0
