"""The specification of a judge, as in a configuration file."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    AwareDatetime,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from judge_server.core.criterion import CriterionId
from judge_server.core.errors import JudgeNotAllowed
from judge_server.core.model import Frozen
from judge_server.core.price import Price

JudgeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
Mode = Literal["direct", "reason"]
PromptVersion = Literal["1", "2"]


Band = tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]]
EVERY_OTHER = "*"


class CascadeRule(Frozen):
    """``first`` is asked about every criterion, ``then`` about those whose P(met) lies in the ``band`` (ends included).

    ``band``: one for all criteria, or one by criterion id, with ``*`` for every other; a criterion without any goes to
    ``then``."""

    first: JudgeName
    then: JudgeName
    band: Band | dict[str, Band] = (0.2, 0.8)

    @field_validator("band", mode="wrap")
    @classmethod
    def _in_words(cls, given: Any, read: ValidatorFunctionWrapHandler) -> Any:
        try:
            return read(given)
        except ValidationError:
            raise ValueError(
                "a band is written [low, high], two shares from 0 to 1, or as a table of such bands by criterion id"
            ) from None

    @model_validator(mode="after")
    def _two_judges_and_a_band(self) -> "CascadeRule":
        if self.first == self.then:
            raise ValueError("the two judges of a cascade must differ")
        bands = self.band.values() if isinstance(self.band, dict) else (self.band,)
        if any(low > high for low, high in bands):
            raise ValueError("a band is written [low, high], with low at most high")
        return self

    @property
    def by_criterion(self) -> bool:
        return isinstance(self.band, dict)

    def band_of(self, criterion: str) -> Band | None:
        """None: the second judge decides."""
        return self.band.get(criterion, self.band.get(EVERY_OTHER)) if isinstance(self.band, dict) else self.band


class ExampleRule(Frozen):
    """Each question shows ``k`` labelled responses of the label set ``source`` (written ``from``): those nearest to the
    judged one, by shared words or by the vectors of ``encoder``, the folder of a sentence encoder. ``criteria``: only
    these get examples; all if empty."""

    source: str = Field(validation_alias=AliasChoices("from", "source"), min_length=1, max_length=1_000)
    k: int = Field(default=4, ge=1, le=16)
    by: Literal["lexical", "embedding"] = "lexical"
    encoder: str | None = None
    criteria: tuple[CriterionId, ...] = ()

    @model_validator(mode="after")
    def _an_encoder_for_vectors(self) -> "ExampleRule":
        if (self.by == "embedding") != (self.encoder is not None):
            raise ValueError('by = "embedding" needs encoder, the folder of a sentence encoder, and nothing else does')
        return self


class JudgeSpecification(Frozen):
    """Either a ``model`` asked in one ``mode``, a ``panel`` of other judges, or a ``cascade`` of two.

    ``engine``: options of the model's engine. ``temperature`` defaults to 0, or to 0.7 for several votes in reason
    mode. ``thinking_tokens``: None switches a reasoning model's thinking off, a number is its token budget.
    ``prompt``: the version of the prompt's templates. ``order``: of labels, options and examples; a panel of two judges
    that differ in it averages over both orders. ``min_label_mass``: below this probability on the labels a
    direct judge abstains (or falls back to reason mode). ``max_label_gap``: a direct judge abstains if labels
    missing from the server's list leave a larger gap between the lowest and the highest possible value.
    ``attempts``: how often a question is asked until the answer is readable, including the first time. ``quorum``:
    how many members of a panel must have a verdict; None means all. ``price``: what the model's calls cost; for
    ``litellm:`` models LiteLLM's table is used if it is left out. ``examples``: labelled responses that are shown with
    each question.
    """

    name: JudgeName
    model: str | None = None
    engine: dict[str, Any] = Field(default_factory=dict, repr=False)
    mode: Mode = "direct"
    prompt: PromptVersion = "2"
    order: Literal["usual", "opposite"] = "usual"
    votes: int = Field(default=1, ge=1, le=99)
    temperature: float | None = Field(default=None, ge=0, le=2)
    seed: int = Field(default=0, ge=0)
    thinking_tokens: int | None = Field(default=None, ge=1, le=100_000)
    reason_tokens: int = Field(default=320, ge=32, le=8_192)
    min_label_mass: float = Field(default=0.5, ge=0, le=1)
    max_label_gap: float = Field(default=0.05, ge=0, le=1)
    fallback: Literal["reason"] | None = None
    attempts: int = Field(default=2, ge=1, le=10)
    criteria_per_call: int = Field(default=1, ge=1, le=100)
    panel: tuple[JudgeName, ...] = ()
    combine: Literal["mean", "majority", "min"] = "mean"
    quorum: int | None = Field(default=None, ge=1)
    cascade: CascadeRule | None = None
    examples: ExampleRule | None = None
    price: Price | None = None

    @model_validator(mode="after")
    def _one_way_of_asking(self) -> "JudgeSpecification":
        if sum((bool(self.panel), self.model is not None, self.cascade is not None)) != 1:
            raise ValueError("give a model, a panel of other judges or a cascade of two, one of the three")
        if self.examples is not None and self.model is None:
            raise ValueError("examples belong to a judge with a model: give them to the members")
        if self.cascade is not None and self.name in (self.cascade.first, self.cascade.then):
            raise ValueError(f"the cascade {self.name!r} names itself as a member")
        if self.panel and (len(self.panel) < 2 or len(set(self.panel)) != len(self.panel)):
            raise ValueError("a panel needs at least two different judges")
        if self.name in self.panel:
            raise ValueError(f"the panel {self.name!r} names itself as a member")
        if self.quorum is not None and self.quorum > len(self.panel):
            raise ValueError(f"a quorum of {self.quorum} is more than the panel's {len(self.panel)} members")
        if self.mode == "direct" and self.thinking_tokens is not None:
            raise ValueError("direct mode reads the first token: thinking_tokens needs mode = reason")
        if self.mode == "direct" and self.criteria_per_call > 1:
            raise ValueError("direct mode answers one criterion a call: criteria_per_call needs mode = reason")
        return self

    def require_shown(self, allowed: Sequence[str], by: str) -> None:
        """Raises JudgeNotAllowed unless this judge, or every judge that it asks, is among ``allowed``. ``by``: who
        limits the judges."""
        asked = self.panel or (() if self.cascade is None else (self.cascade.first, self.cascade.then))
        if self.name in allowed or (asked and set(asked) <= set(allowed)):
            return
        raise JudgeNotAllowed(
            f"{by} lets its texts be shown to {', '.join(allowed)} only, not to {self.name!r}.",
            remedy="Name one of these judges in the field judge.",
            judges=list(allowed),
        )

    @property
    def effective_temperature(self) -> float:
        if self.temperature is not None:
            return self.temperature
        return 0.7 if self.votes > 1 and self.mode == "reason" else 0.0


CanaryName = Literal["known_good", "known_bad", "constrained_output", "raw_probabilities", "steady_probabilities"]
MUST_PASS: frozenset[CanaryName] = frozenset(("constrained_output", "raw_probabilities", "steady_probabilities"))
"""The canaries that every working judge passes; a weak judge may fail the others."""


class CanaryFinding(Frozen):
    """``passed`` is None if the judge did not answer; ``detail`` describes the result."""

    canary: CanaryName
    passed: bool | None
    detail: str

    @property
    def must_pass(self) -> bool:
        return self.canary in MUST_PASS


class CanaryReport(Frozen):
    """The findings about one judge at one time."""

    judge: str
    at: AwareDatetime
    findings: tuple[CanaryFinding, ...]

    @property
    def failed(self) -> tuple[CanaryFinding, ...]:
        return tuple(finding for finding in self.findings if finding.passed is False)
