"""One label: an annotator's class for an item on a criterion; the item; and the criterion's scale."""

from typing import Annotated, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from judge_server.core.model import Frozen
from judge_server.util.canonical import JsonObject

Name = Annotated[str, Field(min_length=1, max_length=400)]
Role = Literal["human", "judge", "check"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
Kind = Literal["nominal", "ordinal", "binary", "continuous"]
Probability = Annotated[float, Field(ge=0, le=1)]


class Label(Frozen):
    """One row of a label set.

    ``role``: a person, a judge, or a program that answers a criterion of kind check (no metric of a judge counts its
    answers). ``label``: the class or number as text; None if the annotator abstained or the label is invalid
    (``status``), and ``written`` is the original text. ``probability``: of the positive class, if the annotator gave
    one; ``probabilities``: of each class. ``cluster``: the prompt by which intervals are clustered. ``saw_judge``: a
    person gave it after having seen what a judge said about the item, so that no measure counts it. ``row``: the row in
    its file, 0 if there was no file.
    """

    item: Name
    criterion: Name
    annotator: Name
    role: Role
    label: str | None
    status: Literal["ok", "abstained", "invalid"] = "ok"
    written: str | None = None
    probability: Probability | None = None
    probabilities: dict[str, Probability] | None = None
    cluster: Name
    rationale: str | None = None
    saw_judge: bool = False
    row: int = 0


class Item(Frozen):
    """The text of an item, and the fields for slices. ``writer``: the model that wrote the response. ``facts``: values
    for the conditions of rubrics; texts if they come from a table."""

    id: Name
    prompt: str | None = None
    response: str | None = None
    reference: str | None = None
    writer: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    facts: JsonObject = Field(default_factory=dict)


class CriterionScale(Frozen):
    """The scale of a criterion. ``classes``: worst to best if ordered, empty if continuous; ``positive``: the class
    that means met, if there is one."""

    criterion: Name
    kind: Kind
    classes: tuple[str, ...] = ()
    positive: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"criterion {self.criterion!r}: a class is named twice")
        if self.positive is not None and self.positive not in self.classes:
            raise ValueError(
                f"criterion {self.criterion!r}: the positive class {self.positive!r} is not one of its classes"
            )
        if (self.kind == "continuous") == bool(self.classes):
            raise ValueError(f"criterion {self.criterion!r}: a scale that is not continuous must name its classes")
        return self
