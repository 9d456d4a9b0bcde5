"""The same work through the server over HTTP, judgments stored; then its engine sleeps and wakes."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.contenders.served import cpu_seconds
from benchmarks.gpu.machine import used_mib
from benchmarks.gpu.work import Work, items, rubric
from benchmarks.throughput import server

BATCH = 32
START_SECONDS = 900.0
_DEADLINE_SECONDS = 600
_CONFIGURATION = """
default_judge = "direct"
canary = "off"
reask = 0.0
[judges.direct]
model = {model}
mode = "direct"
min_label_mass = 0.0
engine = {engine}
[judges.reason]
model = {model}
mode = "reason"
engine = {engine}
"""
"""Random weights: whatever is said counts, and an answer that cannot be read is not asked for again."""


def _toml(options: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{name} = {json.dumps(value)}" for name, value in options.items()) + "}"


def measured(checkpoint: Path, options: dict[str, Any], works: dict[str, Work], mark: str) -> dict[str, Any]:
    """By mode what ``_judged`` says; ``start_seconds``; and under ``sleep`` what each level took, if
    ``enable_sleep_mode`` is among the options."""
    file = checkpoint.parent / f"{checkpoint.name}.toml"
    file.write_text(_CONFIGURATION.format(model=json.dumps(f"vllm:{checkpoint}"), engine=_toml(options)), "utf-8")
    began = time.perf_counter()
    with server(None, options=("--config", str(file)), start_seconds=START_SECONDS) as (url, pid):
        found: dict[str, Any] = {"start_seconds": time.perf_counter() - began}
        for mode, work in works.items():
            found[mode] = asyncio.run(_judged(url, pid, work, mode, f"{mark}-{mode}"))
        if options.get("enable_sleep_mode"):
            found["sleep"] = asyncio.run(_slept(url))
    return found


async def _judged(url: str, pid: int, work: Work, mode: str, mark: str) -> dict[str, Any]:
    """Seconds, tokens and the statuses of the verdicts; ``cpu_seconds``: of the server's processes."""
    timeout = aiohttp.ClientTimeout(_DEADLINE_SECONDS + 60)
    async with aiohttp.ClientSession(url, timeout=timeout) as session:

        async def post(batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
            body = {"rubric": rubric(work.criteria), "judge": mode, "items": batch}
            async with session.post("/v1/score/batch", json=body | {"deadline_seconds": _DEADLINE_SECONDS}) as answer:
                told = await answer.json()
            if answer.status != 200:
                raise SystemExit(f"{answer.status} {json.dumps(told)[:1_000]}")
            results: list[dict[str, Any]] = told["results"]
            return results

        await post(list(items(Work(2, work.criteria, 2, work.prompt_tokens, work.response_tokens), f"warm-{mark}")))
        sent = list(items(work, mark))
        began, cpu = time.perf_counter(), cpu_seconds(pid)
        done = await asyncio.gather(*(post(sent[at : at + BATCH]) for at in range(0, len(sent), BATCH)))
        seconds, used = time.perf_counter() - began, cpu_seconds(pid) - cpu
    judgments = [one for batch in done for one in batch]
    return {
        "seconds": seconds,
        "cpu_seconds": used,
        "verdicts": sum(len(one["verdicts"]) for one in judgments),
        "statuses": dict(Counter(verdict["status"] for one in judgments for verdict in one["verdicts"])),
        **{name: sum(one["usage"][field] for one in judgments) for name, field in _USAGE.items()},
    }


_USAGE = {"prompt_tokens": "prompt_tokens", "cached_tokens": "cached_tokens", "answer_tokens": "completion_tokens"}


async def _slept(url: str) -> list[dict[str, Any]]:
    """For both levels: seconds to sleep, to wake, and to the first verdict after; memory of the card in MiB."""
    found = []
    async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(600)) as session:
        for level in (1, 2):
            one: dict[str, Any] = {"level": level, "mib_awake": used_mib()}
            one["sleep_seconds"], told = await _order(session, "/v1/admin/sleep", {"level": level, "drain_seconds": 30})
            one["mib_asleep"] = used_mib()
            if told is None:
                one["wake_seconds"], told = await _order(session, "/v1/admin/wake", {})
            if told is None:
                item = next(items(Work(1, 1), f"awake-{level}-{time.time_ns()}"))
                one["verdict_seconds"], told = await _order(session, "/v1/score", item | {"rubric": rubric(1)})
            found.append(one | ({} if told is None else {"error": told}))
    return found


async def _order(session: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> tuple[float, str | None]:
    """Seconds, and what the server said if it refused."""
    began = time.perf_counter()
    async with session.post(path, json=body) as answer:
        text = await answer.text()
    return time.perf_counter() - began, None if answer.status == 200 else f"{path}: {answer.status} {text[:300]}"
