"""Specifications of programmatic checks; ``judging.checks`` runs them."""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, model_validator

from judge_server.core.model import Flag, Frozen, Number, Whole
from judge_server.util.canonical import JsonObject, canonical_json

Part = Literal["answer", "reasoning", "response"]
Pattern = Annotated[str, Field(min_length=1, max_length=2_000)]
Needle = Annotated[str, Field(min_length=1)]


class CheckBase(Frozen):
    """``on``: the part of the response to read (default: the criterion's scope); ``negate`` turns v into 1 - v."""

    on: Part | None = None
    negate: Flag = False


class Count(Frozen):
    """An inclusive range of counts. Without ``min`` at least one is required, or none if ``max`` is given."""

    min: Whole | None = Field(default=None, ge=0, le=10_000)
    max: Whole | None = Field(default=None, ge=0, le=10_000)

    @model_validator(mode="after")
    def _ordered(self) -> "Count":
        if self.max is not None and self.max < self.least:
            raise ValueError(f"max ({self.max}) is smaller than min ({self.least}); exchange them")
        return self

    @property
    def least(self) -> int:
        if self.min is not None:
            return self.min
        return 1 if self.max is None else 0


class RegexCheck(CheckBase):
    kind: Literal["regex"]
    pattern: Pattern
    flags: tuple[Literal["ignore_case", "multiline", "dotall"], ...] = ()
    count: Count = Count()


class ContainsCheck(CheckBase):
    kind: Literal["contains"]
    any: tuple[Needle, ...] = ()
    all: tuple[Needle, ...] = ()
    none: tuple[Needle, ...] = ()
    ignore_case: Flag = True

    @model_validator(mode="after")
    def _asks_something(self) -> "ContainsCheck":
        if not (self.any or self.all or self.none):
            raise ValueError("give at least one of any, all, none")
        return self


class LengthCheck(CheckBase):
    """``graded`` lets the value fall linearly to 0 at half the minimum or twice the maximum instead of abruptly."""

    kind: Literal["length"]
    unit: Literal["words", "characters", "tokens", "sentences", "paragraphs", "lines"] = "words"
    min: Whole | None = Field(default=None, ge=0)
    max: Whole | None = Field(default=None, ge=0)
    graded: Flag = False

    @model_validator(mode="after")
    def _has_a_bound(self) -> "LengthCheck":
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.max < self.min:
            raise ValueError(f"max ({self.max}) is smaller than min ({self.min}); exchange them")
        return self


class ExactMatchCheck(CheckBase):
    kind: Literal["exact_match"]
    normalize: Flag = True
    extract: Pattern | None = None
    against: tuple[str, ...] = ()


class NumericCheck(CheckBase):
    kind: Literal["numeric"]
    tolerance: Number = Field(default=1e-6, ge=0)
    relative: Flag = False
    extract: Pattern | None = None
    against: Number | None = None


class MathCheck(CheckBase):
    kind: Literal["math"]
    against: str | None = None


class JsonCheck(CheckBase):
    """``extract``: the whole text, the same with or without a fence around it, its first fenced block, or the first
    JSON object in it."""

    kind: Literal["json"]
    json_schema: JsonObject | None = Field(
        default=None, validation_alias=AliasChoices("schema", "json_schema"), serialization_alias="schema"
    )
    extract: Literal["whole", "unfenced", "fenced", "first"] = "whole"

    @cached_property
    def schema_text(self) -> str | None:
        """The schema in its canonical form."""
        return None if self.json_schema is None else canonical_json(self.json_schema)


class TagsCheck(CheckBase):
    """``exclusive``: no text outside the tags; ``once``: each tag exactly once; ``order``: as listed. Reads the whole
    response unless ``on`` is given, because a leading <think> element is not part of the answer."""

    kind: Literal["tags"]
    on: Part | None = "response"
    required: Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")], ...], Field(min_length=1)]
    order: Flag = True
    exclusive: Flag = False
    once: Flag = True


class LanguageCheck(CheckBase):
    """``any``: ISO 639-1 codes; ``min_share``: share of the text's letters that must be in one of them."""

    kind: Literal["language"]
    any: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...], Field(min_length=1)]
    min_share: Number = Field(default=0.9, gt=0, le=1)


class CitationsCheck(CheckBase, Count):
    """Counts different sources; ``any`` uses the citation style with the most sources. ``resolve``: each cited source
    must stand in the reference too."""

    kind: Literal["citations"]
    style: Literal["bracket", "author_year", "url", "doi", "any"] = "any"
    resolve: Flag = False


class RepetitionCheck(CheckBase):
    """Passes while the share of repeated word n-grams stays at or below ``max_ngram_share``."""

    kind: Literal["repetition"]
    max_ngram_share: Number = Field(default=0.2, ge=0, le=1)
    n: Whole = Field(default=4, ge=1, le=10)


class SimilarityCheck(CheckBase):
    """Similarity to the reference (or ``against``) in [0, 1]: pass or fail at ``min``, else the graded value."""

    kind: Literal["similarity"]
    metric: Literal["ratio", "token_set", "rouge_1", "rouge_2", "rouge_l", "bleu", "chrf"] = "token_set"
    min: Number | None = Field(default=None, ge=0, le=1)
    against: str | None = None


class ToolCallCheck(CheckBase, Count):
    """Counts the response's tool calls with the required name and arguments: ``arguments`` is a JSON Schema, ``equals``
    the exact arguments. If only ``forbidden`` names are given, no call is needed."""

    kind: Literal["tool_call"]
    on: Part | None = "response"
    name: str | None = None
    any_of: tuple[str, ...] = ()
    arguments: JsonObject | None = None
    equals: JsonObject | None = None
    forbidden: tuple[str, ...] = ()

    @property
    def least(self) -> int:
        asked = self.name or self.any_of or self.arguments is not None or self.equals is not None
        return 0 if self.min is None and self.forbidden and not asked else super().least

    @property
    def names(self) -> frozenset[str]:
        """The names that count; empty for any name."""
        return frozenset(self.any_of) | ({self.name} if self.name else set())

    @cached_property
    def schema_texts(self) -> tuple[str, ...]:
        """The JSON Schemas of the arguments, in canonical form."""
        exact = None if self.equals is None else {"const": self.equals}
        return tuple(canonical_json(schema) for schema in (self.arguments, exact) if schema is not None)


class MentionsCheck(CheckBase):
    """Whether the text says the reference, or one of ``against``: its words in order, or a number of the same value if
    it is one. Is an answer given away?"""

    kind: Literal["mentions"]
    against: tuple[Needle, ...] = ()


class SameNumbersCheck(CheckBase):
    """Passes if the text has the numbers of the reference and no others, each as often, in whatever notation of
    thousands and decimals."""

    kind: Literal["same_numbers"]


class DiffCheck(CheckBase, Count):
    """The text holds a well-formed unified diff with ``min`` to ``max`` changed lines in at most ``files`` files."""

    kind: Literal["diff"]
    files: Whole | None = Field(default=None, ge=1, le=1_000)


class ToolSchemaCheck(CheckBase):
    """Every tool call names a tool of the reference, a JSON list of tools with their JSON Schemas, and its arguments
    fit that schema."""

    kind: Literal["tool_schema"]
    on: Part | None = "response"


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
    | ToolCallCheck
    | MentionsCheck
    | SameNumbersCheck
    | DiffCheck
    | ToolSchemaCheck,
    Field(discriminator="kind"),
]
