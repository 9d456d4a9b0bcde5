"""An openai: model started against stub judges, and the requests that tests make of it."""

import time
from contextlib import asynccontextmanager

from judge_server.models.protocol import Labels, Prompt, Request, Segment, Turn
from judge_server.models.registry import open_model
from tests.stub_judge import faithful

SCHEMA = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "verdict": {"enum": ["No", "Yes"]}},
    "required": ["reason", "verdict"],
}


def request(content="Is it met?", *, answer=None, prefix=(), deadline_seconds=None, thinking_tokens=None):
    return Request(
        Prompt((Turn("user", (Segment(content, "response", trusted=False),)),), prefix),
        answer or Labels(("Yes", "No")),
        thinking_tokens=thinking_tokens,
        deadline=None if deadline_seconds is None else time.monotonic() + deadline_seconds,
    )


@asynccontextmanager
async def started(*judges, **options):
    addresses = ",".join(judge if isinstance(judge, str) else judge.address for judge in judges)
    model = open_model(f"openai:stub@{addresses}", options)
    await model.start()
    try:
        yield model
    finally:
        await model.close()


def is_probe(body):
    return any(asked in body["messages"][-1]["content"] for asked in ("water wet", "Say hello"))


def after_start(*replies):
    """Answers the canaries well, then gives ``replies`` in turn, the last one for ever."""
    well, left = faithful(), list(replies)

    def behave(body):
        if is_probe(body):
            return well(body)
        return left.pop(0) if len(left) > 1 else left[0]

    return behave
