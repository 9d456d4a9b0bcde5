"""The format of a recording: one JSON line for the model, then one for each answer.

    {"model": {"name": "...", "revision": "...", "notice": null, "logprobs": true, "structured": true, ...}}
    {"key": "sha256:...", "completion": {"text": "Yes", "candidates": [["Yes", -0.1], ["No", -2.3]], ...}}

The key is a digest of everything that determines the answer. The fence codes around outside texts depend on a server's
secret but not the answer, so the key replaces them by one fixed word: a recording replays on any server.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pydantic import Field

from judge_server.core.judgment import Usage
from judge_server.core.model import Frozen
from judge_server.models.protocol import Completion, Model, Request, TokenProbability, TypedAnswer
from judge_server.util.canonical import digest

_CODE = re.compile(r"\b[0-9a-f]{12,}\b")


class RecordedModel(Frozen):
    """The model that gave the answers."""

    name: str
    revision: str = ""
    notice: str | None = None
    logprobs: bool = False
    structured: bool = False
    context_tokens: int | None = Field(None, ge=1)
    relisting: bool = False
    limits: tuple[str, ...] = ()
    decisions: int = Field(0, ge=0)


class RecordedDecision(Frozen):
    """The answer to one typed question, with the fields of ``TypedAnswer``."""

    shares: tuple[float, ...] = ()
    label_mass: float | None = None
    refused: bool = False
    unusable: str | None = None


class RecordedCompletion(Frozen):
    """``candidates``: pairs of token and natural log-probability."""

    text: str
    candidates: tuple[tuple[str, float], ...] = ()
    truncated: bool = False
    thinking: str = ""
    usage: Usage = Usage()
    unlisted_logprob: float | None = None
    decisions: tuple[RecordedDecision, ...] = ()


class RecordingHeader(Frozen):
    """The line that names the model."""

    model: RecordedModel

    @staticmethod
    def of(model: Model) -> "RecordingHeader":
        capabilities = asdict(model.capabilities)
        del capabilities["label_batch"]  # questions are recorded one by one
        named = RecordedModel(name=model.name, revision=model.revision, notice=model.notice, **capabilities)
        return RecordingHeader(model=named)


class RecordingEntry(Frozen):
    """The line of one answer."""

    key: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    completion: RecordedCompletion

    @staticmethod
    def of(request: Request, completion: Completion) -> "RecordingEntry":
        recorded = RecordedCompletion(
            text=completion.text,
            candidates=tuple((candidate.text, candidate.logprob) for candidate in completion.candidates),
            truncated=completion.truncated,
            thinking=completion.thinking,
            usage=completion.usage,
            unlisted_logprob=completion.unlisted_logprob,
            decisions=tuple(
                RecordedDecision(**one._asdict()) for one in completion.decisions if isinstance(one, TypedAnswer)
            ),
        )
        return RecordingEntry(key=key_of(request), completion=recorded)

    def replayed(self) -> Completion:
        recorded = self.completion
        candidates = tuple(TokenProbability(text, logprob) for text, logprob in recorded.candidates)
        return Completion(
            recorded.text,
            candidates,
            recorded.truncated,
            recorded.thinking,
            recorded.usage,
            recorded.unlisted_logprob,
            tuple(TypedAnswer(**one.model_dump()) for one in recorded.decisions),
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole file: answers by the keys of their requests."""

    model: RecordedModel
    entries: Mapping[str, RecordingEntry]


def key_of(request: Request) -> str:
    """SHA-256 over roles, texts, the kind of answer, sampling and thinking; not over priority and deadline."""
    turns = [
        [turn.role, [_CODE.sub("code", segment.text) if segment.trusted else segment.text for segment in turn.segments]]
        for turn in request.prompt.turns
    ]
    kind = type(request.answer).__name__.lower()
    answer = {name: value for name, value in asdict(request.answer).items() if name != "every" or value}
    return digest(
        {
            "turns": turns,
            "answer": {kind: answer},
            "sampling": asdict(request.sampling),
            "thinking_tokens": request.thinking_tokens,
        }
    )
