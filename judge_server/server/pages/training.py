"""/runs and /runs/one: a training run over its steps, with the alarms where they were raised."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from judge_server.core.errors import UnknownRun
from judge_server.core.monitor import Transition
from judge_server.core.run import GroupRewards, RunSummary
from judge_server.monitoring.reward_noise import noise_of
from judge_server.server.pages.rendering import page
from judge_server.server.pages.run_profile import RunProfile, profile, sampled, with_audits
from judge_server.server.routes.runs import RunName, require_view
from judge_server.server.service import ServiceHere, viewer
from judge_server.store import Store
from judge_server.store.payload import microseconds
from judge_server.store.run_step_records import RunStep
from judge_server.util.concurrency import both

router = APIRouter(prefix="/runs", include_in_schema=False)
_LISTED: Final = 100
_PROMPTS: Final = 20
_NEWEST_GROUPS: Final = 8
_PARTS: Final = 12  # rubrics and policies that are drawn
_PROFILED: Final = 4  # and those whose judgments are read
_WIDTH: Final = 600
_HEIGHT: Final = 160
_HOVERED: Final = 120  # steps whose values a curve tells
_WHOLE_FROM: Final = 100
_EDGES: Final = (0.05, 0.1, 0.25, 0.5)  # of frames for shares that are small


_Key = tuple[str, str]  # rubric and policy


@dataclass(frozen=True)
class StepLine:
    """A curve over steps in a frame of 600 × 160. ``runs``: polylines, broken where a value is missing; ``low`` and
    ``high``: the values at the frame's lower and upper edge; ``marks``: x of an alarm, with its text; ``points``: x and
    y of a step, with its value."""

    title: str
    runs: tuple[str, ...]
    low: str
    high: str
    first: int
    last: int
    marks: tuple[tuple[str, str], ...]
    points: tuple[tuple[str, str], ...]
    told: str


@dataclass(frozen=True)
class RunPart:
    """What one rubric gave one policy."""

    rubric: str
    policy: str
    steps: tuple[RunStep, ...]
    lines: tuple[StepLine, ...]
    profiled: tuple[StepLine, ...]
    profile: RunProfile | None


@router.get("")
async def runs(request: Request, service: ServiceHere) -> Response:
    caller = viewer(service)
    names = await service.store.runs.names(_LISTED, caller)
    newest = await service.store.run_steps.newest(names, caller)
    return page(request, "runs.html", runs=[(name, newest.get(name)) for name in names])


@router.get("/one")
async def run(run: RunName, request: Request, service: ServiceHere) -> Response:
    """The steps of the run named in the address, each leading to its judgments."""
    await require_view(service, run)
    caller = viewer(service)
    summary = await service.store.runs.summary(run, caller)
    if summary is None:
        raise UnknownRun("No judgment names this run.", remedy="Look for it among the runs.")
    steps = await service.store.run_steps.steps(run, caller)
    told = [one for one in await service.store.alarms.transitions(1_000) if one.raised]
    raised = [one for one in told if one.finding.run in (None, run)]
    grouped = {key: tuple(some) for key, some in groupby(steps, key=lambda step: (step.rubric, step.policy))}
    profiles, noise = await both(
        _profiles(service.store, run, dict(list(grouped.items())[:_PROFILED]), caller),
        noise_of(service.store.reasks, run, caller),
    )
    grace_us = int(2e6 * service.settings.monitor_seconds)
    shown_parts = list(grouped.items())[:_PARTS]
    parts = [
        _part(some, _marks(some, raised, _judges(summary, key[0]), grace_us), profiles.get(key))
        for key, some in shown_parts
    ]
    prompts = await service.store.run_prompts.prompts(run, _PROMPTS, caller)
    histories = [(one, [(step, _group(step)) for step in one.steps[-_NEWEST_GROUPS:]]) for one in prompts.listed]
    shown: dict[str, Any] = {"parts": parts, "prompts": prompts, "histories": histories, "noise": noise.rubrics}
    shown |= {"more_parts": len(grouped) - len(parts)}
    return page(request, "run.html", run=run, summary=summary, **shown)


async def _profiles(
    store: Store, run: str, parts: Mapping[_Key, Sequence[RunStep]], caller: str | None
) -> dict[_Key, RunProfile]:
    found = {key: await profile(store, run, sampled(steps), caller) for key, steps in parts.items()}
    await with_audits(store, run, found, caller)
    return found


def _group(group: GroupRewards) -> str:
    """``9: 0.60 =`` for a step whose rewards were equal."""
    step = "" if group.step is None else f"{group.step}:\N{NO-BREAK SPACE}"
    mean = "none" if group.mean is None else f"{group.mean:.2f}"
    return f"{step}{mean}{'=' if group.equal else ''}"


def _judges(summary: RunSummary, rubric: str) -> frozenset[str]:
    """Those that judged under the rubric in the run."""
    return frozenset(
        one.judge for one in summary.sources if one.judge and (one.rubric.id if one.rubric else "") == rubric
    )


def _part(steps: tuple[RunStep, ...], marks: Sequence[tuple[int, str]], found: RunProfile | None) -> RunPart:
    first = steps[0]
    shares = {
        "Share without a reward": [step.without / step.judgments for step in steps],
        "Share that the guard flagged": [step.flagged / step.judgments for step in steps],
    }
    lines = [_line("Mean reward", steps, [step.mean for step in steps], marks)]
    lines += [_line(title, steps, values, marks, (0.0, _edge(values))) for title, values in shares.items()]
    return RunPart(first.rubric, first.policy, steps, tuple(lines), tuple(_profiled(steps, marks, found)), found)


def _edge(shares: Sequence[float]) -> float:
    """The upper edge of a frame in which the largest share is seen."""
    return next((edge for edge in _EDGES if max(shares) <= edge), 1.0)


def _profiled(
    steps: tuple[RunStep, ...], marks: Sequence[tuple[int, str]], found: RunProfile | None
) -> Iterator[StepLine]:
    """The curves of a sample of the steps."""
    if found is None:
        return
    some = sampled(steps)
    yield _line("Mean length in characters", some, [found.length.get(step.step) for step in some], marks)
    if found.audits:
        own = [step for step in steps if step.step in found.audits]
        agreed = [found.audits[step.step] for step in own]
        yield _line("Share decided as the audit did", own, agreed, marks, (0.0, 1.0), (steps[0].step, steps[-1].step))
    for kind, by_name in (("Component", found.components), ("Met", found.criteria)):
        for name, values in by_name.items():
            yield _line(f"{kind}: {name}", some, [values.get(step.step) for step in some], marks, (0.0, 1.0))


def _marks(
    steps: Sequence[RunStep], raised: Sequence[Transition], judges: frozenset[str], grace_us: int
) -> list[tuple[int, str]]:
    """The step that was under way, or just over, when an alarm was raised about what the steps are of."""
    found = []
    for one in raised:
        at, series = microseconds(one.at), one.finding.series
        before = [step.step for step in steps if step.first_us <= at]
        during = before and at <= max(step.last_us for step in steps) + grace_us
        ours = series.rubric in (None, steps[0].rubric) and series.policy in (None, steps[0].policy)
        if during and ours and series.judge in judges:
            name = one.finding.monitor.replace("_", " ")
            found.append((before[-1], f"Step {before[-1]}, {name}: {one.finding.text}"))
    return found


def _line(
    title: str,
    steps: Sequence[RunStep],
    values: Sequence[float | None],
    marks: Sequence[tuple[int, str]],
    within: tuple[float, float] | None = None,
    ends: tuple[int, int] | None = None,
) -> StepLine:
    """``within``: the values, and ``ends`` the steps, at the edges of the frame; by default the extreme ones."""
    known = [value for value in values if value is not None]
    low, high = within or (min(known, default=0.0), max(known, default=1.0))
    span, (first, last) = (high - low) or 1.0, ends or (steps[0].step, steps[-1].step)

    def across(step: int) -> float:
        return _WIDTH * (step - first) / max(last - first, 1)

    points = [
        None if value is None else f"{across(step.step):.1f},{_HEIGHT * (1 - (value - low) / span):.1f}"
        for step, value in zip(steps, values, strict=True)
    ]
    pieces = [_piece(list(piece)) for there, piece in groupby(points, key=lambda one: one is not None) if there]
    told = f"{title}: {known[0]:.3f} at first, {known[-1]:.3f} at last" if known else f"{title}: no values"
    shown = tuple((f"{across(step):.1f}", text) for step, text in marks)
    named = [
        (at.replace(",", " "), step.step, value) for at, step, value in zip(points, steps, values, strict=True) if at
    ]
    hovered = tuple((at, f"Step {step}: {value:.3f}") for at, step, value in named) if len(named) <= _HOVERED else ()
    return StepLine(title, tuple(pieces), _figure(low), _figure(high), first, last, shown, hovered, told)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:.3f}"


def _piece(points: Sequence[str | None]) -> str:
    """A single point is drawn as a line to itself, which has round ends."""
    return " ".join(map(str, points if len(points) > 1 else [*points, *points]))
