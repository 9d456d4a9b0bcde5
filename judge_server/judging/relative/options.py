"""How members of a group are compared."""

from typing import Literal

from pydantic import Field, field_validator

from judge_server.core.model import Frozen
from judge_server.core.submission import Coordinate

Kind = Literal["listwise", "pairwise"]


class RelativeOptions(Frozen):
    """``weight``: share of the relative reward in the reward, the rest is the absolute one. ``orders``: in how many
    orders a list is shown; ``per_list``: responses in one list, at most. ``opponents``: how many each response meets
    in a tournament that is too large for everyone to play everyone."""

    kind: Kind = "listwise"
    judge: Coordinate | None = None
    weight: float = Field(default=1.0, gt=0, le=1)
    orders: int = Field(default=2, ge=2, le=8)
    per_list: int = Field(default=8, ge=3, le=16)
    opponents: int = Field(default=6, ge=2, le=32)

    @field_validator("orders")
    @classmethod
    def _each_with_its_reverse(cls, orders: int) -> int:
        if orders % 2:
            raise ValueError("an order is always shown with its reverse: give an even number")
        return orders
