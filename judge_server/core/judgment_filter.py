"""Which stored judgments are listed: the same fields for the routes, the pages and the command line."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field

from judge_server.core.model import Frozen
from judge_server.core.outcome import JudgmentStatus


def _as_written(given: Any) -> Any:
    """Refuses bare numbers, which pydantic would read as seconds."""
    if isinstance(given, str) and "-" not in given[1:]:
        raise ValueError("write a time such as 2026-01-31T08:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_as_written)]
Text = Annotated[str | None, Field(max_length=400)]


class JudgmentFilter(Frozen):
    """``rubric`` is an id, id@version or digest; ``since`` is included, ``until`` is not; ``reward_from`` (included)
    and ``reward_below`` (not) leave out judgments without a reward; ``rewarded``: those that have one, or those that
    have none, whatever their status; ``flag`` is one of the guard's; ``text``, written ``q`` in addresses, stands in
    the prompt, the response or the reference, whatever its case."""

    rubric: Text = None
    judge: Text = None
    since: Moment | None = None
    until: Moment | None = None
    run: Text = None
    step: int | None = Field(default=None, ge=0, lt=2**63)
    group: Text = None
    policy: Text = None
    status: JudgmentStatus | None = None
    flag: Text = None
    reward_from: float | None = Field(default=None, allow_inf_nan=False)
    reward_below: float | None = Field(default=None, allow_inf_nan=False)
    rewarded: bool | None = None
    tag: Text = None
    text: Annotated[str | None, Field(alias="q", min_length=2, max_length=400)] = None

    @property
    def wanted(self) -> dict[str, Any]:
        """What was asked for, as the store takes it."""
        found = {name: getattr(self, name) for name in JudgmentFilter.model_fields}
        return {name: value for name, value in found.items() if value is not None}
