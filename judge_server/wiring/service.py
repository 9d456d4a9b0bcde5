"""Settings, models, judges, rubrics, store and scorer put together: every door opens onto a Service."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from judge_server.authoring.rubric_registry import RubricRegistry
from judge_server.core.caller import PRIORITY_CLASSES, ClassLimit
from judge_server.guard import guard
from judge_server.judging.prompt import PromptWriter
from judge_server.models.protocol import Priority
from judge_server.scheduling.admission import Admission
from judge_server.scheduling.load import Bound
from judge_server.scheduling.observers import Observers
from judge_server.scheduling.scheduled_model import ScheduledModel
from judge_server.scoring.bench import JudgeRegistry
from judge_server.scoring.cache import VerdictCache
from judge_server.scoring.cached_judge import CachedJudge
from judge_server.scoring.calibrate import ActiveMaps
from judge_server.scoring.calibration_state import CalibrationState
from judge_server.scoring.graders.grading import Graders
from judge_server.scoring.graders.python_process import PythonProcesses
from judge_server.scoring.group.collection import Bounds
from judge_server.scoring.group.groups import Groups
from judge_server.scoring.scorer import Scorer
from judge_server.settings.settings import Settings
from judge_server.store.store import Store
from judge_server.wiring.archive import library_of, open_store
from judge_server.wiring.judges import Models, build_judges, judge_specifications
from judge_server.wiring.standing import certification, pinned_maps


@dataclass(frozen=True)
class Service:
    """Everything a door needs, started."""

    settings: Settings
    store: Store
    shelf: RubricRegistry
    bench: JudgeRegistry
    models: tuple[ScheduledModel, ...]
    inquiry: CachedJudge
    scorer: Scorer
    standing: CalibrationState
    graders: Graders
    groups: Groups

    def busy(self) -> bool:
        """Whether anybody but an audit waits for a model."""
        return any(
            model.schedule.waiting_of(priority)
            for model in self.models
            for priority in Priority
            if priority is not Priority.AUDIT
        )

    def measuring_scorer(self, *, raw: bool = False) -> Scorer:
        """A scorer for calibrations: it needs no certificate and keeps no judgments. ``raw``: without fitted maps."""
        return Scorer(
            rubrics=self.shelf,
            bench=self.bench,
            inquiry=self.inquiry,
            admission=self.scorer.admission,
            standing=self.standing.for_measuring(raw=raw),
            inspect=self.scorer.inspect,
        )


@asynccontextmanager
async def open_service(settings: Settings, watchers: Observers | None = None) -> AsyncIterator[Service]:
    """Open the store, start the models, and close everything in the opposite order.

    Without a ``database_url`` the store lives in memory. Raises BadConfiguration, StoreUnavailable or ModelUnavailable,
    each with the remedy.
    """
    watchers = watchers or Observers()
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        specifications, default_judge = judge_specifications(settings)
        models = Models(watchers, settings.lower_class_share)
        bench = JudgeRegistry(build_judges(specifications, models, PromptWriter(await store.secret())), default_judge)
        for model in models.opened.values():
            stack.push_async_callback(model.close)
            await model.start()
        shelf = RubricRegistry(library_of(settings), store)
        inquiry = CachedJudge(VerdictCache(store, settings.cache_entries))
        standing = CalibrationState(ActiveMaps(pinned_maps(settings)), certification(settings))
        await standing.refresh(store.calibrations)
        refreshing = asyncio.create_task(
            standing.keep_fresh(store.calibrations, settings.calibration_refresh_seconds), name="standing"
        )
        stack.callback(refreshing.cancel)
        scorer = Scorer(
            rubrics=shelf,
            bench=bench,
            inquiry=inquiry,
            admission=Admission(_class_bounds(settings), settings.max_steps, models.saturated),
            archive=store,
            watchers=watchers,
            standing=standing,
            inspect=partial(guard.inspect, veto=frozenset(settings.veto)),
        )
        graders = Graders(
            judges=bench.judges,
            cache=inquiry.cache,
            admission=scorer.admission,
            programs=await _programs(settings),
            certified_only=settings.require_calibrated,
        )
        groups = Groups(scorer, inquiry.cache, _cohort_bounds(settings), watchers)
        stack.push_async_callback(groups.close)
        opened = tuple(models.opened.values())
        yield Service(settings, store, shelf, bench, opened, inquiry, scorer, standing, graders, groups)


async def _programs(settings: Settings) -> PythonProcesses | None:
    """Where programs of graders run, proven to be confined; None where the operator wants none."""
    if not settings.python_graders:
        return None
    processes = PythonProcesses(
        seconds=settings.python_grader_seconds,
        mebibytes=settings.python_grader_mebibytes,
        at_once=settings.python_graders_at_once,
    )
    await processes.prove()
    return processes


def _cohort_bounds(settings: Settings) -> Bounds:
    return Bounds(settings.max_cohorts, settings.max_cohort_bytes, settings.cohort_memory_seconds)


def settle() -> None:
    """Call once when everything is started: what exists by then stays for good, so the garbage collector need not look
    at it again, and need not look so often (measured: 0.31 instead of 0.52 ms of processor time for a verdict)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _class_bounds(settings: Settings) -> dict[Priority, Bound]:
    """What each priority class may have under way."""
    limits = [settings.class_limits.get(name, ClassLimit()) for name in PRIORITY_CLASSES]
    bounds = [
        Bound(one.submissions or settings.max_under_way, one.questions or settings.max_questions) for one in limits
    ]
    return dict(zip(Priority, bounds, strict=True))
