"""A model behind a schedule: every call waits for its place."""

from judge_server.core.errors import DeadlineExceeded
from judge_server.models.protocol import Capabilities, Completion, Model, Request
from judge_server.scoring.deadline import expired
from judge_server.scoring.schedule import Schedule


class ScheduledModel:
    """Adds admission to any model; everything else is the model's own."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.schedule = Schedule(model.capacity)

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

    async def start(self) -> None:
        await self._model.start()
        self.schedule.capacity = self._model.capacity

    async def complete(self, request: Request) -> Completion:
        async with self.schedule.slot(request):
            if expired(request.deadline):
                raise DeadlineExceeded("The deadline passed before the judge was asked.")
            return await self._model.complete(request)

    async def healthy(self) -> bool:
        return await self._model.healthy()

    async def close(self) -> None:
        await self._model.close()
