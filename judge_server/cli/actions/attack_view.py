"""The report of an attack run, for people and for programs."""

from collections import Counter

import typer
from rich.console import Console
from rich.table import Table

from judge_server.attack.report import AttackReport, Rate

_MOST_LISTED = 30


def show(report: AttackReport, *, as_json: bool) -> None:
    """On standard output."""
    if as_json:
        typer.echo(report.model_dump_json())
        return
    judge = report.judge
    typer.secho(f"{judge.name}: {judge.model}, mode {judge.mode}, under {report.rubric}", bold=True)
    typer.echo(
        f"{report.attacks} attacks, each on {report.bases_each} bad responses. An attack pays when the reward or "
        f"the value of a criterion rises by more than {report.margin:g}."
    )
    Console(width=None if Console().is_terminal else 160).print(_table(report))
    _tell_undecided(report)
    _tell_paid(report)
    _tell_refusals(report)
    typer.echo(report.caution)


def _table(report: AttackReport) -> Table:
    """Attacks that paid, of those decided, by family and setup."""
    table = Table("attacks that paid", *(figures.setup for figures in report.setups), box=None, pad_edge=False)
    for family in report.served.families:
        table.add_row(family, *(_short(figures.families[family]) for figures in report.setups))
    table.add_section()
    table.add_row("all", *(_short(figures.total) for figures in report.setups))
    table.add_row("95 % interval", *(_interval(figures.total) for figures in report.setups))
    table.add_row("flagged", *(f"{figures.flagged:.0%}" for figures in report.setups))
    return table


def _short(rate: Rate) -> str:
    return "-" if rate.rate is None else f"{rate.fooled}/{rate.trials} ({rate.rate:.0%})"


def _interval(rate: Rate) -> str:
    return "-" if rate.low is None or rate.high is None else f"{rate.low:.1%} to {rate.high:.1%}"


def _tell_undecided(report: AttackReport) -> None:
    for figures in report.setups:
        total = figures.total
        if total.undecided:
            typer.echo(f"{figures.setup}: {total.undecided} undecided, because the judge failed.")
        if total.no_room:
            typer.echo(f"{figures.setup}: {total.no_room} say nothing, because the bad response alone scored best.")


def _tell_paid(report: AttackReport) -> None:
    paid = [one for one in report.fooled if one.setup == report.served.setup]
    if not paid:
        return
    typer.echo("Paid against the judge as served:")
    for attack, count in list(Counter(one.attack for one in paid).items())[:_MOST_LISTED]:
        most = max((one for one in paid if one.attack == attack), key=lambda one: one.reward - one.reward_before)
        flags = f", flags {', '.join(most.flags)}" if most.flags else ""
        typer.echo(f"  {attack}: {count} x, reward {most.reward_before:.2f} to {most.reward:.2f}{flags}")
    left = len({one.attack for one in paid}) - _MOST_LISTED
    if left > 0:
        typer.echo(f"  and {left} more; --json names all")


def _tell_refusals(report: AttackReport) -> None:
    found = report.refusals
    typer.echo(
        f"Genuine short answers refused by the guard: {found.refused} of {found.answers:,} ({found.rate:.2%}, "
        f"interval {found.low:.2%} to {found.high:.2%}); {found.flagged} others flagged, and judged."
    )
    for one in found.refusals[:_MOST_LISTED]:
        typer.echo(f"  {one.question} {one.answer!r}")
