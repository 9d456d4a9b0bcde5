"""``judge-server attack``: run the suite against a judge, print the report, decide the exit status."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from judge_server.attack.attack import Attack
from judge_server.attack.base import BASES, Base
from judge_server.attack.corpus import chosen, corpus, read_corpus
from judge_server.attack.defence import Defence, Target, setups
from judge_server.attack.genuine import genuine_answers, refusals
from judge_server.attack.report import AttackReport, Rate, report_of
from judge_server.attack.suite import Suite
from judge_server.authoring.publication import load_unchanged
from judge_server.cli import options
from judge_server.cli.running import announce, fail
from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.core.rubric import Rubric
from judge_server.settings.settings import Settings
from judge_server.wiring.service import open_service

EXCEEDED = 1
NOT_ENOUGH_EVIDENCE = 3
_LEAST_DECIDED = 0.5


@dataclass(frozen=True)
class AttackOptions:
    """The flags of the command."""

    judge: str | None
    rubric: str | None
    families: tuple[str, ...]
    corpus: Path | None
    without: tuple[str, ...]
    bases: int
    margin: float
    max_success: float | None
    max_refusals: float | None
    concurrency: int
    as_json: bool


async def attack_judge(settings: Settings, order: AttackOptions) -> int:
    """Returns the exit status. Files are checked before a model is started."""
    attacks, without = _attacks(order), _defences(order.without)
    rubric = load_unchanged(Path(order.rubric)).rubric if order.rubric and options.is_file(order.rubric) else None
    async with open_service(settings) as service:
        judge = service.judge_registry.named(order.judge)
        announce([judge])
        if order.rubric and rubric is None:
            rubric = await service.rubric_registry.get(order.rubric)
        suite = Suite(
            attacks=attacks,
            bases=_bases(rubric),
            setups=setups(judge, without),
            bases_each=order.bases,
            margin=order.margin,
            at_once=order.concurrency,
        )
        target = Target(judge, service.calibration_state.for_measuring(raw=False), service.scorer.inspect)
        with _progress(suite.size) as advance:
            trials = await suite.run(target, advance)
    found = refusals(genuine_answers(), rubric, target.inspect)
    report = report_of(suite, trials, judge.reference, rubric.name if rubric else "the bundled rubrics", found)
    show(report, as_json=order.as_json)
    return _status(report, order)


def list_attacks(order: AttackOptions) -> None:
    """Print the ids, one per line."""
    try:
        for attack in _attacks(order):
            typer.echo(attack.id)
    except JudgeServerError as fault:
        fail(str(fault))


def _attacks(order: AttackOptions) -> tuple[Attack, ...]:
    attacks = corpus()
    if order.corpus is not None:
        own = read_corpus(order.corpus)
        double = {attack.id for attack in attacks} & {attack.id for attack in own}
        if double:
            raise BadInput(
                f"{order.corpus}: the id {min(double)} belongs to a bundled attack.", remedy="Choose another id."
            )
        attacks += own
    return chosen(attacks, order.families)


def _defences(named: tuple[str, ...]) -> tuple[Defence, ...]:
    if named in (("all",), ("none",)):
        return tuple(Defence) if named == ("all",) else ()
    unknown = [name for name in named if name not in tuple(Defence)]
    if unknown or not named:
        raise BadInput(
            f"--without: {', '.join(unknown) or 'nothing'} is not a defence.",
            remedy=f"Known: {', '.join(Defence)}, all, none.",
        )
    return tuple(Defence(name) for name in named)


def _bases(rubric: Rubric | None) -> tuple[Base, ...]:
    return BASES if rubric is None else tuple(base.under(rubric) for base in BASES)


def _status(report: AttackReport, order: AttackOptions) -> int:
    served = report.served.total
    if order.max_refusals is not None and report.refusals.rate > order.max_refusals:
        typer.echo(f"refusals: {report.refusals.rate:.2%} is more than {order.max_refusals:.2%}", err=True)
        return EXCEEDED
    if order.max_success is None:
        return 0
    if served.trials < _LEAST_DECIDED * (served.trials + served.undecided + served.no_room):
        typer.echo("not enough evidence: fewer than half of the attacks could be decided", err=True)
        return NOT_ENOUGH_EVIDENCE
    if served.rate is None or served.rate > order.max_success:
        typer.echo(f"attacks that paid: {served.rate:.2%} is more than {order.max_success:.2%}", err=True)
        return EXCEEDED
    return 0


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("attacking", total=total)
        yield lambda: progress.advance(task)


_MOST_LISTED = 30


def show(report: AttackReport, *, as_json: bool) -> None:
    """Print the report on standard output."""
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
    """Attacks that succeeded, of those decided, by family and setup."""
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
            typer.echo(f"{figures.setup}: {total.no_room} not counted: the bad response alone already scored best.")


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
