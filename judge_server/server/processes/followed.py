"""Orders to engines, which every worker of the server follows."""

from typing import Final

from judge_server.scheduling.sleeping_models import PausedModel, SleepingModels
from judge_server.server.processes.peers import Peers
from judge_server.wiring.service import Service

_KIND: Final = "pause models"


def sleeping_models(service: Service, peers: Peers | None) -> SleepingModels:
    """The engines of the server. ``peers``: the other workers; None if there are none. An order raises Overloaded if a
    worker is being restarted."""
    if peers is None:
        return SleepingModels(service.models)

    async def tell(order: PausedModel) -> None:
        for number in peers.place.others:
            await peers.ask(number, _KIND, order)

    engines = SleepingModels(service.models, tell)
    peers.answers[_KIND] = engines.follow
    return engines
