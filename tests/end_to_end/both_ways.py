"""The same submissions over HTTP and by the command line."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from judge_server.core.judgment import Judgment
from judge_server.settings.settings import Settings
from judge_server.wiring.storage import opened_store
from tests.command import judge_server

Items = list[dict[str, Any]]


def over_http(client: httpx.Client, items: Items) -> list[dict[str, Any]]:
    answer = client.post("/v1/score/batch", json={"items": items, "deadline_seconds": 300})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def by_command(folder: Path, items: Items, *flags: object, timeout: float = 60) -> list[dict[str, Any]]:
    file = folder / "items.jsonl"
    file.write_text("".join(json.dumps(item) + "\n" for item in items))
    ended = judge_server("score", file, *flags, timeout=timeout)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def read_back(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """Every judgment that the server remembers, by id."""
    found: dict[str, dict[str, Any]] = {}
    query: dict[str, Any] = {"limit": 40}
    while True:
        page = client.get("/v1/judgments", params=query).json()
        found |= {one["id"]: one for one in page["judgments"]}
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def kept_in(database: str) -> list[Judgment]:
    """Every judgment in a database."""

    async def read() -> list[Judgment]:
        async with opened_store(Settings(database_url=database)) as store:
            return list((await store.judgments(limit=1_000)).items)

    return asyncio.run(read())


def said(results: list[dict[str, Any]]) -> list[Any]:
    """What must be equal both ways: rewards, and every verdict's outcome."""
    return [
        (
            result["submission"]["id"],
            result["reward"],
            result["status"],
            result["coverage"],
            [(verdict["criterion"], verdict["status"], verdict["value"]) for verdict in result["verdicts"]],
        )
        for result in results
    ]
