"""Look at the models behind addresses now and then, and raise an alarm if another one is there."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Protocol

from judge_server.core.errors import JudgeFailure, StoreUnavailable
from judge_server.core.monitor import MonitorFinding, Series, Transition
from judge_server.models.watched_model import Replacement, WatchedModel
from judge_server.util.concurrency import run_periodically
from judge_server.util.time_limit import within

_LOOK_SECONDS: Final = 3_600.0


Doubt = Callable[[WatchedModel, Replacement], Awaitable[None]]


class AlarmBoard(Protocol):
    """Where alarms are raised: the store."""

    async def settle(
        self, findings: Sequence[MonitorFinding], *, tell: bool, forget_seconds: float
    ) -> list[Transition]: ...


class ModelWatch:
    """``start`` it in the models' event loop and ``close`` it before them. ``seconds`` between two looks; 0: models are
    only looked at after interruptions. ``doubt``: what is done about judgments that either model may have made.
    ``tell``: whether alarms go to a webhook."""

    def __init__(
        self,
        models: Sequence[WatchedModel],
        alarms: AlarmBoard,
        doubt: Doubt,
        seconds: float,
        *,
        tell: bool,
        forget_seconds: float,
    ) -> None:
        self._models = models
        self._doubt = doubt
        self._seconds = seconds
        self._settle = partial(alarms.settle, tell=tell, forget_seconds=forget_seconds)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        for model in self._models:
            pause = partial(self._pause, model)
            looking = run_periodically(
                f"recognising {model.name}",
                partial(self._look, model),
                pause,
                transient=(JudgeFailure, StoreUnavailable),
            )
            self._tasks.append(asyncio.create_task(looking, name=f"watch {model.name}"))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pause(self, model: WatchedModel) -> None:
        """Until the next look is due or a call has found another model."""
        try:
            with within(self._seconds or _LOOK_SECONDS):
                await model.changed.wait()
        except TimeoutError:
            pass

    async def _look(self, model: WatchedModel) -> None:
        if self._seconds and not model.changed.is_set():
            await model.check()
        if model.changed.is_set():
            model.changed.clear()
            await self._settle([finding_of(model)])
            if model.replacement is not None:
                await self._doubt(model, model.replacement)


def finding_of(model: WatchedModel) -> MonitorFinding:
    """An alarm while another model answers than at the start."""
    there = model.replaced
    text = f"{model.name}: the model of the start answers again."
    if there is not None:
        text = f"{there}. Put the former one back, or calibrate the new judge and repin the runs."
    return MonitorFinding(
        monitor="judge_changed",
        series=Series(rubric=None, judge=f"model {model.name}"),
        state="ok" if there is None else "alarm",
        text=text,
    )
