"""A submission: a conversation, a response to it in the common format of chat APIs, and the trainer's coordinates."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    field_validator,
    model_validator,
)

from judge_server.core.coordinates import MOST_TAGS, Coordinate, Coordinates, Tag
from judge_server.core.fact import size_of, size_of_names
from judge_server.core.message_shapes import LEFT_OUT, in_our_shape
from judge_server.core.model import Frozen
from judge_server.core.rubric import RubricOrName
from judge_server.core.step import MessageField, Step, steps_of
from judge_server.core.tool_call import ToolCall
from judge_server.util.canonical import JsonObject, canonical_json, canonical_texts, digest_of_json, encodable

METADATA_LEFT_OUT = "unknown metadata of messages was left out"
"""How the notice begins that names it."""
_MOST_TOLD = 10
_MOST_NAMES: Final = 1_000_000
_MESSAGE_WEIGHT = 200
_PART_CHARACTERS = 20  # of a text that is read in the time that a message or a call takes beside its text
Role = Literal["system", "developer", "user", "assistant", "tool"]


_FOREIGN = frozenset({"annotations", "audio", "function_call", "reasoning", "reasoning_content", "refusal"})


class Message(Frozen):
    """One turn. Text parts in ``content`` are joined; other parts are refused."""

    role: Role
    content: str = ""
    reasoning: str | None = Field(default=None, validation_alias=AliasChoices("reasoning", "reasoning_content"))
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    _left_out: tuple[str, ...] = PrivateAttr(default=())

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of unknown metadata that the message had."""
        private = self.__pydantic_private__  # reading the attribute costs five times as much, for each of 10,000
        return () if private is None else tuple(private["_left_out"])

    @model_validator(mode="wrap")
    @classmethod
    def _remembering_what_was_left_out(cls, given: Any, read: ModelWrapValidatorHandler["Message"]) -> "Message":
        if not isinstance(given, Mapping) or LEFT_OUT not in given:
            return read(given)
        message = read({name: value for name, value in given.items() if name is not LEFT_OUT})
        message._left_out = tuple(given[LEFT_OUT])  # noqa: SLF001 - the message is not shared yet
        return message

    @model_validator(mode="before")
    @classmethod
    def _drop_what_says_nothing(cls, given: Any) -> Any:
        """Client libraries write every field of their message type (``refusal: null``, ``annotations: []``)."""
        if not isinstance(given, Mapping):
            return given
        kept = {key: value for key, value in given.items() if key not in _FOREIGN or value not in (None, [], ())}
        if kept.get("reasoning") is not None and kept.get("reasoning") == kept.get("reasoning_content"):
            del kept["reasoning_content"]
        return kept

    @field_validator("content", mode="before")
    @classmethod
    def _join_text_parts(cls, given: Any) -> Any:
        if given is None:
            return ""
        if isinstance(given, Sequence) and not isinstance(given, str | bytes):
            return "".join(_text_of_part(part) for part in given)
        return given

    @field_validator("tool_calls", mode="before")
    @classmethod
    def _none_is_empty(cls, given: Any) -> Any:
        return () if given is None else given


def _text_of_part(part: Any) -> str:
    if isinstance(part, Mapping) and part.get("type") in ("text", "input_text", "output_text"):
        text = part.get("text")
        if isinstance(text, str):
            return text
    if isinstance(part, Mapping) and part.get("type") == "refusal" and isinstance(part.get("refusal"), str):
        return str(part["refusal"])
    kind = f", not {str(part.get('type'))[:60]!r}" if isinstance(part, Mapping) and part.get("type") else ""
    raise ValueError(f"a content part must be {{type: text, text: ...}}{kind}: the judge reads text only")


Conversation = Annotated[tuple[Message, ...], Field(min_length=1, max_length=10_000), BeforeValidator(in_our_shape)]


_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>(.*?)(?:</\1>|\Z)", re.DOTALL)
_OPENING, _CLOSING = "<think>", "</think>"


@dataclass(frozen=True)
class Response:
    """``text`` is everything as one text; ``answer`` is the text without the reasoning; ``source`` is the response as
    given."""

    text: str
    answer: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    source: str | tuple[Message, ...] = field(repr=False)

    @staticmethod
    def of(response: str | tuple[Message, ...]) -> "Response":
        return _of_text(response) if isinstance(response, str) else _of_messages(response)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the reasoning, or of the whole text without any; for several messages the turns, including tool
        results. A response of 1 MB can have 300,000 of them, which takes a second to find."""
        if isinstance(self.source, str):
            return _steps_of_text(self.source)
        (only, *more) = self.source
        if more or only.tool_calls or only.role == "tool":
            return _turns(self.source, [_turn_text(message) for message in self.source])
        return _steps_of_one(only)


class _Thought(NamedTuple):
    """Character offsets of the reasoning at the beginning of a text, and of the rest."""

    start: int
    end: int
    after: int


def _thought(text: str) -> _Thought | None:
    if match := _THINKING.match(text):
        return _Thought(*match.span(2), match.end())
    # chat templates of reasoning models often open the thought in the prompt, so the response only closes it
    end = text.find(_CLOSING)
    return None if end < 0 or _OPENING in text[:end] else _Thought(0, end, end + len(_CLOSING))


def _of_text(text: str) -> Response:
    thought = _thought(text)
    if thought is None:
        return Response(text, text.strip(), "", (), text)
    return Response(text, text[thought.after :].strip(), text[thought.start : thought.end].strip(), (), text)


def _steps_of_text(text: str) -> tuple[Step, ...]:
    thought = _thought(text)
    if thought is None:
        return steps_of(text, 0, len(text))
    if text[thought.start : thought.end].strip():
        return steps_of(text, thought.start, thought.end)
    return steps_of(text, thought.after, len(text))


def _of_messages(messages: tuple[Message, ...]) -> Response:
    """The answer is the assistant's text without the reasoning."""
    inner = [_of_text(message.content) if message.role == "assistant" else None for message in messages]
    thoughts = [
        "\n".join(filter(None, (message.reasoning, read.reasoning if read else "")))
        for message, read in zip(messages, inner, strict=True)
    ]
    turns = [_turn_text(message) for message in messages]
    return Response(
        text="\n\n".join(filter(None, turns)),
        answer="\n\n".join(read.answer for read in inner if read and read.answer),
        reasoning="\n\n".join(filter(None, thoughts)),
        tool_calls=tuple(call for message in messages for call in message.tool_calls),
        source=messages,
    )


def _steps_of_one(message: Message) -> tuple[Step, ...]:
    """The steps of a single message are those of its text."""
    if message.reasoning and message.reasoning.strip():
        steps, where = steps_of(message.reasoning, 0, len(message.reasoning)), _REASONING
    else:
        steps, where = _steps_of_text(message.content), _CONTENT
    return tuple(replace(step, message=0, field=where) for step in steps)


_CONTENT: MessageField = "content"
_REASONING: MessageField = "reasoning"


def _turns(messages: tuple[Message, ...], texts: list[str]) -> tuple[Step, ...]:
    """One step for each assistant message with the tool results that follow it."""
    steps: list[Step] = []
    for first, last in _turn_bounds(messages):
        text = "\n\n".join(filter(None, texts[first:last]))
        if not text.strip():
            continue
        message = messages[first]
        field = _REASONING if message.reasoning and not message.content else _CONTENT
        end = len(message.reasoning or "") if field == _REASONING else len(message.content)
        steps.append(Step(len(steps), 0, end, text, first, field))
    return tuple(steps)


def _turn_bounds(messages: tuple[Message, ...]) -> Iterator[tuple[int, int]]:
    starts = [0, *(place for place, message in enumerate(messages) if place and message.role == "assistant")]
    yield from zip(starts, [*starts[1:], len(messages)], strict=True)


def _turn_text(message: Message) -> str:
    calls = [f"[tool call] {call.function.name}({call.function.arguments})" for call in message.tool_calls]
    content = f"[tool result] {message.content}" if message.role == "tool" else message.content
    return "\n".join(filter(None, (message.reasoning, content, *calls)))


def _each_once(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tags))


class Submission(Frozen):
    """One response to be judged. ``rubric`` is a name, a name with a version, or a whole rubric. ``explain``: a reason
    for every verdict; a judge of mode direct is then asked in mode reason, whose verdicts are not probabilities.
    ``on_change``: what happens if something else would reward this ``run`` than rewarded it first. ``tags``: words by
    which its judgments are listed and erased, such as whose data it is; no judge sees them."""

    rubric: RubricOrName | None = None
    prompt: str | Conversation
    response: str | Conversation
    reference: str | None = None
    facts: JsonObject = Field(default_factory=dict)
    id: Coordinate | None = None
    run: Coordinate | None = None
    group: Coordinate | None = None
    step: int | None = Field(default=None, ge=0)
    policy: Coordinate | None = None
    judge: Coordinate | None = None
    explain: bool = False
    on_change: Literal["stop", "warn"] = "stop"
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS), AfterValidator(_each_once)] = ()

    @field_validator("prompt")
    @classmethod
    def _has_a_prompt(cls, prompt: str | Conversation) -> str | Conversation:
        if not any(text.strip() for text in ([prompt] if isinstance(prompt, str) else map(_text_of, prompt))):
            raise ValueError("the prompt is empty: give the text or the messages that the response answers")
        return prompt

    @field_validator("facts")
    @classmethod
    def _has_short_names(cls, facts: dict[str, Any]) -> dict[str, Any]:
        """A condition names a fact inside an object by all names above it: one of 100,000 characters that holds a
        thousand facts would be read a thousand times."""
        if size_of_names(facts) > _MOST_NAMES:
            raise ValueError(
                f"the names of all facts, each with those above it, have more than {_MOST_NAMES:,} characters"
            )
        return facts

    @model_validator(mode="after")
    def _can_be_judged(self) -> "Submission":
        if not isinstance(self.response, str):
            wrong = sorted({message.role for message in self.response} - {"assistant", "tool"})
            if wrong:
                raise ValueError(f"response messages come from assistant or tool, not {', '.join(wrong)}")
        for text in (*self.texts(), *self._names()):
            encodable(text)
        return self

    def asked_as(self, other: "Submission") -> "Submission":
        """This response to the prompt of ``other``; what is derived from the prompt is kept once for both."""
        found = self.model_copy(update={"prompt": other.prompt})
        for name in ("conversation", "_canonical_conversation", "prompt_key"):
            found.__dict__[name] = getattr(other, name)
        return found

    def __getstate__(self) -> dict[Any, Any]:
        """For another process: the fields, without what was derived from them."""
        state = super().__getstate__()
        return state | {"__dict__": dict(self)}

    @cached_property
    def conversation(self) -> tuple[Message, ...]:
        return (Message(role="user", content=self.prompt),) if isinstance(self.prompt, str) else self.prompt

    @property
    def prompt_text(self) -> str:
        """The conversation as one text, for people who label it: its messages without their roles."""
        return "\n\n".join(message.content for message in self.conversation)

    @property
    def response_text(self) -> str:
        """Everything in the response. To parse 7 MB for it would take 7 ms."""
        return self.response if isinstance(self.response, str) else self.read.text

    @cached_property
    def read(self) -> Response:
        """The response parsed into answer, reasoning and tool calls."""
        return Response.of(self.response)

    @cached_property
    def digest(self) -> str:
        """Digest of conversation, response, reference and facts, without rubric and judge."""
        _ = self.prompt_key  # made now: the thread that reads long texts asks for the digest
        response = self.response if isinstance(self.response, str) else _dumped(self.response)
        facts = canonical_json(self.facts) if self.facts else "{}"
        texts = canonical_texts({"reference": self.reference, "response": response})
        return digest_of_json(f'{{"conversation":{self._canonical_conversation},"facts":{facts},{texts[1:]}')

    @cached_property
    def prompt_key(self) -> str:
        """24 hexadecimal digits that name the conversation: rollouts of one prompt have the same."""
        return digest_of_json(self._canonical_conversation).removeprefix("sha256:")[:24]

    @cached_property
    def _canonical_conversation(self) -> str:
        return canonical_texts(_dumped(self.conversation))

    @property
    def notices(self) -> tuple[str, ...]:
        """That unknown metadata of messages was left out: the names, each with its count."""
        messages = [message for said in (self.prompt, self.response) if not isinstance(said, str) for message in said]
        left_out = [name for message in messages for name in message.left_out]
        if not left_out:
            return ()
        found = Counter(left_out)
        told = ", ".join(f"{name[:60]} ({count})" for name, count in found.most_common(_MOST_TOLD))
        more = f", and {len(found) - _MOST_TOLD} more names" if len(found) > _MOST_TOLD else ""
        return (f"{METADATA_LEFT_OUT}: {told}{more}",)

    @property
    def origin(self) -> tuple[Coordinates, tuple[str, ...]]:
        """The coordinates and the notices, for the judgment."""
        return self.coordinates, self.notices

    @property
    def coordinates(self) -> Coordinates:
        return Coordinates(id=self.id, run=self.run, group=self.group, step=self.step, policy=self.policy)

    def _names(self) -> Iterator[str]:
        for message in (*self.conversation, *(() if isinstance(self.response, str) else self.response)):
            yield from filter(None, (message.name, message.tool_call_id, *(call.id for call in message.tool_calls)))
        if isinstance(self.rubric, str):
            yield self.rubric

    @cached_property
    def characters(self) -> int:
        """The size of all texts as they came, which decides whether work is done in another process: before that no
        long one is parsed. Messages, calls and facts count beside their texts: each costs some microseconds wherever it
        is read, and ten thousand of one letter as much as a long text."""
        messages = self.conversation if isinstance(self.response, str) else (*self.conversation, *self.response)
        response = self.response if isinstance(self.response, str) else ""
        parts = sum(1 + len(message.tool_calls) for message in messages)
        texts = (*map(_text_of, messages), response, self.reference or "")
        facts = size_of(self.facts) if self.facts else 0
        return sum(map(len, texts)) + parts * _PART_CHARACTERS + facts

    @property
    def weight(self) -> int:
        """``characters``, and what messages take in memory beside their texts, as so many more."""
        messages = len(self.conversation) + (0 if isinstance(self.response, str) else len(self.response))
        return self.characters + messages * _MESSAGE_WEIGHT

    def texts(self) -> Iterator[str]:
        """Every text from outside."""
        yield from (*map(_text_of, self.conversation), self.response_text)
        if self.reference is not None:
            yield self.reference


def _dumped(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    return [message.model_dump(exclude_defaults=True) for message in messages]


def _text_of(message: Message) -> str:
    calls = (f"{call.function.name}({call.function.arguments})" for call in message.tool_calls)
    return "\n".join(filter(None, (message.reasoning, message.content, *calls)))
