"""``judge-server monitor preference``: which of two responses a judge prefers without the rubric, over a training
run."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import typer
from rich.console import Console
from rich.progress import Progress

from judge_server.cli.running import announce, fail
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.judging.answer import Judge, Terms
from judge_server.judging.relative.comparison import RelativeOptions
from judge_server.models.protocol import Priority
from judge_server.monitoring.free_preference import FreePreference, RolloutPair, ends_of, free_preference, pairs_of
from judge_server.scoring.group.comparing import Comparer
from judge_server.settings.settings import Settings
from judge_server.store.store import Store
from judge_server.wiring.service import Service, open_service
from judge_server.wiring.storage import standing_store

_AT_ONCE: Final = 16
_FREE: Final = Rubric.model_validate(
    {
        "id": "monitor/free-preference",
        "version": "1.0.0",
        "title": "Which answer is better, all things considered",
        "criteria": [
            {
                "id": "better",
                "statement": "Is the answer that an expert would rather give to this user, all things considered.",
            }
        ],
    }
)


@dataclass(frozen=True)
class PreferenceOptions:
    """``base``: another run, whose responses stand for the policy before; else the run's own first steps do."""

    run: str
    base: str | None
    judge: str | None
    sample: int
    as_json: bool


async def prefer(settings: Settings, given: PreferenceOptions) -> FreePreference:
    """Compare and print. Ends the command if the run is not known."""
    stored = settings.with_database()
    async with standing_store(stored, migrate=False) as store:
        pairs = await rewarded_pairs(store, given)
    async with open_service(stored) as service:
        judge = service.judge_registry.named(given.judge)
        announce([judge])
        found = free_preference(await compared_pairs(service, judge, pairs))
    _tell(found, as_json=given.as_json)
    return found


async def compared_pairs(
    service: Service, judge: Judge, pairs: Sequence[RolloutPair]
) -> list[tuple[RolloutPair, float | None]]:
    """Each with the judge's preference for the response after, without the rubric; None if it failed."""
    ends = {end.judgment for pair in pairs for end in (pair.before, pair.after)}
    await service.shown_again.require(judge.specification, ends)
    comparer = Comparer(service.measuring_scorer(), service.cached_judge)
    options = RelativeOptions(kind="pairwise", judge=judge.reference.name)
    places, console = asyncio.Semaphore(_AT_ONCE), Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("comparing", total=len(pairs))

        async def compared(pair: RolloutPair) -> tuple[RolloutPair, float | None]:
            async with places:
                found = await _preferred(service, comparer, options, pair)
            progress.advance(bar)
            return pair, found

        return await asyncio.gather(*map(compared, pairs))


async def rewarded_pairs(store: Store, given: PreferenceOptions) -> list[RolloutPair]:
    """Ends the command if a run is not known."""
    rollouts = await store.run_prompts.rewarded(given.run)
    if not rollouts:
        fail(f"no judgment with a reward is stored of the run {given.run!r}: judge-server run list shows the runs.")
    before, after = ends_of(rollouts)
    if given.base is not None:
        before, after = await store.run_prompts.rewarded(given.base), after or rollouts
        if not before:
            fail(f"no judgment with a reward is stored of the run {given.base!r}.")
    return pairs_of(before, after, given.sample)


async def _preferred(service: Service, comparer: Comparer, options: RelativeOptions, pair: RolloutPair) -> float | None:
    """The share for the response after; one half if both are the same text. None if a judge failed, or if a response
    is no longer stored."""
    both = [await service.store.submission(one.judgment) for one in (pair.before, pair.after)]
    asked: list[Submission] = [
        one.model_copy(update={"rubric": _FREE, "run": None, "judge": None, "reference": None, "facts": {}})
        for one in both
        if one is not None
    ]
    if len(asked) < 2:
        return None
    if asked[0].response == asked[1].response:
        return 0.5
    rewards = (await comparer.compare(asked, options, Terms(Priority.AUDIT))).rewards
    if rewards[0] is None or rewards[1] is None:
        return None
    return (1 + rewards[1] - rewards[0]) / 2


def _tell(found: FreePreference, *, as_json: bool) -> None:
    if as_json:
        typer.echo(found.model_dump_json())
        return
    typer.secho(found.text, fg=typer.colors.RED if found.state == "alarm" else None)
    if found.failed:
        typer.echo(f"{found.failed} pairs could not be compared")
