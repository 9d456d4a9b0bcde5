"""A versioned rubric: immutable once published, known by the digest of its canonical form."""

import re
from collections import Counter
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from judge_server.core.aggregation import Aggregation, Formula, Points, WeightedMean
from judge_server.core.canonical import canonical_json, digest
from judge_server.core.criterion import AnyLeaf, Criterion, Group, leaves, nodes
from judge_server.core.model import Frozen

RUBRIC_ID = r"^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*$"
VERSION = r"^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9A-Za-z.-]{1,40})?$"
_REFERENCE = re.compile(r"^([a-z0-9][a-z0-9_/-]*)(?:@(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?))?$")

RubricId = Annotated[str, Field(pattern=RUBRIC_ID, max_length=200)]
Version = Annotated[str, Field(pattern=VERSION, max_length=80)]


class Missing(Frozen):
    """What to do when a criterion has no verdict: ``null`` gives no reward, ``skip`` leaves the criterion out,
    ``worst`` takes its worst value. ``skip`` and ``worst`` still need ``min_coverage`` of the weight decided."""

    policy: Literal["null", "skip", "worst"] = "null"
    min_coverage: float = Field(default=0.8, gt=0, le=1)

    @field_validator("policy", mode="before")
    @classmethod
    def _yaml_null_is_the_null_policy(cls, given: object) -> object:
        return "null" if given is None else given


class Source(Frozen):
    """A publication that the statements rest on."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)]
    title: str = Field(min_length=1, max_length=500)
    authors: str | None = None
    organisation: str | None = None
    year: int | None = Field(default=None, ge=1500, le=2200)
    url: str | None = None
    note: str | None = None


class RubricReference(Frozen):
    """The name under which a judgment remembers its rubric."""

    id: str
    version: str
    digest: str


class Rubric(Frozen):
    """Criteria and how they become one reward."""

    id: RubricId
    version: Version
    title: str = Field(min_length=1, max_length=500)
    description: str = Field(default="", max_length=10_000)
    domain: str | None = Field(default=None, max_length=100)
    authors: tuple[str, ...] = ()
    license: str | None = None
    sources: tuple[Source, ...] = ()
    aggregate: Aggregation = Points()
    missing: Missing = Missing()
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=1_000)]

    @model_validator(mode="after")
    def _consistent(self) -> "Rubric":
        everything = list(nodes(self.criteria))
        repeated = [name for name, times in Counter(node.id for node in everything).items() if times > 1]
        if repeated:
            raise ValueError(f"criterion ids must be unique in a rubric; repeated: {', '.join(sorted(repeated))}")
        known_sources = {source.id for source in self.sources}
        for leaf in self.leaves:
            unknown = set(leaf.sources) - known_sources
            if unknown:
                raise ValueError(f"criterion {leaf.id!r} cites unknown sources: {', '.join(sorted(unknown))}")
        _check_aggregation("the rubric", self.aggregate, self.criteria)
        for node in everything:
            if isinstance(node, Group):
                _check_aggregation(f"group {node.id!r}", node.aggregate, node.criteria)
        return self

    @cached_property
    def leaves(self) -> tuple[AnyLeaf, ...]:
        """The criteria that get a verdict, in the order in which they were written."""
        return tuple(leaves(self.criteria))

    @cached_property
    def by_id(self) -> dict[str, AnyLeaf]:
        return {leaf.id: leaf for leaf in self.leaves}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON: two rubrics with one digest are the same rubric."""
        return digest(self)

    @cached_property
    def reference(self) -> RubricReference:
        return RubricReference(id=self.id, version=self.version, digest=self.digest)

    @property
    def name(self) -> str:
        return f"{self.id}@{self.version}"

    def canonical(self) -> str:
        return canonical_json(self)


def _check_aggregation(where: str, aggregate: Aggregation, criteria: tuple[Criterion, ...]) -> None:
    if isinstance(aggregate, WeightedMean):
        negative = [criterion.id for criterion in criteria if criterion.points < 0]
        if negative:
            raise ValueError(
                f"{where}: weighted_mean takes no negative points ({', '.join(negative)}); "
                "use aggregate points, or phrase the pitfall positively"
            )
    if isinstance(aggregate, Formula):
        known = {criterion.id for criterion in criteria} | set(aggregate.parameters)
        known |= {tag for leaf in leaves(criteria) for tag in leaf.tags}
        unknown = sorted(aggregate.parsed.names - known)
        if unknown:
            raise ValueError(f"{where}: the expression names unknown components: {', '.join(unknown)}")


def split_name(name: str) -> tuple[str, str | None]:
    """``"medical/consultation@1.2.0"`` → id and version (None: the newest). Raises ValueError for anything else."""
    match = _REFERENCE.match(name)
    if match is None or not re.match(RUBRIC_ID, match.group(1)):
        raise ValueError(
            f"{name!r} is not a rubric name; write it like medical/consultation or medical/consultation@1.2.0"
        )
    return match.group(1), match.group(2)


def version_key(version: str) -> tuple[int, int, int, bool, str]:
    """Sorts semantic versions; a pre-release comes before its release."""
    numbers, _, pre_release = version.partition("-")
    major, minor, patch = (int(part) for part in numbers.split("."))
    return major, minor, patch, not pre_release, pre_release
