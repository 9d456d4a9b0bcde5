"""What a program can decide: the specifications of programmatic checks (they are carried out in ``judging.checks``)."""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, model_validator

from judge_server.core.model import Frozen

Part = Literal["answer", "reasoning", "response"]
Pattern = Annotated[str, Field(min_length=1, max_length=2_000)]


class CheckBase(Frozen):
    """``on``: the part of the response that is read (default: the criterion's scope); ``negate`` turns v into 1 - v."""

    on: Part | None = None
    negate: bool = False


class Count(Frozen):
    """An inclusive range of counts."""

    min: int = Field(default=1, ge=0)
    max: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> "Count":
        if self.max is not None and self.max < self.min:
            raise ValueError(f"max ({self.max}) is smaller than min ({self.min})")
        return self


class RegexCheck(CheckBase):
    kind: Literal["regex"]
    pattern: Pattern
    flags: tuple[Literal["ignore_case", "multiline", "dotall"], ...] = ()
    count: Count = Count()


class ContainsCheck(CheckBase):
    kind: Literal["contains"]
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    ignore_case: bool = True

    @model_validator(mode="after")
    def _asks_something(self) -> "ContainsCheck":
        if not (self.any or self.all or self.none):
            raise ValueError("give at least one of any, all, none")
        return self


class LengthCheck(CheckBase):
    """``graded`` lets the value fall linearly to 0 at half the minimum or twice the maximum instead of at once."""

    kind: Literal["length"]
    unit: Literal["words", "characters", "tokens", "sentences", "paragraphs", "lines"] = "words"
    min: int | None = Field(default=None, ge=0)
    max: int | None = Field(default=None, ge=0)
    graded: bool = False

    @model_validator(mode="after")
    def _has_a_bound(self) -> "LengthCheck":
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.max < self.min:
            raise ValueError(f"max ({self.max}) is smaller than min ({self.min})")
        return self


class ExactMatchCheck(CheckBase):
    kind: Literal["exact_match"]
    normalize: bool = True
    extract: Pattern | None = None
    against: tuple[str, ...] = ()


class NumericCheck(CheckBase):
    kind: Literal["numeric"]
    tolerance: float = Field(default=1e-6, ge=0)
    relative: bool = False
    extract: Pattern | None = None
    against: float | None = None


class MathCheck(CheckBase):
    kind: Literal["math"]
    against: str | None = None


class JsonCheck(CheckBase):
    kind: Literal["json"]
    json_schema: dict[str, Any] | None = Field(
        default=None, validation_alias=AliasChoices("schema", "json_schema"), serialization_alias="schema"
    )
    extract: Literal["whole", "fenced", "first"] = "whole"


class TagsCheck(CheckBase):
    """``exclusive``: no text outside the tags; ``once``: each tag exactly once; ``order``: as listed."""

    kind: Literal["tags"]
    required: Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")], ...], Field(min_length=1)]
    order: bool = True
    exclusive: bool = False
    once: bool = True


class LanguageCheck(CheckBase):
    """``any``: ISO 639-1 codes; ``min_share``: share of the text's sentences that must be in one of them."""

    kind: Literal["language"]
    any: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...], Field(min_length=1)]
    min_share: float = Field(default=0.9, gt=0, le=1)


class CitationsCheck(CheckBase):
    kind: Literal["citations"]
    style: Literal["bracket", "author_year", "url", "doi", "any"] = "any"
    min: int = Field(default=1, ge=0)
    max: int | None = Field(default=None, ge=0)


class RepetitionCheck(CheckBase):
    """Passes while the share of repeated word n-grams stays at or below ``max_ngram_share``."""

    kind: Literal["repetition"]
    max_ngram_share: float = Field(default=0.2, ge=0, le=1)
    n: int = Field(default=4, ge=1, le=10)


class SimilarityCheck(CheckBase):
    """Similarity to the reference (or ``against``) in [0, 1]: pass or fail at ``min``, else the graded value."""

    kind: Literal["similarity"]
    metric: Literal["ratio", "token_set", "rouge_1", "rouge_2", "rouge_l", "bleu", "chrf"] = "token_set"
    min: float | None = Field(default=None, ge=0, le=1)
    against: str | None = None


class ToolCallCheck(CheckBase):
    """Counts the response's tool calls that have the name and arguments asked for."""

    kind: Literal["tool_call"]
    name: str | None = None
    any_of: tuple[str, ...] = ()
    arguments: dict[str, Any] | None = None
    equals: dict[str, Any] | None = None
    min: int = Field(default=1, ge=0)
    max: int | None = Field(default=None, ge=0)
    forbidden: tuple[str, ...] = ()


Check = Annotated[
    RegexCheck
    | ContainsCheck
    | LengthCheck
    | ExactMatchCheck
    | NumericCheck
    | MathCheck
    | JsonCheck
    | TagsCheck
    | LanguageCheck
    | CitationsCheck
    | RepetitionCheck
    | SimilarityCheck
    | ToolCallCheck,
    Field(discriminator="kind"),
]
