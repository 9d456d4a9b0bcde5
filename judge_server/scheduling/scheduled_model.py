"""A model behind a schedule: every call waits for its place, and observers are told how it went."""

import time
from dataclasses import replace

from judge_server.core.errors import DeadlineExceeded
from judge_server.models.protocol import Capabilities, Completion, Model, Request
from judge_server.models.reach import Reach, Spread
from judge_server.scheduling.deadline import expired
from judge_server.scheduling.model_call import ModelCall
from judge_server.scheduling.observers import Observers
from judge_server.scheduling.scheduler import Scheduler


class ScheduledModel:
    """Adds admission to any model; everything else is the model's own."""

    def __init__(self, model: Model, watchers: Observers | None = None, *, lower_class_share: float = 0.0) -> None:
        self._model = model
        self._watchers = watchers or Observers()
        self.schedule = Scheduler(model.capacity, lower_class_share)

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def revision(self) -> str:
        return self._model.revision

    @property
    def notice(self) -> str | None:
        return self._model.notice

    @property
    def capacity(self) -> int:
        return self._model.capacity

    @property
    def capabilities(self) -> Capabilities:
        return self._model.capabilities

    @property
    def reach(self) -> Reach | None:
        """How its addresses are doing; None for a model without any."""
        return self._model.reach if isinstance(self._model, Spread) else None

    async def start(self) -> None:
        await self._model.start()
        self.schedule.capacity = self._model.capacity

    async def complete(self, request: Request) -> Completion:
        with self._watchers.calling(ModelCall(self._model.name, request.priority)) as call:
            async with self.schedule.slot(request) as priority:
                if expired(request.deadline):
                    raise DeadlineExceeded("The deadline passed before the judge was asked.")
                if priority != request.priority:
                    request = replace(request, priority=priority)
                call.started = time.monotonic()
                completion = await self._model.complete(request)
                call.usage = completion.usage
                return completion

    async def healthy(self) -> bool:
        return await self._model.healthy()

    async def close(self) -> None:
        await self._model.close()
