"""Orders to engines, which every worker of the server follows."""

from typing import Final

from judge_server.scheduling.sleeping_models import PausedModel, SleepingModels
from judge_server.server.processes.sharing import Sharing
from judge_server.wiring.service import Service

_KIND: Final = "pause models"


def sleeping_models(service: Service, sharing: Sharing | None) -> SleepingModels:
    """The engines of the server. ``sharing``: with its other processes; None if there are none. An order raises
    Overloaded if one of them is being restarted."""
    if sharing is None:
        return SleepingModels(service.models)

    async def tell(order: PausedModel) -> None:
        await sharing.tell_others(_KIND, order)

    engines = SleepingModels(service.models, tell)
    sharing.answer(_KIND, engines.follow)
    return engines
