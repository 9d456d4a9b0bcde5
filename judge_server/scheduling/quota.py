"""Submissions under way for callers whose API key bounds them."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from judge_server.core.caller import current_caller
from judge_server.core.errors import AllowanceSpent, TooLarge


class Quota:
    """Counts by the name of the current caller; callers without a limit are not counted."""

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()

    def require_room(self, submissions: int, retry_after_seconds: Callable[[], float]) -> None:
        """Raises AllowanceSpent while there is no room for so many, and TooLarge where there never is."""
        caller = current_caller.get()
        limit = caller.allowance.submissions_under_way
        if limit is None:
            return
        if submissions > limit:
            raise TooLarge(
                f"{submissions} submissions are more than the {limit} that the API key may have under way.",
                remedy="Split the request.",
                max_items=limit,
            )
        under_way = self._under_way[caller.name]
        if under_way + submissions > limit:
            raise AllowanceSpent(
                f"The API key has {under_way} submissions under way, and may have {limit}.",
                remedy="Wait as long as Retry-After says, then send the request again.",
                retry_after_seconds=retry_after_seconds(),
            )

    @contextmanager
    def holding(self, submissions: int) -> Iterator[None]:
        """Count ``submissions`` as under way inside the block."""
        caller = current_caller.get()
        if caller.allowance.submissions_under_way is None:
            yield
            return
        self._under_way[caller.name] += submissions
        try:
            yield
        finally:
            self._under_way[caller.name] -= submissions
            if not self._under_way[caller.name]:
                del self._under_way[caller.name]
