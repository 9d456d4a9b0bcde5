"""A submission: a conversation, a response to it, and the trainer's coordinates."""

from collections.abc import Iterator
from functools import cached_property
from hashlib import blake2b
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from judge_server.core.message import Conversation, Message, encodable
from judge_server.core.model import Frozen
from judge_server.core.response import Response
from judge_server.core.rubric import Rubric
from judge_server.util.canonical import JsonObject, canonical_json, digest


def _text_of_number(given: Any) -> Any:
    """Accept numbers as names, because trainers number their samples."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


Coordinate = Annotated[
    str, BeforeValidator(_text_of_number), Field(min_length=1, max_length=200), AfterValidator(encodable)
]


class Coordinates(Frozen):
    """The origin of a submission in training: its own id, the run, the group of rollouts, the step and the policy."""

    id: Coordinate | None = None
    run: Coordinate | None = None
    group: Coordinate | None = None
    step: int | None = Field(default=None, ge=0)
    policy: Coordinate | None = None


class Submission(Frozen):
    """One response to be judged. ``rubric`` is a name, a name with a version, or a whole rubric. ``explain``: a reason
    for every verdict; a judge of mode direct is then asked in mode reason, whose verdicts are not probabilities.
    ``on_change``: what happens if something else would reward this ``run`` than rewarded it first."""

    rubric: Rubric | str | None = None
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

    @field_validator("prompt")
    @classmethod
    def _has_a_prompt(cls, prompt: str | Conversation) -> str | Conversation:
        texts = [prompt] if isinstance(prompt, str) else [_text_of(message) for message in prompt]
        if not any(text.strip() for text in texts):
            raise ValueError("the prompt is empty: give the text or the messages that the response answers")
        return prompt

    @model_validator(mode="after")
    def _can_be_judged(self) -> "Submission":
        if not isinstance(self.response, str):
            wrong = sorted({message.role for message in self.response} - {"assistant", "tool"})
            if wrong:
                raise ValueError(f"response messages come from assistant or tool, not {', '.join(wrong)}")
        for text in (*self.texts(), *self._names()):
            encodable(text)
        return self

    @cached_property
    def conversation(self) -> tuple[Message, ...]:
        return (Message(role="user", content=self.prompt),) if isinstance(self.prompt, str) else self.prompt

    @cached_property
    def read(self) -> Response:
        """The response parsed into answer, reasoning and tool calls."""
        return Response.of(self.response)

    @cached_property
    def digest(self) -> str:
        """Digest of conversation, response, reference and facts, without rubric and judge."""
        return digest(
            {
                "conversation": [message.model_dump(exclude_defaults=True) for message in self.conversation],
                "response": self.response
                if isinstance(self.response, str)
                else [message.model_dump(exclude_defaults=True) for message in self.response],
                "reference": self.reference,
                "facts": self.facts,
            }
        )

    @cached_property
    def prompt_key(self) -> str:
        """24 hexadecimal digits that name the conversation: rollouts of one prompt have the same."""
        content = canonical_json([message.model_dump(exclude_defaults=True) for message in self.conversation])
        return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    @property
    def coordinates(self) -> Coordinates:
        return Coordinates(id=self.id, run=self.run, group=self.group, step=self.step, policy=self.policy)

    def known(self, facts: dict[str, Any]) -> dict[str, Any]:
        """The values that ``when`` conditions can use. ``facts``: from the rubric's fact reader."""
        return {"facts": facts, "reference": self.reference, "policy": self.policy}

    def _names(self) -> Iterator[str]:
        for message in (*self.conversation, *(() if isinstance(self.response, str) else self.response)):
            yield from filter(None, (message.name, message.tool_call_id, *(call.id for call in message.tool_calls)))
        if isinstance(self.rubric, str):
            yield self.rubric

    @property
    def characters(self) -> int:
        """The size of all texts, which decides whether work is done in a thread."""
        return sum(len(text) for text in self.texts())

    def texts(self) -> Iterator[str]:
        """Every text from outside."""
        yield from (_text_of(message) for message in self.conversation)
        yield self.read.text
        if self.reference is not None:
            yield self.reference


def _text_of(message: Message) -> str:
    calls = (f"{call.function.name}({call.function.arguments})" for call in message.tool_calls)
    return "\n".join(filter(None, (message.reasoning, message.content, *calls)))
