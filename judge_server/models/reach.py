"""How the addresses of a model are doing."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Reach:
    """``resting``: addresses that are left alone for now; ``hedged``: calls sent to a second address as well, of which
    the second answered ``hedges_won``."""

    resting: int
    hedged: int
    hedges_won: int


@runtime_checkable
class Spread(Protocol):
    """A model behind several addresses."""

    @property
    def reach(self) -> Reach: ...
