"""A criterion: one statement of an expert, or a group of criteria."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    field_validator,
    model_serializer,
    model_validator,
)

from judge_server.core.aggregation import Aggregation, WeightedMean
from judge_server.core.check import Check
from judge_server.core.condition import When
from judge_server.core.model import BoundedNumber, Flag, Frozen, Number
from judge_server.util.canonical import digest

CriterionId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
Statement = Annotated[str, Field(min_length=3, max_length=4_000, pattern=r"\S")]
Scope = Literal["answer", "reasoning", "conversation", "step"]
ReferenceUse = Literal["none", "optional", "required"]
ReferenceRole = Literal["answer", "source", "facts", "example"]
Items = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")], ...], Field(min_length=2, max_length=40)
]
Guidance = Annotated[str, Field(min_length=3, max_length=4_000, pattern=r"\S")]


def _zero_or_noticeable(points: float) -> float:
    if 0 < abs(points) < 1e-9:
        raise ValueError(f"points are 0 or at least 1e-9 in size, not {points}: a ratio of points has to stay finite")
    return points


SignedPoints = Annotated[BoundedNumber, AfterValidator(_zero_or_noticeable)]


class Gate(Frozen):
    """A veto: if it fires, the reward is at most ``reward``."""

    when: Literal["met", "unmet"] = "met"
    reward: BoundedNumber = 0.0
    threshold: Number = Field(default=0.5, gt=0, le=1)

    def fires(self, value: float) -> bool:
        """Whether a criterion value in [0, 1] triggers the veto."""
        return value >= self.threshold if self.when == "met" else value < self.threshold


class CriterionBase(Frozen):
    """Fields of every criterion. ``points`` is signed: negative points mean that being met is bad."""

    id: CriterionId
    points: SignedPoints = Field(default=1.0, validation_alias=AliasChoices("points", "weight"))
    tags: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    when: When = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _a_pure_gate_is_worth_no_points(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        if "points" in given and "weight" in given:
            raise ValueError("give points or weight, not both: they are two names of one field")
        if given.get("gate") is not None and not ("points" in given or "weight" in given):
            return {**given, "points": 0.0}
        return given

    @field_validator("tags")
    @classmethod
    def _each_tag_once(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(tags)) != len(tags):
            raise ValueError(f"a tag is given twice: {', '.join(sorted({tag for tag in tags if tags.count(tag) > 1}))}")
        return tags


class Leaf(CriterionBase):
    """A criterion that gets a verdict of its own. ``verdict: required``: there is no reward without that verdict,
    regardless of the rubric's policy for missing verdicts."""

    statement: Statement
    scope: Scope = "answer"
    reference: ReferenceUse = "none"
    verdict: Literal["optional", "required"] = "optional"
    gate: Gate | None = None
    sources: tuple[str, ...] = ()

    @cached_property
    def question_digest(self) -> str:
        """Digest of the question to a judge, without points, tags and conditions: verdicts stay valid if weights
        change."""
        beside_the_question = {"id", "points", "tags", "when", "verdict", "gate", "sources"}
        return digest(self.model_dump(mode="json", exclude=beside_the_question, exclude_defaults=True))

    @model_serializer(mode="wrap")
    def _with_its_points(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # with a gate the default is 0 points, so a form that omits defaults must still write 1
        shown: dict[str, Any] = handler(self)
        return {**shown, "points": self.points} if "gate" in shown and self.gate else shown


class JudgedLeaf(Leaf):
    """A criterion that a judge decides. ``reference_role``: what the reference is for this criterion (None: what a
    right answer holds). ``guidance``: how to decide it, shown to the judge. ``evidence: quote``: a reason quotes the
    passages that decide, and the verdict says in which steps of the response they stand."""

    reference_role: ReferenceRole | None = None
    guidance: Guidance | None = None
    evidence: Literal["quote"] | None = None

    @model_validator(mode="after")
    def _a_step_is_its_own_evidence(self) -> Self:
        if self.evidence is not None and self.scope == "step":
            raise ValueError("a criterion of scope step has a verdict on each step: leave evidence out")
        return self

    @model_validator(mode="after")
    def _the_reference_has_a_role_if_it_is_shown(self) -> Self:
        if self.reference_role is not None and self.reference == "none":
            raise ValueError("reference_role says what the reference is; add reference: required or optional")
        return self

    def guided(self, general: str) -> Self:
        """This criterion with ``general`` guidance before its own."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return self.model_validate(fields | {"guidance": "\n".join(filter(None, (general, self.guidance)))})


class BinaryExample(Frozen):
    response: str = Field(min_length=1)
    met: Flag
    reason: str | None = None


class Binary(JudgedLeaf):
    """Met or not; its value is the probability of being met.

    ``any_of``: met if at least one of the items is there; ``all_of``: only if all are. ``if_absent``: the verdict if
    what the statement presupposes is absent (a worry to acknowledge, a dose to be right); ``skip``: it does not apply.
    """

    values: ClassVar[tuple[float, ...]] = (1.0, 0.0)  # of each verdict: met, then not met

    kind: Literal["binary"] = "binary"
    any_of: Items | None = None
    all_of: Items | None = None
    if_absent: Literal["met", "unmet", "skip"] | None = None
    examples: tuple[BinaryExample, ...] = ()

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if self.any_of and self.all_of:
            raise ValueError("give any_of or all_of, not both: make a criterion of each list")
        items = [item.strip().casefold() for item in self.any_of or self.all_of or ()]
        if len(set(items)) < len(items):
            raise ValueError("an item of the list is given twice; remove one")
        return self


class ScaleOption(Frozen):
    label: str = Field(min_length=1, max_length=60, pattern=r"\S")
    value: Number = Field(ge=0, le=1)
    description: str | None = None


class ScaleExample(Frozen):
    response: str = Field(min_length=1)
    option: str
    reason: str | None = None


class Choice(JudgedLeaf):
    """Options with values; its value is the expected value over the options. ``if_absent: skip``: the criterion does
    not apply if what the statement presupposes is absent."""

    options: Annotated[tuple[ScaleOption, ...], Field(min_length=2, max_length=20)]
    if_absent: Literal["skip"] | None = None
    examples: tuple[ScaleExample, ...] = ()

    @property
    def values(self) -> tuple[float, ...]:
        """The value of each option."""
        return tuple(option.value for option in self.options)

    @model_validator(mode="after")
    def _named(self) -> Self:
        labels = [option.label.strip().casefold() for option in self.options]
        if len(set(labels)) != len(labels):
            raise ValueError("two options have the same label; rename one (capitals make no difference)")
        known = {option.label for option in self.options}
        for example in self.examples:
            if example.option not in known:
                raise ValueError(f"an example names the option {example.option!r}; known: {', '.join(sorted(known))}")
        return self


class Scale(Choice):
    """Ordered options, worst to best."""

    kind: Literal["scale"]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.values)):
            raise ValueError("option values must rise strictly from worst to best; begin with the worst")
        return self


class Nominal(Choice):
    """Options without an order, such as kinds of answer; several may have the same value."""

    kind: Literal["nominal"]


class CheckCriterion(Leaf):
    """Decided by a program, without a model."""

    kind: Literal["check"]
    statement: Annotated[str, Field(max_length=4_000)] = ""
    check: Check


class Group(CriterionBase):
    """A node of a tree: its value is the aggregate of its children, clamped to [0, 1]."""

    kind: Literal["group"]
    statement: str = ""
    aggregate: Aggregation = WeightedMean()
    criteria: Annotated[tuple["Criterion", ...], Field(min_length=1, max_length=1_000)]


def _kind_of(given: Any) -> str | None:
    if isinstance(given, Mapping):
        kind = given.get("kind", "binary")
        return kind if isinstance(kind, str) else None
    return getattr(given, "kind", None)


Criterion = Annotated[
    Annotated[Binary, Tag("binary")]
    | Annotated[Scale, Tag("scale")]
    | Annotated[Nominal, Tag("nominal")]
    | Annotated[CheckCriterion, Tag("check")]
    | Annotated[Group, Tag("group")],
    Discriminator(_kind_of),
]
Judged = Binary | Scale | Nominal
AnyLeaf = Binary | Scale | Nominal | CheckCriterion

Group.model_rebuild()


def leaves(criteria: tuple["Criterion", ...]) -> Iterator[AnyLeaf]:
    """Every leaf below ``criteria``, in file order."""
    for criterion in criteria:
        if isinstance(criterion, Group):
            yield from leaves(criterion.criteria)
        else:
            yield criterion


def nodes(criteria: tuple["Criterion", ...]) -> Iterator["Criterion"]:
    """Every criterion and group below ``criteria``, parents first."""
    for criterion in criteria:
        yield criterion
        if isinstance(criterion, Group):
            yield from nodes(criterion.criteria)


def quoting(some: Iterable[AnyLeaf]) -> frozenset[str]:
    """Ids of the criteria whose reasons quote their evidence."""
    return frozenset([leaf.id for leaf in some if not isinstance(leaf, CheckCriterion) and leaf.evidence == "quote"])


class Components(NamedTuple):
    """The criteria of a rubric by what a judgment does with them. ``tags``: the criteria of each, tags in the order of
    their first criterion; ``groups``: parents first; ``gated``: with a gate; ``quoting``: ids of those whose reasons
    quote; ``places``: of each leaf in file order. ``conditional``: whether one may not apply to a submission;
    ``checked``: whether a program decides one; ``stepwise``: whether one is about each step."""

    tags: dict[str, tuple[AnyLeaf, ...]]
    groups: tuple[Group, ...]
    gated: tuple[AnyLeaf, ...]
    quoting: frozenset[str]
    places: dict[str, int]
    conditional: bool
    checked: bool
    stepwise: bool

    @staticmethod
    def of(criteria: "tuple[Criterion, ...]") -> "Components":
        every, own = tuple(nodes(criteria)), tuple(leaves(criteria))
        tags = dict.fromkeys(tag for leaf in own for tag in leaf.tags)
        return Components(
            tags={tag: tuple(leaf for leaf in own if tag in leaf.tags) for tag in tags},
            groups=tuple(node for node in every if isinstance(node, Group)),
            gated=tuple(leaf for leaf in own if leaf.gate is not None),
            quoting=quoting(own),
            places={leaf.id: place for place, leaf in enumerate(own)},
            conditional=any(node.when for node in every),
            checked=any(isinstance(leaf, CheckCriterion) for leaf in own),
            stepwise=any(leaf.scope == "step" for leaf in own),
        )
