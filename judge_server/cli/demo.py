"""``judge-server demo``: the main job on bundled submissions with the embedded default judge."""

import json
from importlib.resources import files
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from judge_server.cli import options
from judge_server.cli.notice import announce
from judge_server.cli.running import run
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict
from judge_server.judging.answer import Terms
from judge_server.scoring.batch import score_batch
from judge_server.wiring import Service, open_service

_DOMAINS = ("medical", "writing", "safety", "format")


def demo(
    model: options.Model = None,
    mode: options.Mode = None,
    engine: options.Engine = None,
    full: Annotated[
        bool, typer.Option("--full", help="Show every verdict, not only the ones that weigh most.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print judgments, one JSON object a line.")] = False,
) -> None:
    """Score bundled submissions against the medical, writing, safety and format rubrics.

    Without --model the embedded lexical baseline judges: it shows how everything fits together and says nothing about
    how well a response really answers.
    """

    async def work() -> None:
        settings = options.settings_from(config=None, model=model, mode=mode, engine=engine)
        async with open_service(settings.with_flags(database_url="sqlite://")) as service:
            announce(service.judges.values())
            items = bundled_submissions()
            judgments = await score_batch(service.scorer, items, Terms())
            if as_json:
                for judgment in judgments:
                    typer.echo(judgment.model_dump_json())
            else:
                await _show(service, items, judgments, full)

    run(work())


def bundled_submissions() -> list[dict[str, Any]]:
    """Submissions written for the demonstration, good and bad ones."""
    folder = files("judge_server").joinpath("demo")
    return [
        json.loads(line)
        for domain in _DOMAINS
        for line in folder.joinpath(f"{domain}.jsonl").read_text("utf-8").splitlines()
        if line.strip()
    ]


async def _show(service: Service, items: list[dict[str, Any]], judgments: list[Judgment], full: bool) -> None:
    console = Console(width=None if Console().is_terminal else 110)
    for item, judgment in zip(items, judgments, strict=True):
        rubric = await service.shelf.get(str(item["rubric"]))
        console.print(_verdict_table(item, judgment, rubric, full))
    console.print(_summary(items, judgments))


def _verdict_table(item: dict[str, Any], judgment: Judgment, rubric: Rubric, full: bool) -> Table:
    excerpt = " ".join(str(item["response"]).split())
    table = Table(
        title=f"[bold]{escape(str(item['id']))}[/]  {rubric.name}",
        caption=f"reward {_number(judgment.reward)}  ·  {_why(judgment)}  ·  “{escape(excerpt[:48])}…”",
        title_justify="left",
        caption_justify="left",
        expand=True,
    )
    table.add_column("criterion", style="cyan", no_wrap=True, width=24, overflow="ellipsis")
    table.add_column("points", justify="right", no_wrap=True, width=6)
    table.add_column("value", no_wrap=True, width=20, overflow="ellipsis")
    table.add_column("by", style="dim", no_wrap=True, width=5)
    table.add_column("statement", no_wrap=True, ratio=1, overflow="ellipsis")
    for verdict in _weightiest(judgment.verdicts, None if full else 5):
        statement = rubric.by_id[verdict.criterion].statement
        table.add_row(
            verdict.criterion,
            f"{verdict.points:+g}",
            _outcome(verdict),
            verdict.source,
            escape(" ".join(statement.split())),
        )
    return table


def _weightiest(verdicts: tuple[Verdict, ...], count: int | None) -> list[Verdict]:
    decided = [verdict for verdict in verdicts if verdict.decided or verdict.missing]
    return sorted(decided, key=lambda verdict: -abs(verdict.points))[:count]


def _outcome(verdict: Verdict) -> str:
    if verdict.value is None:
        return f"[red]{verdict.status}[/]"
    value = f"{verdict.value:.2f}"
    return f"{value} {escape(verdict.option)}" if verdict.option else value


def _summary(items: list[dict[str, Any]], judgments: list[Judgment]) -> Table:
    table = Table(title="[bold]Rewards[/]", title_justify="left")
    table.add_column("submission", style="cyan")
    table.add_column("rubric")
    table.add_column("reward", justify="right", style="bold")
    table.add_column("status")
    table.add_column("remarks")
    for item, judgment in zip(items, judgments, strict=True):
        table.add_row(
            escape(str(item["id"])),
            str(item["rubric"]),
            _number(judgment.reward),
            judgment.status,
            escape(_remarks(judgment)),
        )
    return table


def _number(reward: float | None) -> str:
    return "none" if reward is None else f"{reward:.3f}"


def _why(judgment: Judgment) -> str:
    remarks = _remarks(judgment)
    return f"{judgment.status}, {judgment.coverage:.0%} of the weight decided" + (
        f", {escape(remarks)}" if remarks else ""
    )


def _remarks(judgment: Judgment) -> str:
    gates = [f"gate {gate.criterion}" for gate in judgment.gates]
    failure = [judgment.error.type] if judgment.error else []
    return ", ".join([*gates, *judgment.flags, *failure])
