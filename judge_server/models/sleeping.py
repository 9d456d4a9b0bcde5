"""Models whose engine can give its accelerator's memory to another program for a while."""

from typing import Literal, Protocol, runtime_checkable

from judge_server.core.errors import CannotSleep
from judge_server.models.protocol import Model

SleepLevel = Literal[1, 2]
"""1: the weights wait in main memory. 2: they are dropped, and read again from where they came."""


@runtime_checkable
class Sleeper(Protocol):
    """Call ``sleep`` only while nothing is in flight, and nothing else before ``wake``. Both raise ModelUnavailable,
    and CannotSleep if the engine was not started so that it can sleep; both may be repeated."""

    async def sleep(self, level: SleepLevel) -> None:
        """Free the engine's memory; what its prefix cache held is lost."""

    async def wake(self, level: SleepLevel) -> None:
        """Take the memory again. ``level``: that of the sleep."""


def sleeper_of(model: Model) -> Sleeper:
    """The model itself. Raises CannotSleep if it has no engine that can sleep."""
    if isinstance(model, Sleeper):
        return model
    raise CannotSleep(
        f"The model {model.name!r} cannot sleep.",
        remedy="vLLM can: vllm: with the engine option enable_sleep_mode, or a vLLM server at openai: or decide:.",
    )
