"""Matches label scales to a rubric's criteria, and gives each class its value."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Final

from judge_server.agreement.scale import LabelScale
from judge_server.core.criterion import AnyLeaf, CheckCriterion, Choice
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale
from judge_server.labels.label_set import LabelSet

# words for the good outcome; on a criterion about something bad that is its absence
_PRAISE: Final = frozenset(
    {
        *("pass", "passed", "correct", "right", "accept", "accepted", "good", "better"),
        *("best", "ok", "okay", "fine", "safe", "positive"),
    }
)


@dataclass(frozen=True)
class Match:
    """``values``: each class's value as a verdict, in [0, 1]; empty for a continuous scale, whose labels are values.
    ``positive``: the class that means met, for a binary criterion."""

    criterion: AnyLeaf
    scale: CriterionScale
    values: Mapping[str, float] = field(default_factory=dict)
    positive: str | None = None

    @property
    def binary(self) -> bool:
        return not isinstance(self.criterion, Choice)

    def value_of(self, label: str) -> float:
        """Raises BadInput for a number outside [0, 1] on a continuous scale."""
        if self.values:
            return self.values[label]
        try:
            number = float(label)
        except ValueError:
            number = float("nan")
        if not (isfinite(number) and 0 <= number <= 1):
            raise BadInput(
                f"criterion {self.scale.criterion!r}: the label {label!r} is not a number from 0 to 1.",
                remedy="Rescale continuous labels to 0 (worst) to 1 (best).",
            )
        return number

    @property
    def described(self) -> str:
        """How the labels of this criterion are read, in one line."""
        name = self.criterion.id
        if self.positive is not None:
            rest = ", ".join(repr(label) for label in self.scale.classes if label != self.positive)
            return f"{name}: your {self.positive!r} counts as met, {rest or 'nothing else'} as unmet"
        if not self.values:
            return f"{name}: your numbers are values from 0 (worst) to 1 (best)"
        return f"{name}: " + ", ".join(f"your {label!r} counts as {value:g}" for label, value in self.values.items())

    def other(self) -> str:
        """The class that means unmet; several are merged into one."""
        rest = [label for label in self.scale.classes if label != self.positive]
        return rest[0] if len(rest) == 1 else f"not {self.positive}"

    def collapsed(self, label: str) -> str:
        """A human's class, mapped to the judge's met or unmet."""
        return label if not self.binary or label == self.positive or not self.values else self.other()


def with_positives(labels: LabelSet, positives: Mapping[str, str]) -> LabelSet:
    """The set with the class that means met set for these criteria. Raises BadInput for an unknown criterion or
    class."""
    known = {scale.criterion: scale for scale in labels.scales}
    for criterion, label in positives.items():
        if criterion not in known or label not in known[criterion].classes:
            what, choice = ("class", known[criterion].classes) if criterion in known else ("criterion", tuple(known))
            raise BadInput(
                f"positive {criterion}={label}: the labels have no such {what}.", remedy=f"They have {_listed(choice)}."
            )
    scales = tuple(
        scale.model_copy(update={"positive": positives.get(scale.criterion, scale.positive)}) for scale in labels.scales
    )
    return replace(labels, scales=scales)


def match(rubric: Rubric, labels: LabelSet, *, partial: bool = False) -> dict[str, Match]:
    """By criterion id, in the rubric's order. Raises BadInput naming the criteria that only one side has (unless
    ``partial``), and those whose scales do not match."""
    labelled = {scale.criterion: scale for scale in labels.scales}
    asked = {leaf.id: leaf for leaf in rubric.leaves}
    both = [name for name in asked if name in labelled]
    if not partial:
        _require_same(rubric, labelled, asked)
    if not both:
        raise BadInput(
            f"{rubric.name} and the labels share no criterion: {_listed(asked)} against {_listed(labelled)}.",
            remedy="Use the rubric's criterion names in the labels.",
        )
    return {name: _matched(asked[name], labelled[name]) for name in both}


def unlabelled(rubric: Rubric, labelled: Container[str]) -> tuple[str, ...]:
    """The criteria that ask a judge and are not among the labelled ones."""
    return tuple(leaf.id for leaf in rubric.leaves if leaf.id not in labelled and not isinstance(leaf, CheckCriterion))


def _require_same(rubric: Rubric, labelled: Mapping[str, CriterionScale], asked: Mapping[str, AnyLeaf]) -> None:
    unknown = [name for name in labelled if name not in asked]
    bare = unlabelled(rubric, labelled)
    parts = [f"labels for {_listed(unknown)}, which {rubric.name} does not have"] if unknown else []
    parts += [f"no labels for {_listed(bare)} of {rubric.name}"] if bare else []
    if parts:
        raise BadInput(
            f"There are {', and '.join(parts)}.",
            remedy="Use the same names, or measure only the common criteria with --partial.",
        )


def _matched(criterion: AnyLeaf, scale: CriterionScale) -> Match:
    if not scale.classes:
        return Match(criterion, scale)
    if isinstance(criterion, Choice):
        return Match(criterion, scale, _option_values(criterion, scale))
    positive = scale.positive or (LabelScale.of(scale.classes).positive if len(scale.classes) == 2 else None)
    if positive is None:
        raise BadInput(
            f"criterion {criterion.id!r} is met or not, and the labels have the classes {_listed(scale.classes)}.",
            remedy=f"Say which class means met with --positive {criterion.id}=CLASS, or make the criterion a scale.",
        )
    if criterion.points < 0 and positive.casefold() in _PRAISE:
        raise BadInput(
            f"criterion {criterion.id!r} has negative points: it is met if something bad is there. The labels say "
            f"{_listed(scale.classes)}, and it is not clear that {positive!r} means that it is there.",
            remedy="Say which word means what, and keep the labels so: judge-server calibrate import FILE "
            f"--map '{criterion.id}:WORD=met' --map '{criterion.id}:WORD=unmet' --out labels.csv.",
        )
    return Match(criterion, scale, {label: float(label == positive) for label in scale.classes}, positive)


def _option_values(criterion: Choice, scale: CriterionScale) -> dict[str, float]:
    """Match options by label, never by order: a grade of 1 may be the best or the worst."""
    by_label = {option.label.strip().casefold(): option.value for option in criterion.options}
    if all(label.strip().casefold() in by_label for label in scale.classes):
        return {label: by_label[label.strip().casefold()] for label in scale.classes}
    raise BadInput(
        f"criterion {criterion.id!r}: the classes {_listed(scale.classes)} are not its options "
        f"{_listed(option.label for option in criterion.options)}.",
        remedy="Say which class is which option, and keep the labels so: judge-server calibrate import FILE "
        f"--map '{criterion.id}:{next(iter(scale.classes), 'CLASS')}=OPTION' ... --out labels.csv.",
    )


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known[:8]) + (f" and {len(known) - 8} more" if len(known) > 8 else "")
