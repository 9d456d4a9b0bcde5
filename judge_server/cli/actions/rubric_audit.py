"""``judge-server rubric audit``: which criteria of a rubric earn their place, by stored judgments, labels and asking
again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from judge_server.cli.actions.asking_again import AskingAgain, KeptAskings, Wordings, other_wordings
from judge_server.cli.actions.rubric_target import one as rubric_named
from judge_server.cli.calibrate import sources
from judge_server.cli.running import announce, fail
from judge_server.core.judgment import JudgeReference
from judge_server.core.monitor import Series
from judge_server.core.rubric import Rubric
from judge_server.monitoring.rubric_audit import (
    LEAST,
    LEAST_PROMPTS,
    AskedTwice,
    ObservedShare,
    OtherWording,
    RubricAudit,
    audit,
)
from judge_server.settings.settings import Settings
from judge_server.store.observation import Observed, TimeRange
from judge_server.store.store import Store
from judge_server.util.canonical import digest, stable_hash
from judge_server.util.wording import many
from judge_server.wiring.service import open_service
from judge_server.wiring.storage import standing_store

_OPPOSITE: Final = "-opposite"
_OTHER: Final = {"usual": "opposite", "opposite": "usual"}
_WIDE: Final = 160  # into a file or a pipe no name is cut


@dataclass(frozen=True)
class RubricAuditOptions:
    """``most``: judgments that are read from each end of the time; ``ask``: how many of them are asked again, also in
    other words: ``wordings`` for each criterion that the model of the judge ``proposer`` writes, or those of the rubric
    ``against``."""

    rubric: str
    judge: str | None
    policy: str | None
    hours: float | None
    most: int
    labels: str | None
    ask: int
    proposer: str | None
    wordings: int
    against: str | None
    as_json: bool


async def audit_rubric(settings: Settings, given: RubricAuditOptions) -> None:
    """Read, ask again if wished, and print. Ends the command if nothing was judged under the rubric."""
    if (given.proposer or given.against) and not given.ask:
        fail("--proposer and --against ask again in other words: say with --ask about how many.")
    if given.proposer and given.against:
        fail("give one of --proposer and --against.")
    rubric = rubric_named(given.rubric, list(settings.rubrics) or None).rubric
    stored = settings.with_database()
    async with standing_store(stored, migrate=False) as store:
        series, rows = await _judged(store, rubric, given)
        labels = await sources.label_set(given.labels, store) if given.labels else None
    asked = await _asked_again(stored, series, rows, rubric, given) if given.ask else _Askings()
    found = await asyncio.to_thread(audit, rubric.name, series.judge, rows, asked.again, asked.turned, asked.reworded)
    found = found.model_copy(update={"wordings": _told(asked.wordings)})
    if labels is not None:
        from judge_server.calibration.label_remarks import label_remarks

        found = found.model_copy(update={"remarks": (*label_remarks(labels, rubric), *found.remarks)})
    _show(found, as_json=given.as_json)


async def _judged(store: Store, rubric: Rubric, given: RubricAuditOptions) -> tuple[Series, Sequence[Observed]]:
    since = datetime(1970, 1, 2, tzinfo=UTC)
    if given.hours is not None:
        since = datetime.now(UTC) - timedelta(hours=given.hours)
    span = TimeRange(since)
    known = await store.monitor.series(span, least=1, most=100, rubric=rubric.id)
    fitting = [one for one in known if given.judge in (None, one.judge) and one.policy == given.policy]
    if not fitting:
        others = ", ".join(sorted({one.judge for one in known})) or "none"
        fail(f"no judgment of these is stored under {rubric.id}; judges: {others}. See --database and --hours.")
    windows = await store.monitor.windows(fitting[0], span, given.most)
    rows = {one.id: one for one in (*windows.baseline, *windows.recent)}
    return fitting[0], tuple(rows.values())


@dataclass(frozen=True)
class _Askings:
    again: Sequence[AskedTwice] = ()
    turned: Sequence[AskedTwice] = ()
    reworded: Sequence[AskedTwice] = ()
    wordings: Sequence[Wordings] = ()


async def _asked_again(
    settings: Settings, series: Series, rows: Sequence[Observed], rubric: Rubric, given: RubricAuditOptions
) -> _Askings:
    """A random sample that is the same in every run, asked past the cache in the usual and in the opposite order, and
    in other words."""
    chosen = sorted((one for one in rows if one.asked), key=lambda one: stable_hash(one.id, "audit"))[: given.ask]
    judge = settings.judges.get(series.judge)
    if judge is None:
        fail(f"--ask: the judge {series.judge!r} is not configured: give --config, or --model for the judge default.")
    if judge.model is None:
        fail(f"--ask: {judge.name!r} is made of other judges: ask each of them by its own rubric audit.")
    other = judge.model_copy(update={"name": f"{judge.name}{_OPPOSITE}", "order": _OTHER[judge.order]})
    against = rubric_named(given.against, list(settings.rubrics) or None).rubric if given.against else None
    async with open_service(settings.with_flags(judges={**settings.judges, other.name: other})) as service:
        asked = service.judge_registry.named(judge.name).reference
        await _require_same(service.store, chosen, asked)
        announce([service.judge_registry.named(judge.name)])
        other_rubric = None if against is None else against.digest
        key = digest([rubric.digest, asked.fingerprint, other_rubric, given.proposer, given.wordings])
        kept = KeptAskings(Path(f"{rubric.id.replace('/', '-')}.asked.jsonl"), key)
        wordings = await other_wordings(service, rubric, given.proposer, given.wordings, against, kept)
        console = Console(stderr=True)
        with Progress(console=console, disable=not console.is_terminal) as progress:
            bar = progress.add_task("asking again", total=(2 + len(wordings)) * len(chosen))
            asking = AskingAgain(service.store, service.uncached_scorer(), kept, progress, bar)
            again, turned = await asking.all(chosen, judge.name), await asking.all(chosen, other.name)
            each = [await asking.all(chosen, judge.name, one) for one in wordings]
    kept.end()
    return _Askings(again, turned, [one for pairs in each for one in pairs], wordings)


async def _require_same(store: Store, rows: Sequence[Observed], judge: JudgeReference) -> None:
    """Ends the command if what judged then is not what would be asked now: differences would not be chance."""
    known = await store.judgment(rows[0].id) if rows else None
    if known is not None and known.judge is not None and known.judge.fingerprint != judge.fingerprint:
        fail(
            f"--ask: {judge.name} was {known.judge.fingerprint} when it judged and is {judge.fingerprint} now. "
            "Configure it as it was, or compare the two with calibrate compare."
        )


def _show(found: RubricAudit, *, as_json: bool) -> None:
    if as_json:
        typer.echo(found.model_dump_json())
        return
    refused = f", {found.refused} refused by the guard left out" if found.refused else ""
    size = f"{many(found.judgments, 'judgment')} of {many(found.prompts, 'prompt')}"
    typer.echo(f"{found.rubric}, {found.judge}: {size}{refused}")
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(
        ("criterion", "points", "met", "carries", "asked again", "other order", "other words")
    ):
        table.add_column(heading, justify="right" if place else "left")
    for one in found.criteria:
        shares = (one.met, one.carried, one.repeated, one.reordered, one.reworded)
        table.add_row(one.criterion, f"{one.points:g}", *map(_share, shares))
    console.print(table)
    where = "within prompts" if found.within else "among all responses"
    rest = round(found.rest, 4) + 0.0  # no minus before 0
    typer.echo(f"carries: the share of the reward's variance {where}; {rest:.1%} is carried by no criterion")
    for wording in found.wordings:
        guidance = f" ({wording.guidance})" if wording.guidance else ""
        typer.echo(f"{wording.criterion} in other words: {wording.statement}{guidance}")
    for remark in found.remarks:
        typer.secho(f"{' and '.join(remark.criteria)}: {remark.evidence}", fg=typer.colors.YELLOW)
        typer.echo(f"  {remark.advice}")
    if not found.enough:
        typer.echo(f"Too little for remarks: {LEAST} judgments of {LEAST_PROMPTS} prompts are needed.")
    elif not found.remarks:
        typer.echo("Nothing is shown to be wrong with any criterion.")


def _told(wordings: Sequence[Wordings]) -> tuple[OtherWording, ...]:
    return tuple(
        OtherWording(criterion=name, statement=one["statement"], guidance=one.get("guidance") or None)
        for way in wordings
        for name, one in way.items()
    )


def _share(found: ObservedShare | None) -> str:
    return "–" if found is None else f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"
