"""Graders in OpenAI's format: the fields of each kind, validated before anything runs.

Texts marked Template hold placeholders (``core.placeholder``); a formula is an expression (``core.expression``).
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeGuard

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    WithJsonSchema,
    field_serializer,
    field_validator,
    model_validator,
)

from judge_server.core.expression import Expression
from judge_server.core.model import BoundedNumber, Frozen, Whole
from judge_server.core.placeholder import foreign_placeholders, names_the_sample, pieces_of
from judge_server.util.canonical import encodable

Metric = Literal[
    "cosine", "fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"
]
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_TEXT_PARTS = ("input_text", "output_text")
MOST_LABELS = 100
MOST_PARTS = 50


def _readable(text: str) -> str:
    pieces_of(text)
    return encodable(text)


Text = Annotated[str, AfterValidator(encodable)]
Template = Annotated[str, Field(max_length=200_000), AfterValidator(_readable)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(encodable)]
_NAME_OR_NULL = {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 200}, {"type": "null"}], "default": None}


class _Named(Frozen):
    """``name`` defaults to the grader's type. ``pass_threshold`` is stored and does not affect the reward."""

    type: str
    name: Annotated[Name, WithJsonSchema(_NAME_OR_NULL)] = ""

    @model_validator(mode="before")
    @classmethod
    def _name_after_type(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.get("name") is None and isinstance(given.get("type"), str):
            return {**given, "name": given["type"]}
        return given


class StringCheck(_Named):
    """1 or 0: ``eq`` and ``ne`` compare whole texts, ``like`` looks for the reference in the input, ``ilike`` does so
    without regard to case."""

    type: Literal["string_check"]
    input: Template
    reference: Template
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(_Named):
    """A similarity in [0, 1]."""

    type: Literal["text_similarity"]
    input: Template
    reference: Template
    evaluation_metric: Metric
    pass_threshold: BoundedNumber | None = None


class TextPart(Frozen):
    type: Literal["input_text", "output_text"]
    text: Template


class GraderMessage(Frozen):
    """One message to the judge. Only text can be judged: images and audio are refused."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Annotated[tuple[TextPart, ...], Field(min_length=1, max_length=100)]
    type: Literal["message"] | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _as_parts(cls, given: Any) -> Any:
        parts = [_part(part) for part in (given if isinstance(given, list | tuple) else [given])]
        for part in parts:
            if isinstance(part, Mapping) and part.get("type") not in _TEXT_PARTS:
                kind = str(part.get("type"))[:40]
                raise ValueError(f"a part of type {kind!r}: a judge reads input_text and output_text only")
        return parts

    @field_serializer("content")
    def _shortest(self, content: tuple[TextPart, ...]) -> Any:
        return content[0].text if len(content) == 1 else content

    @property
    def text(self) -> str:
        """All parts as one template."""
        return "".join(part.text for part in self.content)


def _part(given: Any) -> Any:
    return {"type": "input_text", "text": given} if isinstance(given, str) else given


def _shows_the_sample(messages: tuple[GraderMessage, ...]) -> tuple[GraderMessage, ...]:
    """A judge that never sees the sample gives every sample the same score."""
    texts = [message.text for message in messages]
    if any(names_the_sample(text) for text in texts):
        return messages
    foreign = [name for text in texts for name in foreign_placeholders(text)]
    meant = f"; {foreign[0]} is another tool's placeholder" if foreign else ""
    raise ValueError(f"no message shows the sample to the judge{meant}: write {{{{sample.output_text}}}}")


Messages = Annotated[tuple[GraderMessage, ...], Field(min_length=1, max_length=100), AfterValidator(_shows_the_sample)]


class SamplingParams(Frozen):
    """Overrides of the judge's sampling. A ``reasoning_effort`` other than none needs a reasoning judge; ``top_p`` can
    only be 1."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    seed: Annotated[Whole, Field(ge=0, le=2**31 - 1)] | None = None
    top_p: Literal[1] | None = None
    max_completions_tokens: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, validation_alias=AliasChoices("max_completions_tokens", "max_completion_tokens", "max_tokens")
    )
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None

    @field_validator("top_p", mode="before")
    @classmethod
    def _only_one(cls, given: Any) -> Any:
        if given is not None and given != 1:
            raise ValueError("a judge samples with top_p 1: leave the field out, and use temperature")
        return None if given is None else 1


class ScoreModel(_Named):
    """A number from a judge within ``range``, [lowest, highest]."""

    type: Literal["score_model"]
    model: Name
    input: Messages
    range: tuple[BoundedNumber, BoundedNumber] = (0.0, 1.0)
    sampling_params: SamplingParams | None = None
    pass_threshold: BoundedNumber | None = None

    @field_validator("range", mode="before")
    @classmethod
    def _default_range(cls, given: Any) -> Any:
        return (0.0, 1.0) if given is None else given

    @field_validator("range")
    @classmethod
    def _upward(cls, given: tuple[float, float]) -> tuple[float, float]:
        if given[0] >= given[1]:
            raise ValueError(f"the range [{given[0]:g}, {given[1]:g}] does not run upward")
        return given


class LabelModel(_Named):
    """1 if the judge's likeliest label is among ``passing_labels``, else 0."""

    type: Literal["label_model"]
    model: Name
    input: Messages
    labels: Annotated[tuple[Name, ...], Field(min_length=2, max_length=MOST_LABELS)]
    passing_labels: tuple[Name, ...] = Field(min_length=1)
    sampling_params: SamplingParams | None = None

    @model_validator(mode="after")
    def _labels_fit(self) -> "LabelModel":
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels: a label stands twice")
        unknown = [label for label in self.passing_labels if label not in self.labels]
        if unknown:
            raise ValueError(f"passing_labels: {unknown[0][:60]!r} is not among the labels")
        return self


class PythonProgram(_Named):
    """``source`` defines ``grade(sample, item) -> float``. ``image_tag`` is stored and has no effect."""

    type: Literal["python"]
    source: Text = Field(min_length=1, max_length=256_000)
    image_tag: Name | None = None
    pass_threshold: BoundedNumber | None = None


SingleGrader = Annotated[
    StringCheck | TextSimilarity | ScoreModel | LabelModel | PythonProgram, Field(discriminator="type")
]


class Multi(_Named):
    """Several graders by key, and a formula over the keys. A single grader, which OpenAI's types allow, has its name as
    key."""

    type: Literal["multi"]
    graders: dict[str, SingleGrader]
    calculate_output: str = Field(min_length=1, max_length=10_000)
    _alone: bool = PrivateAttr(default=False)

    @model_validator(mode="wrap")
    @classmethod
    def _by_key(cls, given: Any, handler: ModelWrapValidatorHandler["Multi"]) -> "Multi":
        one = given.get("graders") if isinstance(given, Mapping) else None
        if not _is_grader(one):
            return handler(given)
        found = handler({**given, "graders": {one.get("name") or one["type"]: one}})
        found._alone = True  # noqa: SLF001 - its own, in a constructor
        return found

    @field_validator("graders", mode="before")
    @classmethod
    def _no_multi_inside(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            if not 1 <= len(given) <= MOST_PARTS:
                raise ValueError(f"{len(given)} graders; give 1 to {MOST_PARTS}")
            if any(isinstance(one, Mapping) and one.get("type") == "multi" for one in given.values()):
                raise ValueError("a multi grader holds no other multi grader: write one formula over all")
        return given

    @model_validator(mode="after")
    def _formula_fits(self) -> "Multi":
        for key in self.graders:
            if not _KEY.fullmatch(key):
                raise ValueError(f"graders: a formula cannot name {key[:60]!r}; use letters, digits and _")
        try:
            names = self.formula.names
        except ValueError as fault:
            raise ValueError(f"calculate_output: {fault}") from None
        unknown = sorted(names - self.graders.keys())
        if unknown:
            known = ", ".join(self.graders)
            raise ValueError(f"calculate_output: no grader is called {unknown[0]!r}; there are {known}")
        return self

    @field_serializer("graders")
    def _as_given(self, graders: dict[str, SingleGrader]) -> Any:
        return next(iter(graders.values())) if self._alone else graders

    @property
    def formula(self) -> Expression:
        return Expression.parse(self.calculate_output)


def _is_grader(given: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(given, Mapping) and isinstance(given.get("type"), str)


Grader = Annotated[
    StringCheck | TextSimilarity | ScoreModel | LabelModel | PythonProgram | Multi, Field(discriminator="type")
]
