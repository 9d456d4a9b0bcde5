"""Scores bundled submissions and prints a table of verdicts for each, and the rewards."""

import json
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from judge_server.cli.running import announce
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.judging.answer import Terms
from judge_server.scoring.batch import score_batch
from judge_server.settings.settings import Settings
from judge_server.util.wording import many
from judge_server.wiring.service import Service, open_service

_DOMAINS = ("medical", "writing", "safety", "format")
_WIDTH = 110
_SHOWN = 5
Items = Sequence[dict[str, Any]]


async def demonstrate(settings: Settings, *, full: bool, as_json: bool) -> None:
    """Score the bundled submissions and print what came out. Ends with status 1 if a verdict is missing."""
    async with open_service(settings) as service:
        items = bundled_submissions()
        judgments = await score_batch(service.scorer, items, Terms())
        if as_json:
            announce(service.judge_registry.judges.values())
            for judgment in judgments:
                typer.echo(judgment.model_dump_json())
        else:
            await _show(service, items, judgments, None if full else _SHOWN)
    missing = Counter(
        verdict.error.type if verdict.error else verdict.status
        for judgment in judgments
        for verdict in judgment.verdicts
        if verdict.status not in (VerdictStatus.OK, VerdictStatus.NOT_APPLICABLE)
    )
    if missing:
        causes = ", ".join(f"{count} {cause}" for cause, count in missing.most_common())
        typer.echo(f"{missing.total()} verdicts are missing: {causes}", err=True)
        raise typer.Exit(1)


def bundled_submissions() -> list[dict[str, Any]]:
    """Submissions written for the demonstration, good and bad ones."""
    folder = files("judge_server").joinpath("demo")
    return [
        json.loads(line)
        for domain in _DOMAINS
        for line in folder.joinpath(f"{domain}.jsonl").read_text("utf-8").splitlines()
        if line.strip()
    ]


async def _show(service: Service, items: Items, judgments: Sequence[Judgment], count: int | None) -> None:
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=_WIDTH)
    judge = service.judge_registry.named(None).reference
    for item, judgment in zip(items, judgments, strict=True):
        rubric = await service.rubric_registry.get(str(item["rubric"]))
        console.print(_heading(item, judgment, rubric), _verdicts(judgment, rubric, count), "", sep="\n")
    console.print(_rewards(items, judgments))
    console.print(_closing(judgments, judge.model, judge.notice))


def _heading(item: dict[str, Any], judgment: Judgment, rubric: Rubric) -> str:
    fired = "".join(f", [red]gate {escape(gate.criterion)} fired[/]" for gate in judgment.gates)
    return (
        f"[bold cyan]{escape(str(item['id']))}[/]  {rubric.name}  "
        f"[bold]reward {_number(judgment.reward)}[/]{fired}\n"
        f"[dim]Prompt:[/]   {_excerpt(item['prompt'])}\n[dim]Response:[/] {_excerpt(item['response'])}"
    )


def _excerpt(given: Any) -> str:
    text = given if isinstance(given, str) else str(given[-1].get("content") or "")
    words = " ".join(text.split())
    return escape(words if len(words) <= 96 else words[:95] + "…")


def _verdicts(judgment: Judgment, rubric: Rubric, count: int | None) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1), pad_edge=False)
    table.add_column("points", justify="right", no_wrap=True, width=6)
    table.add_column("verdict", no_wrap=True, width=16, overflow="ellipsis")
    table.add_column("by", style="dim", no_wrap=True, width=5)
    table.add_column("criterion", no_wrap=True, ratio=1, overflow="ellipsis")
    weighty = sorted(_applicable(judgment), key=lambda verdict: -abs(verdict.points))
    for verdict in weighty[:count]:
        statement = " ".join(rubric.by_id[verdict.criterion].statement.split())
        table.add_row(f"{verdict.points:+g}", _outcome(verdict), verdict.source, escape(statement))
    more = len(weighty) - len(weighty[:count])
    if more:
        table.add_row("", "", "", f"[dim]and {more} lighter ones (--full shows them)[/]")
    return table


def _applicable(judgment: Judgment) -> list[Verdict]:
    return [verdict for verdict in judgment.verdicts if verdict.decided or verdict.missing]


def _outcome(verdict: Verdict) -> str:
    if verdict.value is None:
        return f"[red]{verdict.status}[/]"
    value = f"{verdict.value:.2f}"
    return f"{value} {escape(verdict.option)}" if verdict.option else value


def _rewards(items: Items, judgments: Sequence[Judgment]) -> Table:
    table = Table(
        title="[bold]Rewards[/]", title_justify="left", title_style="", box=box.SIMPLE_HEAD, pad_edge=False, padding=0
    )
    table.add_column("submission", style="cyan", no_wrap=True)
    table.add_column("rubric", no_wrap=True)
    table.add_column("reward", justify="right", style="bold", no_wrap=True)
    table.add_column("status", no_wrap=True)
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


def _closing(judgments: Sequence[Judgment], model: str, notice: str | None) -> str:
    decided = sum(verdict.decided for judgment in judgments for verdict in judgment.verdicts)
    total = f"{many(len(judgments), 'submission')}, {many(decided, 'verdict')} by {escape(model)} and by programs."
    unreviewed = sum(any(": unreviewed" in notice for notice in judgment.notices) for judgment in judgments)
    if unreviewed:
        total += f"\n[yellow]{unreviewed} of them under rubrics that no expert of the field has reviewed.[/]"
    if notice is None:
        return total
    return (
        f"{total}\n[yellow]{escape(notice)}[/]\n"
        "A real judge: judge-server demo --model vllm:Qwen/Qwen3.5-9B, or openai:NAME@http://HOST:PORT/v1"
    )


def _number(reward: float | None) -> str:
    return "none" if reward is None else f"{reward:.3f}"


def _remarks(judgment: Judgment) -> str:
    gates = [f"gate {gate.criterion}" for gate in judgment.gates]
    failure = [judgment.error.type] if judgment.error else []
    return ", ".join([*gates, *judgment.flags, *failure])
