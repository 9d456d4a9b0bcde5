"""One call of a judge model as it went: how long it waited, how long the model took, what came of it."""

import time
from dataclasses import dataclass, field

from judge_server.core.judgment import Usage
from judge_server.models.protocol import Priority


@dataclass(slots=True)
class ModelCall:
    """Times are ``time.monotonic()`` seconds. ``started`` is None while the call waits, and for good where its turn
    never came; ``error`` is the type of the fault that ended it, None where the model answered; ``detail`` says in our
    own words what happened."""

    model: str
    priority: Priority
    asked: float = field(default_factory=time.monotonic)
    started: float | None = None
    ended: float = 0.0
    usage: Usage = field(default_factory=Usage)
    error: str | None = None
    detail: str = ""

    @property
    def waited_seconds(self) -> float:
        return (self.ended if self.started is None else self.started) - self.asked

    @property
    def model_seconds(self) -> float | None:
        """None where the model was never asked."""
        return None if self.started is None else self.ended - self.started
