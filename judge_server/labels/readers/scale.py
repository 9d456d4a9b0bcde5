"""Scales named by flag, file or rubric, and the class of a written label on a scale."""

from judge_server.core.criterion import AnyLeaf, Choice, Nominal
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale
from judge_server.labels.readers.word import NO, YES, number_of, written

EVERY = "*"


def parse_scale(text: str) -> CriterionScale:
    """``tone=1<2<3`` worst to best, ``met=no<yes`` with the last one positive, ``kind=a|b|c`` without an order,
    ``score=number``. The criterion ``*`` stands for all. Raises BadInput."""
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


def parse_mapping(text: str) -> tuple[str, str, str]:
    """``ja=met`` or ``tone:1=poor``: criterion (``*`` for all), the word written, its class (empty for an abstention).
    Raises BadInput."""
    left, separator, meant = text.rpartition("=")
    criterion, colon, word = left.partition(":")
    criterion, word = (criterion.strip(), word.strip()) if colon else (EVERY, left.strip())
    if not separator or not word or not criterion:
        raise BadInput(
            f"The mapping {text!r} cannot be read.", remedy="Write it like --map ja=met, or --map 'tone:1=poor'."
        )
    return criterion, word, meant.strip()


def scales_of(rubric: Rubric) -> tuple[CriterionScale, ...]:
    """A binary criterion (or a check) is unmet or met; a scale has its options, worst to best; options without an order
    have none here either."""
    return tuple(_scale_of(leaf) for leaf in rubric.leaves)


def _scale_of(leaf: AnyLeaf) -> CriterionScale:
    if not isinstance(leaf, Choice):
        return CriterionScale(criterion=leaf.id, kind="binary", classes=("unmet", "met"), positive="met")
    classes = tuple(option.label for option in leaf.options)
    if isinstance(leaf, Nominal):
        return CriterionScale(criterion=leaf.id, kind="nominal", classes=classes)
    if len(classes) == 2:
        return CriterionScale(criterion=leaf.id, kind="binary", classes=classes, positive=classes[1])
    return CriterionScale(criterion=leaf.id, kind="ordinal", classes=classes)


class ClassReader:
    """``read`` gives the class, or None if the text is not a class of the scale. Case and surrounding space are
    ignored, and 1.0 equals 1; on a yes/no scale every known spelling of yes and no is accepted. Nothing else is
    guessed."""

    def __init__(self, scale: CriterionScale) -> None:
        self._continuous = scale.kind == "continuous"
        self._exact = {name: name for name in scale.classes}
        folded = [name.casefold() for name in scale.classes]
        self._folded = {fold: name for fold, name in zip(folded, scale.classes, strict=True) if folded.count(fold) == 1}
        numbers = [(number_of(name), name) for name in scale.classes]
        self._numbers = {value: name for value, name in numbers if value is not None}
        self._yes, self._no = _yes_and_no(scale)

    def read(self, word: str) -> str | None:
        if self._continuous:
            value = number_of(word)
            return None if value is None else written(value)
        fold = word.casefold()
        found = self._exact.get(word, self._folded.get(fold))
        if found is None:
            found = self._by_number(word)
        if found is None and fold in YES:
            return self._yes
        if found is None and fold in NO:
            return self._no
        return found

    def _by_number(self, word: str) -> str | None:
        if not self._numbers:
            return None
        value = number_of(word)
        return None if value is None else self._numbers.get(value)


def _yes_and_no(scale: CriterionScale) -> tuple[str | None, str | None]:
    """The classes that mean yes and no, if the scale consists of these."""
    if len(scale.classes) != 2:
        return None, None
    yes = [name for name in scale.classes if name.casefold() in YES]
    no = [name for name in scale.classes if name.casefold() in NO]
    return (yes[0], no[0]) if len(yes) == len(no) == 1 else (None, None)
