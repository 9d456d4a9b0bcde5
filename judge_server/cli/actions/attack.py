"""What ``judge-server attack`` does: run the suite against a judge, show the figures, decide the exit status."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from judge_server.attack.attack import Attack
from judge_server.attack.base import BASES, Base
from judge_server.attack.corpus import chosen, corpus
from judge_server.attack.corpus_file import read_corpus
from judge_server.attack.defence import Defence, setups
from judge_server.attack.genuine import genuine_answers, refusals
from judge_server.attack.report import AttackReport, report_of
from judge_server.attack.suite import Suite
from judge_server.attack.target import Target
from judge_server.authoring.parsing import load
from judge_server.cli import options
from judge_server.cli.actions import attack_view
from judge_server.cli.notice import announce
from judge_server.cli.running import fail
from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.core.rubric import Rubric
from judge_server.settings.settings import Settings
from judge_server.wiring.service import open_service

EXCEEDED = 1
NOT_ENOUGH_EVIDENCE = 3
_LEAST_DECIDED = 0.5


@dataclass(frozen=True)
class Order:
    """What the flags asked for."""

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


async def attack_judge(settings: Settings, order: Order) -> int:
    """The exit status. What is wrong with the files is said before a model is started."""
    attacks, without = _attacks(order), _defences(order.without)
    rubric = load(Path(order.rubric)).rubric if order.rubric and options.is_file(order.rubric) else None
    async with open_service(settings) as service:
        judge = service.bench.named(order.judge)
        announce([judge])
        if order.rubric and rubric is None:
            rubric = await service.shelf.get(order.rubric)
        suite = Suite(
            attacks=attacks,
            bases=_bases(rubric),
            setups=setups(judge, without),
            bases_each=order.bases,
            margin=order.margin,
            at_once=order.concurrency,
        )
        target = Target(judge, service.standing.for_measuring(raw=False), service.scorer.inspect)
        with _progress(suite.size) as advance:
            trials = await suite.run(target, advance)
    found = refusals(genuine_answers(), rubric, target.inspect)
    report = report_of(suite, trials, judge.reference, rubric.name if rubric else "the bundled rubrics", found)
    attack_view.show(report, as_json=order.as_json)
    return _status(report, order)


def list_attacks(order: Order) -> None:
    """The ids, one a line."""
    try:
        for attack in _attacks(order):
            typer.echo(attack.id)
    except JudgeServerError as fault:
        fail(str(fault))


def _attacks(order: Order) -> tuple[Attack, ...]:
    attacks = corpus()
    if order.corpus is not None:
        own = read_corpus(order.corpus)
        double = {attack.id for attack in attacks} & {attack.id for attack in own}
        if double:
            raise BadInput(
                f"{order.corpus}: the id {min(double)} is that of a bundled attack.", remedy="Choose another id."
            )
        attacks += own
    return chosen(attacks, order.families)


def _defences(named: tuple[str, ...]) -> tuple[Defence, ...]:
    if named in (("all",), ("none",)):
        return tuple(Defence) if named == ("all",) else ()
    unknown = [name for name in named if name not in tuple(Defence)]
    if unknown or not named:
        raise BadInput(
            f"--without: {', '.join(unknown) or 'nothing'} is no defence.",
            remedy=f"Known: {', '.join(Defence)}, all, none.",
        )
    return tuple(Defence(name) for name in named)


def _bases(rubric: Rubric | None) -> tuple[Base, ...]:
    return BASES if rubric is None else tuple(base.under(rubric) for base in BASES)


def _status(report: AttackReport, order: Order) -> int:
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
