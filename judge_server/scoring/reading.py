"""Reading a submission in the process for long texts."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple, Unpack

from judge_server.core.caller import current_caller
from judge_server.core.errors import BadSubmission
from judge_server.util.apart import NotDone, apart

T = TypeVar("T")
Given = TypeVarTuple("Given")
AT_ONCE_CHARACTERS = 20_000  # longer submissions are read in another process, so as not to hold the event loop


async def read_apart(work: Callable[[Unpack[Given]], T], *given: *Given) -> T:
    """The result of ``work`` in another process. Raises BadSubmission for texts that it cannot read."""
    try:
        return await apart(current_caller.get().name, work, *given)
    except NotDone as fault:
        raise BadSubmission(f"The submission cannot be read: {fault}.", remedy="Send shorter texts.") from None
