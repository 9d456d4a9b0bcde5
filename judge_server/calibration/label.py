"""What one person, or one judge, said of one item on one criterion; and the scale it was said on."""

from typing import Annotated, Literal

from pydantic import Field

from judge_server.core.model import Frozen

Name = Annotated[str, Field(min_length=1, max_length=400)]
Role = Literal["human", "judge"]
Kind = Literal["nominal", "ordinal", "binary", "continuous"]


class Label(Frozen):
    """One row of a label set. ``label``: the class or number as text; None where the annotator abstained or the label is
    invalid (``status``). ``probability``: of the positive class, where the annotator gave one. ``cluster``: the prompt
    that intervals are clustered on. ``row``: where it stood in its file, from 1."""

    item: Name
    criterion: Name
    annotator: Name
    role: Role
    label: str | None
    status: Literal["ok", "abstained", "invalid"] = "ok"
    probability: float | None = Field(default=None, ge=0, le=1)
    cluster: Name
    rationale: str | None = None
    row: int = 0


class Item(Frozen):
    """The text behind an item id, and what slices group by. ``writer``: the model that wrote the response."""

    id: Name
    prompt: str | None = None
    response: str | None = None
    reference: str | None = None
    writer: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()


class CriterionScale(Frozen):
    """The scale of a criterion. ``classes``: worst to best where ordered; ``positive``: the class that means met."""

    criterion: Name
    kind: Kind
    classes: tuple[str, ...] = ()
    positive: str | None = None
