"""Rubric, reference and facts by prompt, for trainers that send texts only.

A JSONL file; a row is ``{"prompt" | "prompt_sha256", "rubric", "reference"?, "facts"?, "judge"?,
"tags"?}``. A prompt is found by the SHA-256 of its stripped text, or of its messages in canonical JSON.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from judge_server.authoring.parsing import from_data
from judge_server.core.coordinates import Coordinate, Tag
from judge_server.core.errors import BadConfiguration, BadRubric, UnknownRubric
from judge_server.core.model import Frozen
from judge_server.core.submission import Conversation
from judge_server.scoring.batch import describe
from judge_server.server.dialects.chat_markup import PromptAndResponse, Text
from judge_server.server.dialects.envelope import Envelope
from judge_server.util.canonical import JsonObject, canonical_json
from judge_server.util.parsing import parse_json

_MOST_BYTES = 4_000_000
Digest = Annotated[str, Field(pattern=r"^(sha256:)?[0-9a-f]{64}$")]


class Row(Frozen):
    """``prompt_sha256`` is the digest of the prompt's text, stripped, in UTF-8."""

    prompt: str | Conversation | None = None
    prompt_sha256: Digest | None = None
    rubric: str | JsonObject
    reference: str | None = None
    facts: JsonObject | None = None
    judge: Coordinate | None = None
    tags: tuple[Tag, ...] = ()

    @model_validator(mode="after")
    def _names_one_prompt(self) -> Self:
        if (self.prompt is None) == (self.prompt_sha256 is None):
            raise ValueError("give either prompt or prompt_sha256")
        return self

    @property
    def key(self) -> str:
        if self.prompt_sha256 is not None:
            return self.prompt_sha256.removeprefix("sha256:")
        if isinstance(self.prompt, str):
            return text_key(self.prompt)
        return messages_key([{"role": one.role, "content": one.content} for one in self.prompt or ()])

    @property
    def envelope(self) -> Envelope:
        return Envelope(
            rubric=self.rubric, reference=self.reference, facts=self.facts, judge=self.judge, tags=self.tags
        )


@dataclass(frozen=True, slots=True)
class PromptTable:
    """Envelopes by the prompt's key."""

    rows: Mapping[str, Envelope]

    def find(self, exchange: PromptAndResponse) -> Envelope | None:
        """By the prompt's text as it was sent, else by its messages, else by the text of its only user message."""
        return next((self.rows[key] for key in _keys(exchange) if key in self.rows), None)


def text_key(text: str) -> str:
    """SHA-256 in hexadecimal digits of a prompt's text without the white space around it."""
    return hashlib.sha256(text.strip().encode("utf-8", "surrogatepass")).hexdigest()


def messages_key(messages: list[dict[str, Any]]) -> str:
    """SHA-256 of the canonical JSON of ``[{"content", "role"}, …]``."""
    told = [{"role": one.get("role"), "content": str(one.get("content") or "").strip()} for one in messages]
    return hashlib.sha256(canonical_json(told).encode("utf-8", "surrogatepass")).hexdigest()


def _keys(exchange: PromptAndResponse) -> Iterator[str]:
    if exchange.raw_prompt is not None:
        yield text_key(exchange.raw_prompt)
    prompt: Text = exchange.prompt
    if isinstance(prompt, str):
        yield text_key(prompt)
        return
    yield messages_key(prompt)
    users = [message for message in prompt if message.get("role") == "user"]
    if len(users) == 1:
        yield text_key(str(users[0].get("content") or ""))


async def load_prompt_table(path: Path, rubric_of: Callable[[str], Awaitable[Any]]) -> PromptTable:
    """Read and check every row; ``rubric_of`` raises UnknownRubric for an unknown name.

    Raises BadConfiguration that names the file, the line and the fault.
    """
    rows: dict[str, Envelope] = {}
    lines: dict[str, int] = {}
    names: set[str] = set()
    for number, row in _rows(path):
        if row.key in lines:
            raise _unusable(path, number, f"the same prompt stands in line {lines[row.key]}")
        lines[row.key], rows[row.key] = number, row.envelope
        if isinstance(row.rubric, str) and row.rubric not in names:
            try:
                await rubric_of(row.rubric)
            except UnknownRubric as fault:
                raise _unusable(path, number, str(fault)) from None
            names.add(row.rubric)
    if not rows:
        raise BadConfiguration(f"prompt_table: {path} has no rows.", remedy="Write one JSON object a line.")
    return PromptTable(rows)


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _row(path, number, line)
    except OSError as fault:
        raise BadConfiguration(
            f"prompt_table: {path} cannot be read: {fault.strerror}.", remedy="Name a file of JSON lines."
        ) from None


def _row(path: Path, number: int, line: bytes) -> Row:
    if len(line) > _MOST_BYTES:
        raise _unusable(path, number, f"{len(line)} bytes are more than {_MOST_BYTES}")
    try:
        row = Row.model_validate(parse_json(line))
        if not isinstance(row.rubric, str):
            from_data(row.rubric)
    except ValidationError as fault:
        raise _unusable(path, number, describe(fault)) from None
    except (ValueError, BadRubric) as fault:
        raise _unusable(path, number, str(fault)) from None
    return row


def _unusable(path: Path, number: int, fault: str) -> BadConfiguration:
    return BadConfiguration(
        f"prompt_table: {path} line {number}: {fault.rstrip('.')}.",
        remedy='A row is {"prompt" or "prompt_sha256", "rubric", "reference"?, "facts"?, "judge"?}.',
    )
