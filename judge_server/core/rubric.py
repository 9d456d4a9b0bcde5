"""A versioned rubric: immutable once published, identified by the digest of its canonical form."""

import marshal
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator, field_validator, model_validator

from judge_server.core.aggregation import Aggregation, Formula, Points, WeightedMean
from judge_server.core.criterion import (
    AnyLeaf,
    CheckCriterion,
    Components,
    Criterion,
    Group,
    Guidance,
    Judged,
    leaves,
    nodes,
)
from judge_server.core.fact import Fact, FactReader, FactReading, fault_of, spelling
from judge_server.core.judge import JudgeName
from judge_server.core.model import Frozen, Number, Whole
from judge_server.util.canonical import canonical_json, strict_digest
from judge_server.util.lru import BoundedCache

Suspicion = Literal[
    "injection_suspected", "criteria_echo", "repetition", "hidden_characters", "look_alikes", "nearly_empty",
    "injection_in_context", "thin",
]  # fmt: skip
SUSPICIONS: tuple[str, ...] = get_args(Suspicion)
Suspicions = Annotated[tuple[Suspicion, ...], Field(max_length=len(SUSPICIONS))]


class Guarding(Frozen):
    """``veto``: a response with one of these flags is not judged and gets the rubric's lowest reward. ``allow``: flags
    that are legitimate under this rubric, so the server's own veto does not apply to them."""

    veto: Suspicions = ()
    allow: Suspicions = ()

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "Guarding":
        for name, given in (("veto", self.veto), ("allow", self.allow)):
            if len(set(given)) < len(given):
                raise ValueError(f"guard.{name} names a flag twice")
        both = sorted(set(self.veto) & set(self.allow))
        if both:
            raise ValueError(f"guard: {', '.join(both)} cannot be vetoed and allowed at once; leave one of them out")
        return self

    def vetoed(self, flags: tuple[str, ...], everywhere: frozenset[str] = frozenset()) -> str | None:
        """The first of ``flags`` that this rubric, or the server ``everywhere``, vetoes."""
        named = (everywhere - set(self.allow)) | set(self.veto)
        return next((flag for flag in flags if flag in named), None) if named else None


RUBRIC_ID = r"^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*$"
VERSION = (
    r"^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})(-[0-9A-Za-z-]{1,40}(\.[0-9A-Za-z-]{1,40}){0,9})?$"
)

RubricId = Annotated[str, Field(pattern=RUBRIC_ID, max_length=200)]
Version = Annotated[str, Field(pattern=VERSION, max_length=80)]
IsoDate = Annotated[str, Field(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$")]


class Missing(Frozen):
    """What to do when a criterion has no verdict: ``null`` gives no reward, ``skip`` leaves the criterion out,
    ``worst`` takes its worst value: not met, or met if the points (its own and those of the enclosing groups) make that
    the bad outcome. ``skip`` and ``worst`` still need ``min_coverage`` of the weight decided."""

    policy: Literal["null", "skip", "worst"] = "null"
    min_coverage: Number = Field(default=0.8, gt=0, le=1)

    @field_validator("policy", mode="before")
    @classmethod
    def _yaml_null_is_the_null_policy(cls, given: object) -> object:
        return "null" if given is None else given

    @model_validator(mode="after")
    def _coverage_is_read_somewhere(self) -> "Missing":
        if self.policy == "null" and self.min_coverage != 0.8:
            raise ValueError("min_coverage is read under the policies skip and worst only; name one of them")
        return self


class Source(Frozen):
    """A publication that the statements rest on. ``status``: the statements were compared with the publication itself
    (``read``), with another text that reports it (``secondary``), or with neither (``unchecked``). ``date``: of this
    edition; ``checked``: when they were compared; both ISO 8601, as exactly as known."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)]
    title: str = Field(min_length=1, max_length=500, pattern=r"\S")
    authors: str | None = None
    organisation: str | None = None
    year: Whole | None = Field(default=None, ge=1500, le=2200)
    url: str | None = None
    note: str | None = None
    status: Literal["read", "secondary", "unchecked"] | None = None
    edition: str | None = None
    country: str | None = None
    date: IsoDate | None = None
    checked: IsoDate | None = None


class Helpline(Frozen):
    """A service that a person can call or write to; ``contact``: how, such as a telephone number."""

    name: str = Field(min_length=1, max_length=200, pattern=r"\S")
    contact: str = Field(min_length=1, max_length=200, pattern=r"\S")
    serves: str | None = Field(default=None, max_length=200)
    sources: tuple[str, ...] = ()


class Locale(Frozen):
    """What differs from country to country. ``country``: the value of the fact ``country``; ``units``: usual units by
    quantity, such as {glucose: mmol/L}. The judge is shown the locale of a submission's country."""

    country: str = Field(min_length=2, max_length=100, pattern=r"\S")
    emergency_numbers: tuple[str, ...] = ()
    helplines: tuple[Helpline, ...] = ()
    units: dict[str, str] = Field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def lines(self) -> Iterator[tuple[str, str]]:
        """Its facts, each with its name."""
        if self.emergency_numbers:
            yield f"emergency number in {self.country}", " or ".join(self.emergency_numbers)
        for line in self.helplines:
            serves = f" ({line.serves})" if line.serves else ""
            yield f"helpline in {self.country}", f"{line.name}{serves}: {line.contact}"
        for quantity, unit in self.units.items():
            yield f"unit of {quantity} in {self.country}", unit


class RubricReference(Frozen):
    """Reference to the rubric of a judgment."""

    id: str
    version: str
    digest: str


class Rubric(Frozen):
    """Criteria and their aggregation into one reward. ``judges``: the configured names of the only judges to which its
    submissions may be shown; empty: all."""

    format: Literal[1] = 1
    id: RubricId
    version: Version
    title: str = Field(min_length=1, max_length=500, pattern=r"\S")
    description: str = Field(default="", max_length=10_000)
    domain: str | None = Field(default=None, max_length=100)
    authors: tuple[str, ...] = ()
    license: str | None = None
    jurisdiction: tuple[Annotated[str, Field(min_length=2, max_length=100)], ...] = ()
    guidance: Guidance | None = None
    sources: tuple[Source, ...] = ()
    facts: Annotated[tuple[Fact, ...], Field(max_length=200)] = ()
    locales: Annotated[tuple[Locale, ...], Field(max_length=300)] = ()
    aggregate: Aggregation = Points()
    missing: Missing = Missing()
    guard: Guarding = Guarding()
    judges: Annotated[tuple[JudgeName, ...], Field(max_length=100)] = ()
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=1_000)]

    @model_validator(mode="after")
    def _consistent(self) -> "Rubric":
        _ = self.digest  # refuses a text that is not valid Unicode
        everything = list(nodes(self.criteria))
        repeated = [name for name, times in Counter(node.id for node in everything).items() if times > 1]
        if repeated:
            raise ValueError(f"criterion ids must be unique in a rubric; repeated: {', '.join(sorted(repeated))}")
        if len(known_sources := {source.id for source in self.sources}) < len(self.sources):
            raise ValueError("two sources have the same id")
        tags = {tag for leaf in self.leaves for tag in leaf.tags}
        if shared := tags & {node.id for node in everything if isinstance(node, Group)}:
            raise ValueError(f"a tag has the id of a group, and both name a component: {', '.join(sorted(shared))}")
        for leaf in self.leaves:
            if unknown := set(leaf.sources) - known_sources:
                raise ValueError(f"criterion {leaf.id!r} cites unknown sources: {', '.join(sorted(unknown))}")
        _check_facts(self.facts, everything)
        _check_locales(self.locales, self.facts, known_sources)
        _check_aggregation("the rubric", self.aggregate, self.criteria)
        for node in everything:
            if isinstance(node, Group):
                _check_aggregation(f"group {node.id!r}", node.aggregate, node.criteria)
        return self

    @cached_property
    def leaves(self) -> tuple[AnyLeaf, ...]:
        """The criteria that get a verdict, in file order."""
        return tuple(leaves(self.criteria))

    @cached_property
    def asked(self) -> dict[str, Judged]:
        """The criteria that a judge decides, by id, with the rubric's guidance."""
        own = [leaf for leaf in self.leaves if not isinstance(leaf, CheckCriterion)]
        return {leaf.id: leaf if self.guidance is None else leaf.guided(self.guidance) for leaf in own}

    @cached_property
    def components(self) -> "Components":
        """Its criteria by what a judgment does with them."""
        return Components.of(self.criteria)

    @cached_property
    def by_id(self) -> dict[str, AnyLeaf]:
        return {leaf.id: leaf for leaf in self.leaves}

    def read_facts(self, given: Mapping[str, Any]) -> FactReading:
        """The facts of a submission: as declared, or else with the types inferred from the conditions."""
        if not given:  # most submissions: an inline rubric then needs no reader
            return FactReading({}, shown=self._shown({}))
        reading = self.fact_reader.read(given)
        return replace(reading, shown=self._shown(reading.facts))

    @cached_property
    def fact_reader(self) -> FactReader:
        return FactReader.of(self.facts, [node.when for node in nodes(self.criteria)])

    @cached_property
    def facts_to_ask(self) -> tuple[Fact, ...]:
        """The facts that a judge is asked for if nobody gave them."""
        return tuple(fact for fact in self.facts if fact.ask == "judge")

    def _shown(self, known: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        given = ((fact.name, known.get(fact.name)) for fact in self.facts if fact.show)
        told = [(name, _as_text(value)) for name, value in given if value is not None]
        country = known.get("country") if self.locales else None
        local = (one for one in self.locales if isinstance(country, str) and spelling(one.country) == spelling(country))
        return (*told, *(line for one in local for line in one.lines()))

    @cached_property
    def worst_values(self) -> dict[str, float]:
        """For each leaf, the value in {0, 1} that lowers the reward most."""
        return dict(_worst_values(self.criteria, 1.0))

    @cached_property
    def required_verdicts(self) -> frozenset[str]:
        """Ids of the leaves that need a verdict if they apply: otherwise there is no reward. Under the policy ``skip``
        these include the leaves that are better not met, because leaving them out would raise the reward. Gates have
        their own rule (``core.reward``)."""
        skipped = self.missing.policy == "skip"
        return frozenset(
            leaf.id
            for leaf in self.leaves
            if leaf.verdict == "required" or (skipped and leaf.points and self.worst_values[leaf.id] == 1.0)
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON: two rubrics with one digest are the same rubric."""
        return strict_digest(self)

    @cached_property
    def reference(self) -> RubricReference:
        return RubricReference(id=self.id, version=self.version, digest=self.digest)

    @property
    def name(self) -> str:
        return f"{self.id}@{self.version}"

    @property
    def prerelease(self) -> bool:
        """Whether it is a prerelease version such as ``1.1.0-draft``, whose content may still change."""
        return "-" in self.version

    def canonical(self) -> str:
        return canonical_json(self)


_met: BoundedCache[bytes, Rubric] = BoundedCache(128)


def _as_met_before(given: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """A rubric that came whole before is the same object: reading it again, with its digests, takes half a judgment."""
    try:  # exact: numbers of different types are written differently
        written = marshal.dumps(given, 2) if isinstance(given, dict) else b""
    except ValueError:
        written = b""
    if (met := _met.get(written)) is not None:
        return met
    rubric = read(given)
    if 0 < len(written) <= 65_536:
        _met.put(written, rubric)
    return rubric


RubricOrName = Annotated[Rubric | str, WrapValidator(_as_met_before)]


def _worst_values(criteria: tuple[Criterion, ...], direction: float) -> Iterator[tuple[str, float]]:
    for criterion in criteria:
        here = -direction if criterion.points < 0 else direction
        if isinstance(criterion, Group):
            yield from _worst_values(criterion.criteria, here)
        elif criterion.points == 0 and criterion.gate:
            yield criterion.id, 1.0 if criterion.gate.when == "met" else 0.0
        else:
            yield criterion.id, 0.0 if here > 0 else 1.0


def _check_facts(facts: tuple[Fact, ...], everything: list[Criterion]) -> None:
    """If facts are declared, conditions may use only those, and compare each with values of its type."""
    if not facts:
        return
    declared = {fact.name: fact for fact in facts}
    if len({spelling(name) for name in declared}) < len(facts):
        raise ValueError("two facts have the same name; case, blanks, '_' and '-' do not tell them apart")
    for node in everything:
        for path, comparison in node.when.items():
            root, _, name = path.partition(".")
            if root != "facts":
                continue
            if name not in declared:
                raise ValueError(f"criterion {node.id!r} reads {path}, which is not declared under facts")
            if fault := fault_of(comparison, declared[name]):
                raise ValueError(f"criterion {node.id!r}: {fault}")
    read = {path for node in everything for path in node.when}
    for fact in facts:
        if fact.ask and not fact.show and f"facts.{fact.name}" not in read:
            raise ValueError(f"facts.{fact.name} is asked of a judge, but no condition reads it and it is not shown")


def _check_locales(locales: tuple[Locale, ...], facts: tuple[Fact, ...], sources: set[str]) -> None:
    if not locales:
        return
    if not any(fact.name == "country" for fact in facts):
        raise ValueError("locales are chosen by the fact country; declare it under facts: {name: country}")
    countries = [spelling(locale.country) for locale in locales]
    if len(set(countries)) < len(countries):
        raise ValueError("two locales have the same country")
    for locale in locales:
        cited = {*locale.sources, *(name for line in locale.helplines for name in line.sources)}
        if unknown := cited - sources:
            raise ValueError(f"the locale {locale.country!r} cites unknown sources: {', '.join(sorted(unknown))}")


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _check_aggregation(where: str, aggregate: Aggregation, criteria: tuple[Criterion, ...]) -> None:
    if isinstance(aggregate, WeightedMean):
        negative = [criterion.id for criterion in criteria if criterion.points < 0]
        if negative:
            raise ValueError(
                f"{where}: weighted_mean takes no negative points ({', '.join(negative)}); "
                "use aggregate points, or phrase the pitfall positively"
            )
    if isinstance(aggregate, Formula):
        _check_names(where, aggregate, criteria)


def _check_names(where: str, formula: Formula, criteria: tuple[Criterion, ...]) -> None:
    meanings = Counter({criterion.id for criterion in criteria})
    meanings.update({tag for leaf in leaves(criteria) for tag in leaf.tags})
    meanings.update(formula.parameters.keys())
    unknown = sorted(formula.parsed.names - meanings.keys())
    if unknown:
        raise ValueError(f"{where}: the expression names unknown components: {', '.join(unknown)}")
    ambiguous = sorted(name for name in formula.parsed.names if meanings[name] > 1)
    if ambiguous:
        raise ValueError(
            f"{where}: the expression names {', '.join(ambiguous)}, which is more than one of a criterion, a tag and a "
            "parameter; rename one"
        )


def split_name(name: str) -> tuple[str, str | None]:
    """``"medical/consultation@1.2.0"`` → id and version (None: the newest). Raises ValueError for anything else."""
    rubric_id, at, version = name.partition("@")
    if not re.fullmatch(RUBRIC_ID.rstrip("$"), rubric_id) or (at and not re.fullmatch(VERSION.rstrip("$"), version)):
        like = "medical/consultation or medical/consultation@1.2.0"
        raise ValueError(f"{name!r} is not a rubric name; write it like {like}")
    return rubric_id, version if at else None


VersionKey = tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]


def version_key(version: str) -> VersionKey:
    """Sorts semantic versions: a pre-release comes before its release, and its numeric parts compare as numbers."""
    numbers, _, pre_release = version.partition("-")
    major, minor, patch = (int(part) for part in numbers.split("."))
    parts = tuple(
        (False, int(part), part) if part.isdigit() else (True, 0, part) for part in pre_release.split(".") if part
    )
    return major, minor, patch, not pre_release, parts
