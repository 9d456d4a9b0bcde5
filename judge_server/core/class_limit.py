"""How much of one priority class may be under way, where the operator says so."""

from pydantic import Field

from judge_server.core.model import Frozen


class ClassLimit(Frozen):
    """None: what ``max_under_way`` and ``max_questions`` say for every class."""

    submissions: int | None = Field(default=None, ge=1)
    questions: int | None = Field(default=None, ge=1)
