"""The service: settings, models, judges, rubrics, store and scorer put together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from judge_server.authoring.rubric_registry import RubricRegistry
from judge_server.core.caller import PRIORITY_CLASSES, ClassLimit
from judge_server.core.errors import BadConfiguration
from judge_server.core.fitted_map import MapSet
from judge_server.guard import guard
from judge_server.guard.guard_version import guard_version
from judge_server.judging.answer import JudgeRegistry
from judge_server.judging.fixed_questions import fixed_questions
from judge_server.judging.prompt import PromptWriter
from judge_server.models import reserved
from judge_server.models.protocol import Model, Priority, Replaceable
from judge_server.models.registry import open_model
from judge_server.models.watched_model import WatchedModel
from judge_server.scheduling.admission import Admission, SharedCounts
from judge_server.scheduling.load import Bound
from judge_server.scheduling.observers import Observers
from judge_server.scheduling.scheduler import ScheduledModel, any_waiting
from judge_server.scheduling.single_flight import Claims
from judge_server.scheduling.spending import Spending
from judge_server.scoring.cached_judge import CachedJudge, VerdictCache
from judge_server.scoring.calibration_state import ActiveMaps, CalibrationState, Certification
from judge_server.scoring.graders.grading import Graders
from judge_server.scoring.graders.python_process import PythonProcesses
from judge_server.scoring.group.collection import CohortLimits
from judge_server.scoring.group.groups import Groups
from judge_server.scoring.reasking import Reasking
from judge_server.scoring.run_pins import RunPins
from judge_server.scoring.scorer import Scorer
from judge_server.scoring.shown_again import ShownAgain
from judge_server.scoring.witness import Witness
from judge_server.settings.settings import Settings
from judge_server.store.store import Store
from judge_server.wiring.archive import library_of
from judge_server.wiring.examples import example_pools
from judge_server.wiring.judges import Models, Opening, build_judges, judge_specifications
from judge_server.wiring.storage import open_store


@dataclass(frozen=True)
class Service:
    """Everything that the command line and the HTTP server need, already started."""

    settings: Settings
    store: Store
    rubric_registry: RubricRegistry
    judge_registry: JudgeRegistry
    models: tuple[ScheduledModel, ...]
    watched: tuple[WatchedModel, ...]
    cached_judge: CachedJudge
    scorer: Scorer
    calibration_state: CalibrationState
    graders: Graders
    groups: Groups
    spending: Spending

    def busy(self) -> bool:
        """Whether work other than audits waits for a model."""
        return any(
            model.scheduler.waiting_of(priority)
            for model in self.models
            for priority in Priority
            if priority is not Priority.AUDIT
        )

    @property
    def shown_again(self) -> ShownAgain:
        """Whether stored texts may be shown to another judge."""
        return ShownAgain(self.store, self.settings.api_keys.values())

    def judge_away(self) -> bool:
        """Whether a model could not be started yet."""
        return any(model.away is not None for model in self.models)

    def asleep(self) -> bool:
        """Whether the engine of a model sleeps by order."""
        return any(model.asleep is not None for model in self.models)

    def measuring_scorer(self, *, raw: bool = False, judges: JudgeRegistry | None = None) -> Scorer:
        """A scorer for calibrations: it needs no certificate and no review, and keeps no judgments. ``raw``: without
        fitted maps; ``judges``: instead of the configured ones."""
        return Scorer(
            rubrics=self.rubric_registry.unrestricted,
            judge_registry=judges or self.judge_registry,
            cached_judge=self.cached_judge,
            admission=self.scorer.admission,
            calibration_state=self.calibration_state.for_measuring(raw=raw),
            inspect=self.scorer.inspect,
        )

    def uncached_scorer(self) -> Scorer:
        """A scorer that keeps neither judgments nor verdicts and recalls none: every question is asked."""
        return _uncached(self.scorer, self.judge_registry, self.calibration_state)


@dataclass(frozen=True, slots=True)
class SharedState:
    """What the processes of one server have in common, beside the store."""

    counts: SharedCounts
    claims: Claims


@asynccontextmanager
async def open_service(
    settings: Settings,
    observers: Observers | None = None,
    opening: Opening = open_model,
    *,
    serving: bool = False,
    shared: SharedState | None = None,
) -> AsyncIterator[Service]:
    """Open the store, start the models, and close everything in the opposite order. ``opening`` makes a model of its
    specification and options; ``shared``: what other processes of the server share.

    Without a ``database_url`` the store lives in memory; then models are recognised only if ``serving``. Raises
    BadConfiguration, StoreUnavailable or ModelUnavailable, each with the remedy.
    """
    observers = observers or Observers()
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        specifications, default_judge = judge_specifications(settings)
        writer = PromptWriter(await store.secret())
        watched: list[WatchedModel] = []
        if settings.canary != "off" and (serving or settings.database_url is not None):
            opening = partial(_watched, writer, store, watched, opening)
        spending = Spending(store.budgets, store.charge)
        await spending.start()
        stack.push_async_callback(spending.close)
        models = Models(observers, settings.lower_class_share, opening, spending)
        pools = await example_pools(specifications, store, ShownAgain(store, settings.api_keys.values()))
        judges = build_judges(specifications, models, writer, pools)
        judge_registry = JudgeRegistry(judges, default_judge)
        for model in models.opened.values():
            stack.push_async_callback(model.close)
            await (model.start_or_wait() if serving and settings.waits_for_judge else model.start())
        if serving:
            for prepare in (guard.prepare, reserved.prepare):  # either would hold the loop in the first request
                await asyncio.to_thread(prepare)
        library = library_of(settings)
        stack.enter_context(library.watched())
        rubric_registry = RubricRegistry(
            library,
            store,
            require_review=settings.require_review,
            allow_withdrawn=settings.allow_withdrawn,
        )
        claims = None if shared is None else shared.claims
        cached_judge = CachedJudge(VerdictCache(store, settings.cache_entries), claims=claims)
        calibration_state = CalibrationState(ActiveMaps(_pinned_maps(settings)), _certification(settings))
        await calibration_state.refresh(store.calibrations)
        refreshing = asyncio.create_task(
            calibration_state.keep_fresh(store.calibrations, settings.calibration_refresh_seconds),
            name="calibration-state",
        )
        stack.callback(refreshing.cancel)
        scorer = Scorer(
            rubrics=rubric_registry,
            judge_registry=judge_registry,
            cached_judge=cached_judge,
            admission=Admission(
                _class_bounds(settings),
                settings.max_steps,
                partial(any_waiting, models.opened.values()),
                None if shared is None else shared.counts,
            ),
            archive=store,
            observers=observers,
            calibration_state=calibration_state,
            run_pins=RunPins(
                store.runs,
                calibration_state.maps,
                guard_version(settings.veto, settings.thin_responses, settings.thin_characters),
                allow_prereleases=settings.allow_prereleases,
            ),
            inspect=partial(guard.inspect, veto=frozenset(settings.veto), short=settings.thin_characters),
            witness=_witness(settings),
            spending=spending,
        )
        if settings.reask:
            opposite = PromptWriter(await store.secret(), reordered=True)
            reordered = build_judges(specifications, models, opposite, pools)
            judges = {**judges, **{f"{name} reordered": judge for name, judge in reordered.items()}}
            reasking = _reasking(settings, store, scorer, JudgeRegistry(reordered, default_judge), calibration_state)
            stack.push_async_callback(reasking.close)
            scorer = scorer.telling(reasking.consider)
        for model in models.opened.values():
            model.arrived += [judge.forget_model for judge in judges.values()]
        for one in watched:
            one.listeners += [judge.forget_model for judge in judges.values()]
        graders = Graders(
            judges=judge_registry.judges,
            cached_judge=cached_judge,
            admission=scorer.admission,
            programs=await _programs(settings),
            certified_only=settings.require_calibrated,
            inspect=partial(guard.inspect_sample, veto=frozenset(settings.veto), short=settings.thin_characters),
            witness=scorer.witness,
        )
        groups = Groups(scorer, cached_judge, _cohort_limits(settings), observers)
        stack.push_async_callback(groups.close)
        yield Service(
            settings=settings,
            store=store,
            rubric_registry=rubric_registry,
            judge_registry=judge_registry,
            models=tuple(models.opened.values()),
            watched=tuple(watched),
            cached_judge=cached_judge,
            scorer=scorer,
            calibration_state=calibration_state,
            graders=graders,
            groups=groups,
            spending=spending,
        )


def _witness(settings: Settings) -> Callable[[CachedJudge, Admission], Witness] | None:
    thin, doubting = settings.thin_responses == "witness", settings.obliging_judges == "abstain"
    return partial(Witness, thin=thin, doubting=doubting) if thin or doubting else None


def _watched(
    writer: PromptWriter,
    store: Store,
    watched: list[WatchedModel],
    opening: Opening,
    key: str,
    options: Mapping[str, Any],
) -> Model:
    """The opened model, watched if another one may take its place; then it is added to ``watched``."""
    model = opening(key, options)
    if not isinstance(model, Replaceable):
        return model
    watched.append(WatchedModel(model, partial(fixed_questions, writer), store.signatures, key))
    return watched[-1]


def _reasking(
    settings: Settings, store: Store, scorer: Scorer, judges: JudgeRegistry, calibration_state: CalibrationState
) -> Reasking:
    """Asks ``judges`` again, without the cache, about some of what ``scorer`` judged."""
    return Reasking(store.reasks, _uncached(scorer, judges, calibration_state), settings.reask)


def _uncached(scorer: Scorer, judges: JudgeRegistry, calibration_state: CalibrationState) -> Scorer:
    return Scorer(
        rubrics=scorer.rubrics,
        judge_registry=judges,
        cached_judge=CachedJudge(VerdictCache(size=0)),
        admission=scorer.admission,
        calibration_state=calibration_state.for_measuring(raw=False),
        inspect=scorer.inspect,
        witness=None if scorer.witness is None else partial(Witness, thin=scorer.witness.thin),
    )


async def _programs(settings: Settings) -> PythonProcesses | None:
    """The runner of graders' programs, after a test of the confinement; None if the operator disabled them."""
    if not settings.python_graders:
        return None
    processes = PythonProcesses(
        seconds=settings.python_grader_seconds,
        mebibytes=settings.python_grader_mebibytes,
        at_once=settings.python_graders_at_once,
    )
    await processes.prove()
    return processes


def _cohort_limits(settings: Settings) -> CohortLimits:
    return CohortLimits(settings.max_cohorts, settings.max_cohort_bytes, settings.cohort_memory_seconds)


def _class_bounds(settings: Settings) -> dict[Priority, Bound]:
    """The limits of each priority class."""
    limits = [settings.class_limits.get(name, ClassLimit()) for name in PRIORITY_CLASSES]
    bounds = [
        Bound(one.submissions or settings.max_under_way, one.questions or settings.max_questions) for one in limits
    ]
    return dict(zip(Priority, bounds, strict=True))


def _pinned_maps(settings: Settings) -> list[MapSet]:
    pinned = []
    for path in settings.fitted_maps:
        try:
            pinned.append(MapSet.of_json(path.read_text("utf-8")))
        except (OSError, ValueError) as fault:
            raise BadConfiguration(
                f"fitted_maps: {path} cannot be used: {fault}.",
                remedy="Name files that judge-server calibrate fit --out wrote.",
            ) from None
    return pinned


def _certification(settings: Settings) -> Certification:
    """Which certificates count. The policy is read only if one is named, because reading it imports heavy libraries."""
    if settings.gate_policy is None:
        return Certification(required=settings.require_calibrated)
    from judge_server.calibration.policy import read_policy

    return Certification(required=settings.require_calibrated, policy=read_policy(settings.gate_policy).digest)
