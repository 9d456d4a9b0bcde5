"""Measures the cost of verdicts with synthetic work on the scoring path."""

import json
import time
from dataclasses import dataclass, replace
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from judge_server.cli.running import announce
from judge_server.core.judgment import Judgment, Usage
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.batch import score_batch
from judge_server.settings.settings import Settings
from judge_server.wiring.service import open_service

_PROSE = (
    "The patient should rest, drink enough water and watch the temperature. A headache that comes suddenly, with a "
    "stiff neck or with weakness on one side needs emergency care. Otherwise a doctor can be seen within the week. "
)
Figures = dict[str, float | int]


@dataclass(frozen=True)
class Workload:
    """``words`` is the length of one response."""

    prompts: int
    rollouts: int
    criteria: int
    words: int


async def measure(settings: Settings, workload: Workload) -> Figures:
    """Judge the workload once, after one warm-up submission."""
    async with open_service(settings) as service:
        announce(service.judge_registry.judges.values())
        mark = str(time.time_ns())
        warm_up = replace(workload, prompts=1, rollouts=1)
        await score_batch(service.scorer, _work(f"{mark}-warm", warm_up), Terms(Priority.BATCH))
        items = _work(mark, workload)
        wall, cpu = time.perf_counter(), time.process_time()
        judgments = await score_batch(service.scorer, items, Terms(Priority.BATCH))
        return _figures(judgments, time.perf_counter() - wall, time.process_time() - cpu)


def show(figures: Figures, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table(show_header=False, box=None)
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:,.4g}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)


def _work(mark: str, workload: Workload) -> list[dict[str, Any]]:
    rubric = {
        "id": "bench/made-up",
        "version": "1.0.0",
        "title": "Made up for measuring",
        "criteria": [
            {"id": f"c{number}", "statement": f"Names warning sign number {number} of the list."}
            for number in range(workload.criteria)
        ],
    }
    prose = (_PROSE * (workload.words // 40 + 1)).split()[: workload.words]
    return [
        {
            "rubric": rubric,
            "prompt": f"Question {mark}-{prompt}: what should I do about a headache?",
            "response": f"Answer {rollout} to {mark}-{prompt}. " + " ".join(prose),
        }
        for prompt in range(workload.prompts)
        for rollout in range(workload.rollouts)
    ]


def _figures(judgments: list[Judgment], wall: float, cpu: float) -> Figures:
    verdicts = [verdict for judgment in judgments for verdict in judgment.verdicts]
    usage = Usage.total(judgment.usage for judgment in judgments)
    return {
        "submissions": len(judgments),
        "verdicts": len(verdicts),
        "verdicts_decided": sum(verdict.decided for verdict in verdicts),
        "seconds": wall,
        "verdicts_per_second": len(verdicts) / wall,
        "cpu_milliseconds_per_verdict": 1_000 * cpu / max(len(verdicts), 1),
        "prompt_tokens": usage.prompt_tokens,
        "cached_share_of_prompt_tokens": usage.cached_tokens / max(usage.prompt_tokens, 1),
    }
