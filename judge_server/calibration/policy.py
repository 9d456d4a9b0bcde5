"""The policy of a gate, from a TOML file."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from judge_server.agreement.resampling import Resampling
from judge_server.core.errors import BadConfiguration
from judge_server.core.model import Frozen, Number
from judge_server.util.canonical import digest
from judge_server.util.parsing import parse_toml

HEADLINE = "headline"
FEWEST_ITEMS, FEWEST_CLUSTERS = 30, 8  # fewest for any interval: enough to fail a judge, not to pass one
Bound = Annotated[Number, Field(ge=-1, le=1)]
Share = Annotated[Number, Field(ge=0, le=1)]
Over = Literal["all criteria", "each criterion", "important criteria", "each tag"]


class PolicyRule(Frozen):
    """One demand on one metric: exactly one of ``min_low`` (the interval's lower end is at least this), ``max_high``
    (its upper end is at most this) and ``max_gap`` (the gap to the human ceiling is at most this, up to the end of its
    interval).

    It applies to all criteria together, to ``each criterion``, to the important ones (with a gate, or with at least a
    tenth of the rubric's points; all if no rubric is known), to ``each tag`` of items, or to those named in
    ``criteria``. With the ``bar`` ``not shown bad`` it fails only if the whole interval misses the demand.
    ``min_items`` and ``min_clusters`` override the policy's. ``ceiling``: the effect of ``max_gap`` if no two people
    rated the same items.
    """

    metric: str = Field(min_length=1, max_length=100)
    min_low: Bound | None = None
    max_high: Bound | None = None
    max_gap: Bound | None = None
    over: Over = "all criteria"
    bar: Literal["shown good", "not shown bad"] = "shown good"
    criteria: tuple[str, ...] = ()
    ceiling: Literal["required", "where known"] = "required"
    min_items: int | None = Field(default=None, ge=2)
    min_clusters: int | None = Field(default=None, ge=2)

    @model_validator(mode="after")
    def _one_demand(self) -> Self:
        given = [name for name in ("min_low", "max_high", "max_gap") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of min_low, max_high and max_gap, not {' and '.join(given) or 'none'}")
        if self.criteria and self.over != "all criteria":
            raise ValueError(f'criteria names some: leave out over = "{self.over}"')
        if self.bar == "not shown bad" and self.max_gap is not None:
            raise ValueError('bar = "not shown bad" goes with min_low or max_high')
        return self

    @property
    def demand(self) -> str:
        """The demand in words."""
        if self.min_low is not None:
            return f"{self.metric}: lower end at least {self.min_low:g}"
        if self.max_high is not None:
            return f"{self.metric}: upper end at most {self.max_high:g}"
        return f"{self.metric}: at most {self.max_gap:g} below the human ceiling"


class Policy(Frozen):
    """``max_missing``: share of the items labelled by people on which the judge gave no usable label; from
    ``missing_is_wrong`` on, each of these counts as a wrong label."""

    name: str = Field(min_length=1, max_length=100)
    min_items: int = Field(default=100, ge=2)
    min_clusters: int = Field(default=30, ge=2)
    max_missing: Share = 0.1
    missing_is_wrong: Share = 0.02
    replicates: int = Field(default=1000, ge=200, le=20_000)
    confidence: Number = Field(default=0.95, gt=0.5, lt=1)
    rules: Annotated[tuple[PolicyRule, ...], Field(min_length=1)]

    @cached_property
    def digest(self) -> str:
        return digest(self)

    def resampling(self) -> Resampling:
        """Settings for intervals: the least data that any rule accepts, or that can fail a judge."""
        items = [self.min_items, *(rule.min_items for rule in self.rules if rule.min_items)]
        clusters = [self.min_clusters, *(rule.min_clusters for rule in self.rules if rule.min_clusters)]
        return Resampling(
            replicates=self.replicates,
            confidence=self.confidence,
            min_items=min(*items, FEWEST_ITEMS),
            min_clusters=min(*clusters, FEWEST_CLUSTERS),
        )


def default_policy_text() -> str:
    return (Path(__file__).parent / "default_policy.toml").read_text("utf-8")


def read_policy(path: Path | None = None) -> Policy:
    """The policy in a file, or the default. Raises BadConfiguration naming the file, the field and the fault."""
    if path is None:
        return Policy.model_validate(parse_toml(default_policy_text().encode()))
    try:
        return Policy.model_validate(parse_toml(path.read_bytes()))
    except OSError as fault:
        raise BadConfiguration(f"The policy {path} cannot be read: {fault.strerror}.") from None
    except ValidationError as fault:
        raise _unusable(path, _described(fault)) from None
    except ValueError as fault:
        raise _unusable(path, str(fault)) from None


def _unusable(path: Path, faults: str) -> BadConfiguration:
    return BadConfiguration(
        f"The policy {path} cannot be used: {faults}.", remedy="judge-server calibrate gate --print-policy shows one."
    )


def _described(fault: ValidationError) -> str:
    lines = []
    for error in fault.errors(include_url=False, include_input=False, include_context=False)[:5]:
        place = ".".join(str(part) for part in error["loc"]) or "the file"
        known = error["type"] == "extra_forbidden"
        lines.append(f"{place} is not known" if known else f"{place}: {error['msg'].removeprefix('Value error, ')}")
    return "; ".join(lines)
