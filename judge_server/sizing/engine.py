"""An engine as far as its speed is concerned."""

from typing import Literal

from pydantic import Field

from judge_server.core.engine import EngineLimits
from judge_server.core.model import Frozen
from judge_server.sizing.step_cost import FrontCost, StepCost


class EngineSpeed(Frozen):
    """One engine. ``front``: what a call costs the process that asks. ``origin``: whether its cost was measured or
    follows from data sheets; ``error``: the mean relative error of a measured cost on what it was fitted to; ``basis``:
    what was assumed or measured, for people."""

    name: str
    cost: StepCost
    front: FrontCost = FrontCost()
    limits: EngineLimits
    origin: Literal["measured", "data sheet"]
    error: float | None = Field(default=None, ge=0)
    basis: str = ""
