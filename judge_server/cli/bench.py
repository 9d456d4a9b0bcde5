"""``judge-server bench``: what a verdict of the configured judge costs on this machine."""

import json
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from judge_server.cli import options
from judge_server.cli.notice import announce
from judge_server.cli.running import run
from judge_server.core.judgment import Judgment, Usage
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.batch import score_batch
from judge_server.wiring import open_service, settle

_PROSE = (
    "The patient should rest, drink enough water and watch the temperature. A headache that comes suddenly, with a "
    "stiff neck or with weakness on one side needs emergency care. Otherwise a doctor can be seen within the week. "
)


def bench(
    model: options.Model = None,
    mode: options.Mode = None,
    engine: options.Engine = None,
    min_label_mass: options.MinLabelMass = None,
    database: options.Database = None,
    config: options.Config = None,
    prompts: Annotated[int, typer.Option("--prompts", min=1, help="Different prompts.")] = 4,
    rollouts: Annotated[int, typer.Option("--rollouts", min=1, help="Responses to each prompt.")] = 8,
    criteria: Annotated[int, typer.Option("--criteria", min=1, max=1_000, help="Criteria of the rubric.")] = 12,
    words: Annotated[int, typer.Option("--words", min=1, help="About how long a response is.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure verdicts per second, processor time per verdict and the share of prompt tokens that the cache saved.

    The texts are made up and never seen before, so no verdict comes from the cache.
    """

    async def work() -> dict[str, Any]:
        settings = options.settings_from(
            config=config, model=model, mode=mode, engine=engine, min_label_mass=min_label_mass, database=database
        )
        async with open_service(settings) as service:
            settle()
            announce(service.judges.values())
            await score_batch(service.scorer, _work("warm", 1, 1, criteria, words), Terms(Priority.BATCH))
            items = _work(str(time.time_ns()), prompts, rollouts, criteria, words)
            wall, cpu = time.perf_counter(), time.process_time()
            judgments = await score_batch(service.scorer, items, Terms(Priority.BATCH))
            return _figures(judgments, time.perf_counter() - wall, time.process_time() - cpu)

    figures = run(work())
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table(show_header=False, box=None)
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:,.4g}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)


def _work(mark: str, prompts: int, rollouts: int, criteria: int, words: int) -> list[dict[str, Any]]:
    rubric = {
        "id": "bench/made-up",
        "version": "1.0.0",
        "title": "Made up for measuring",
        "criteria": [
            {"id": f"c{number}", "statement": f"Names warning sign number {number} of the list."}
            for number in range(criteria)
        ],
    }
    prose = (_PROSE * (words // 40 + 1)).split()[:words]
    return [
        {
            "rubric": rubric,
            "prompt": f"Question {mark}-{prompt}: what should I do about a headache?",
            "response": f"Answer {rollout} to {mark}-{prompt}. " + " ".join(prose),
        }
        for prompt in range(prompts)
        for rollout in range(rollouts)
    ]


def _figures(judgments: list[Judgment], wall: float, cpu: float) -> dict[str, float | int]:
    verdicts = [verdict for judgment in judgments for verdict in judgment.verdicts]
    usage = sum((judgment.usage for judgment in judgments), Usage())
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
