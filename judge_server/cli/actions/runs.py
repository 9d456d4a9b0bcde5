"""``judge-server run``: print what rewarded a run, and its prompts over the steps."""

import json
from typing import Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from judge_server.cli.actions.row_file import Writable
from judge_server.cli.actions.show import printable
from judge_server.core.errors import BadInput, UnknownRun
from judge_server.core.run import GroupRewards, RewardSource, RunChange, RunNoise, RunPrompts, RunSummary
from judge_server.settings.settings import Settings
from judge_server.wiring.storage import standing_store

_AT_ONCE: Final = 200
_OF_A_ROLLOUT: Final = {"response", "id", "run", "step", "policy", "on_change", "tags"}
_REMEDY = "Is --database the one that its judgments were kept in? judge-server run list shows the runs."


async def names(settings: Settings, limit: int) -> tuple[str, ...]:
    async with standing_store(settings, migrate=False) as store:
        return await store.runs.names(limit)


async def summary(settings: Settings, run: str) -> tuple[RunSummary, RunNoise]:
    """Raises UnknownRun."""
    from judge_server.monitoring.reward_noise import noise_of  # here, because it brings numpy, which run list needs not

    async with standing_store(settings, migrate=False) as store:
        found = await store.runs.summary(run)
        noise = await noise_of(store.reasks, run)
    if found is None:
        raise UnknownRun(f"No judgment is stored of the run {run!r}.", remedy=_REMEDY)
    return found, noise


async def prompts_of(settings: Settings, run: str, limit: int) -> RunPrompts:
    """Raises UnknownRun."""
    async with standing_store(settings, migrate=False) as store:
        found = await store.run_prompts.prompts(run, limit)
    if not found.prompts:
        raise UnknownRun(f"No judgment is stored of the run {run!r}.", remedy=_REMEDY)
    return found


async def repin(settings: Settings, run: str, reason: str) -> int:
    """The number of pins given up. Raises UnknownRun if there are none."""
    if not reason.strip():
        raise BadInput("--reason is empty.", remedy="Say why the reward of the run may change.")
    async with standing_store(settings) as store:
        count = await store.runs.repin(run, reason, "command line")
    if not count:
        raise UnknownRun(f"The run {run!r} is pinned to nothing.", remedy=_REMEDY)
    return count


async def write_history(settings: Settings, run: str, stream: Writable) -> None:
    """Write one JSON object for each prompt of a run: what was asked, and ``rewards``. Raises UnknownRun."""
    async with standing_store(settings, migrate=False) as store:
        keys = await store.run_prompts.keys(run)
        if not keys:
            raise UnknownRun(f"No judgment is stored of the run {run!r}.", remedy=_REMEDY)
        for start in range(0, len(keys), _AT_ONCE):
            for submission, rewards in await store.run_prompts.rollouts(run, keys[start : start + _AT_ONCE]):
                row = submission.model_dump(mode="json", exclude=_OF_A_ROLLOUT, exclude_defaults=True)
                stream.write(json.dumps(row | {"rewards": rewards}).encode() + b"\n")


def show_summary(found: RunSummary, noise: RunNoise, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found.model_dump(mode="json") | {"noise": noise.model_dump(mode="json")["rubrics"]}))
        return
    console = Console(highlight=False)
    console.rule(f"[bold cyan]{escape(printable(found.run))}[/]", align="left")
    console.print(_sources(found))
    if found.more_sources:
        console.print(f"and {found.more_sources} more (--json lists no more either)")
    for one in noise.rubrics:
        console.print(printable(f"asked again: {one.rubric}: {one.text}"), markup=False, soft_wrap=True)
    for pin in found.pins:
        since = "" if pin.step is None else f", since step {pin.step}"
        console.print(printable(f"pinned: {pin.kind} {pin.name}: {pin.value}{since}"), markup=False, soft_wrap=True)
    for change in found.changes:
        console.print(printable(_change(change)), markup=False, soft_wrap=True)


def _sources(found: RunSummary) -> Table:
    table = Table("steps", "rubric", "judge", "maps", "guard", "judgments", "mean reward", "from", "to", box=None)
    for one in found.sources:
        rubric = "none" if one.rubric is None else f"{one.rubric.id}@{one.rubric.version} {_short(one.rubric.digest)}"
        table.add_row(
            _steps(one),
            escape(printable(rubric)),
            escape(printable(f"{one.judge or 'none'} {_short(one.fingerprint)}")),
            escape(printable(one.maps or "none")),
            escape(one.guard or "unknown"),
            f"{one.judgments} ({one.ok} ok, {one.partial} partial, {one.failed} failed)",
            "none" if one.mean_reward is None else f"{one.mean_reward:.4f}",
            one.first_at.isoformat(timespec="seconds"),
            one.last_at.isoformat(timespec="seconds"),
        )
    return table


def _steps(one: RewardSource) -> str:
    if one.first_step is None:
        return "none given"
    span = f"{one.first_step}" if one.first_step == one.last_step else f"{one.first_step} to {one.last_step}"
    return f"{span} ({one.steps})"


def _short(digest: str | None) -> str:
    return "" if digest is None else digest.removeprefix("sha256:")[:12]


def _change(change: RunChange) -> str:
    at = "" if change.step is None else f" at step {change.step}"
    when = change.at.isoformat(timespec="seconds")
    what = f"{change.kind} {change.name}".strip()
    if change.act == "repinned":
        return f"repinned {when} by {change.by}: {what} was {change.before}. Reason: {change.reason}"
    if change.act == "doubted":
        return f"in doubt{at} {when}: {what} {change.before}: {change.reason}"
    return f"changed{at} {when}: {what} was {change.before}, then also {change.after}"


def show_prompts(found: RunPrompts, as_json: bool) -> None:
    if as_json:
        typer.echo(found.model_dump_json())
        return
    console = Console(highlight=False)
    table = Table("equal", "groups", "mean", "by step", "prompt", box=None)
    for one in found.listed:
        table.add_row(
            str(one.equal_groups),
            str(one.groups),
            "none" if one.mean is None else f"{one.mean:.3f}",
            escape(" ".join(_group(group) for group in one.steps[-8:])),
            escape(printable(one.excerpt or one.prompt)),
        )
    console.print(table)
    console.print(
        f"{found.prompts} prompts; {found.equal_groups} of {found.groups} groups have equal rewards and teach nothing"
    )


def _group(group: GroupRewards) -> str:
    step = "" if group.step is None else f"{group.step}:"
    if group.mean is None:
        return f"{step}none"
    return f"{step}{group.mean:.2f}{'=' if group.equal else ''}"
