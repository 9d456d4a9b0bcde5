"""What one caller may take of the server."""

from typing import Final, Literal, get_args

from pydantic import Field

from judge_server.core.errors import Forbidden
from judge_server.core.model import Frozen

PriorityClass = Literal["training", "interactive", "batch", "audit"]
PRIORITY_CLASSES: Final[tuple[PriorityClass, ...]] = get_args(PriorityClass)


class Allowance(Frozen):
    """None is no limit of the caller's own. ``requests_per_second`` in the long run, ``burst`` of them at once (one
    second's where it is not said); ``submissions_under_way`` and ``submissions_per_request`` count what is judged;
    ``most_urgent`` is the highest priority class."""

    requests_per_second: float | None = Field(default=None, gt=0, le=1e6)
    burst: int | None = Field(default=None, ge=1, le=1_000_000)
    submissions_under_way: int | None = Field(default=None, ge=1)
    submissions_per_request: int | None = Field(default=None, ge=1)
    most_urgent: PriorityClass = "training"

    @property
    def largest_request(self) -> int | None:
        """Submissions of one request that can ever be let in."""
        limits = [limit for limit in (self.submissions_per_request, self.submissions_under_way) if limit is not None]
        return min(limits, default=None)

    def priority(self, asked: str | None, default: PriorityClass) -> str:
        """The class to judge in: the one asked for, or the default, which is lowered to what is allowed.

        Raises Forbidden where a more urgent one was asked for.
        """
        highest = PRIORITY_CLASSES.index(self.most_urgent)
        if asked is None:
            return PRIORITY_CLASSES[max(highest, PRIORITY_CLASSES.index(default))]
        if asked in PRIORITY_CLASSES[:highest]:
            raise Forbidden(
                f"priority: this API key may not ask for {asked}.",
                remedy=f"Ask for {' or '.join(PRIORITY_CLASSES[highest:])}, or leave priority out.",
            )
        return asked


UNLIMITED: Final = Allowance()
