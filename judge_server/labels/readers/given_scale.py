"""Scales that somebody named: on the command line, or through a rubric."""

from judge_server.core.criterion import Scale
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale

EVERY = "*"


def parse_scale(text: str) -> CriterionScale:
    """``tone=1<2<3`` worst to best, ``met=no<yes`` where the last is positive, ``kind=a|b|c`` without an order,
    ``score=number``. The criterion ``*`` stands for every one. Raises BadInput."""
    criterion, separator, said = text.partition("=")
    criterion, said = criterion.strip(), said.strip()
    if not separator or not criterion or not said:
        raise BadInput(f"The scale {text!r} cannot be read.", remedy="Write it like --scale 'tone=poor<fair<good'.")
    if said == "number":
        return CriterionScale(criterion=criterion, kind="continuous")
    ordered = "<" in said
    classes = tuple(part.strip() for part in said.split("<" if ordered else "|"))
    if len(classes) < 2 or not all(classes) or len({name.casefold() for name in classes}) < len(classes):
        raise BadInput(
            f"The scale {text!r} needs two classes or more, each once.",
            remedy="Write it like --scale 'tone=poor<fair<good' (ordered) or --scale 'kind=a|b|c'.",
        )
    if not ordered:
        return CriterionScale(criterion=criterion, kind="nominal", classes=classes)
    if len(classes) == 2:
        return CriterionScale(criterion=criterion, kind="binary", classes=classes, positive=classes[1])
    return CriterionScale(criterion=criterion, kind="ordinal", classes=classes)


def scales_of(rubric: Rubric) -> tuple[CriterionScale, ...]:
    """A binary criterion (or a check) is unmet or met; a scale has its options, worst to best."""
    return tuple(
        CriterionScale(
            criterion=leaf.id,
            kind="ordinal" if len(leaf.options) > 2 else "binary",
            classes=tuple(option.label for option in leaf.options),
            positive=leaf.options[1].label if len(leaf.options) == 2 else None,
        )
        if isinstance(leaf, Scale)
        else CriterionScale(criterion=leaf.id, kind="binary", classes=("unmet", "met"), positive="met")
        for leaf in rubric.leaves
    )
