"""The interface of every judge model: a Request goes in, a Completion with token probabilities comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from judge_server.core.engine import EngineLimits
from judge_server.core.errors import JudgeFailure, ModelUnavailable, UnusableVerdict
from judge_server.core.judgment import NO_USAGE, Usage
from judge_server.core.price import Price

Part = Literal["instructions", "conversation", "response", "reference", "criterion", "question", "candidate", "pitfall"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of prompt text. ``trusted`` text is ours; other text comes from outside (the policy, a user or a rubric's
    author) and must not add control tokens of the judge's chat template. ``part``: the kind of text."""

    text: str
    part: Part
    trusted: bool


@dataclass(frozen=True, slots=True)
class Turn:
    role: Literal["system", "user"]
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Prompt:
    """``turns`` in order. ``prefix`` identifies the shared parts of prompts, from the widest (conversation) to the
    narrowest (response): requests with equal prefixes should be sent next to each other."""

    turns: tuple[Turn, ...]
    prefix: tuple[str, ...] = ()

    @property
    def characters(self) -> int:
        """How many it has in all parts."""
        return sum([len(segment.text) for turn in self.turns for segment in turn.segments])

    def text_of(self, part: Part) -> str:
        """All untrusted text of ``part``, concatenated."""
        return "".join(
            segment.text
            for turn in self.turns
            for segment in turn.segments
            if segment.part == part and not segment.trusted
        )


@dataclass(frozen=True, slots=True)
class Labels:
    """Answer with one token: the first generated token's probabilities are read at these words, unconstrained.
    ``every``: spend a second request, if the model can, to learn the probability of each word (see ``relisting``)."""

    words: tuple[str, ...]
    every: bool = False


@dataclass(frozen=True, slots=True)
class Structured:
    """Answer with JSON of this schema (strings bounded, no free white space), within ``max_tokens``."""

    schema: dict[str, Any]
    max_tokens: int
    name: str = "verdict"


QuestionKind = Literal["predicate", "score", "choice"]


@dataclass(frozen=True, slots=True)
class TypedOption:
    """An answer that a typed question offers; name and description are outside text."""

    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TypedQuestion:
    """A question of a decision request. ``predicate``: yes or no; ``score``: ordered ``options`` from worst to best;
    ``choice``: options without an order. Known by its identity: the same one is asked about many submissions."""

    kind: QuestionKind
    instructions: tuple[Segment, ...]
    options: tuple[TypedOption, ...] = ()


@dataclass(frozen=True, slots=True)
class Decisions:
    """Answer every question about the prompt's material with probabilities; the model generates nothing."""

    questions: tuple[TypedQuestion, ...]

    def only(self, places: Sequence[int]) -> "Decisions":
        """The questions at these places."""
        return Decisions(tuple([self.questions[place] for place in places]))


@dataclass(frozen=True, slots=True)
class LabelPrompt:
    """One of several label questions that go to a model in one request; see ``Labels`` for ``words``."""

    prompt: "Prompt"
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelBatch:
    """Answer each of several prompts with one token. They begin alike: the questions about one submission."""

    questions: tuple[LabelPrompt, ...]


class TypedAnswer(NamedTuple):
    """The answer to one typed question. ``shares``: of yes and no, or of the options in order; they add up to 1.
    ``label_mass``: probability of all labels together, None if the server does not tell it. Without shares the question
    was ``refused``, or ``unusable`` says what is wrong with its answer."""

    shares: tuple[float, ...] = ()
    label_mass: float | None = None
    refused: bool = False
    unusable: str | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    temperature: float = 0.0
    seed: int | None = None


class Priority(IntEnum):
    """Smaller values are served first."""

    TRAINING = 0
    INTERACTIVE = 1
    BATCH = 2
    AUDIT = 3


@dataclass(frozen=True, slots=True)
class Request:
    """``thinking_tokens``: None switches a reasoning model's thinking off; a number is its budget beside the answer's.
    ``deadline``: ``time.monotonic()`` seconds after which the answer is no longer needed; None for no deadline."""

    prompt: Prompt
    answer: Labels | LabelBatch | Structured | Decisions
    sampling: Sampling = Sampling()
    thinking_tokens: int | None = None
    priority: Priority = Priority.INTERACTIVE
    deadline: float | None = None

    @property
    def structured(self) -> Structured:
        """The answer that is neither labels nor typed questions, which only decision models answer. Raises
        ModelUnavailable for those."""
        if isinstance(self.answer, Structured):
            return self.answer
        raise ModelUnavailable("This model answers no typed questions.", remedy="Name a decision model (decide:).")


@dataclass(frozen=True, slots=True)
class TokenProbability:
    """A candidate for the first answer token: its text as decoded alone, and its natural log-probability; NaN if the
    server lists the token without a number."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Completion:
    """``candidates`` are the first answer token's alternatives (raw, before any constraint), empty if the provider
    gives none. ``truncated``: the token limit ended the answer. ``thinking``: the thinking, not part of ``text``.
    ``unlisted_logprob``: no token outside ``candidates`` is likelier; None means the least likely candidate.
    ``decisions``: one for each of the questions of ``Decisions``; ``batch``: one for each of those of ``LabelBatch``;
    each of them may be the failure of that question alone. ``origin``: the model's name and fingerprint as the answer
    has them."""

    text: str
    candidates: tuple[TokenProbability, ...] = ()
    truncated: bool = False
    thinking: str = ""
    usage: Usage = NO_USAGE
    unlisted_logprob: float | None = None
    decisions: "tuple[TypedAnswer | JudgeFailure, ...]" = ()
    origin: str = ""
    batch: "tuple[Completion | JudgeFailure, ...]" = ()


class UnusableCompletion(UnusableVerdict):
    """An answer that is not a completion, and the tokens that it cost nevertheless."""

    def __init__(self, detail: str, usage: Usage) -> None:
        super().__init__(detail)
        self.usage = usage


IMPOSSIBLE_LOGPROB = -9_999.0
"""Stands for minus infinity, which JSON does not have: e to this power is 0."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a started model can do. ``context_tokens``: longest prompt plus answer, if known. ``relisting``: it can
    answer ``Labels.every``. ``decisions``: it answers ``Decisions``, at most ``decisions`` questions a request;
    0 if it does not. ``label_batch``: how many label questions one request may carry, 0 if it answers no
    ``LabelBatch``. ``limits``: sentences for operators about what it cannot do, and the consequences."""

    logprobs: bool
    structured: bool
    context_tokens: int | None = None
    relisting: bool = False
    limits: tuple[str, ...] = ()
    decisions: int = 0
    label_batch: int = 0


@runtime_checkable
class Model(Protocol):
    """A judge model. ``complete`` may be called concurrently and may be cancelled; cancelling stops the engine's work.

    ``complete`` raises only ``core.errors.JudgeFailure``: ModelUnavailable (after this file's own bounded transport
    retries), DeadlineExceeded, ContextOverflow, UnusableVerdict (an answer that is not even a completion).
    """

    @property
    def name(self) -> str:
        """The specification's model name, e.g. ``Qwen/Qwen3.5-9B``."""

    @property
    def revision(self) -> str:
        """Identifies the weights: a commit, a checkpoint digest, a provider's fingerprint; empty if unknown."""

    @property
    def notice(self) -> str | None:
        """A warning attached to every verdict of this model, or None."""

    @property
    def capacity(self) -> int:
        """How many requests to keep in flight."""

    @property
    def capabilities(self) -> Capabilities:
        """Known after ``start``."""

    async def start(self) -> None:
        """Load or connect, and find out the capabilities. Raises ModelUnavailable or BadConfiguration."""

    async def complete(self, request: Request) -> Completion:
        """Answer one request."""

    async def healthy(self) -> bool:
        """Whether a request now would probably be answered."""

    async def close(self) -> None:
        """Finish or cancel the requests in flight and free all resources."""


@dataclass(frozen=True, slots=True)
class Reach:
    """``circuits_open``: addresses that get no calls for now; ``hedged``: calls sent to a second address too, of which
    the second answered ``hedges_won``."""

    circuits_open: int
    hedged: int
    hedges_won: int


@runtime_checkable
class Spread(Protocol):
    """A model behind several addresses."""

    @property
    def reach(self) -> Reach: ...


@runtime_checkable
class Limited(Protocol):
    """A model whose engine is in this process, so that its limits are known."""

    @property
    def limits(self) -> EngineLimits:
        """Known after ``start``."""


@runtime_checkable
class Replaceable(Model, Protocol):
    """A model that may be replaced by another one behind its address while it is in use."""

    @property
    def interruptions(self) -> int:
        """How often an address answered again after it was lost or not heard of for some seconds."""

    @property
    def severed(self) -> int:
        """Those of the interruptions in which a call or a connection was lost."""

    def parts(self, *, interrupted: bool = False) -> tuple["ModelAddress", ...]:
        """One model for each address, over the same connections; only for those that were ``interrupted`` since they
        were last asked for."""

    async def declared(self) -> frozenset[str] | None:
        """What its servers say of it apart from answers, such as where its weights come from; None if none says
        anything now."""

    async def relearn(self) -> None:
        """Find out the capabilities and the revision again. Raises ModelUnavailable."""


class ModelAddress(Model, Protocol):
    """One address of a ``Replaceable``."""

    async def declared(self) -> frozenset[str] | None: ...

    @property
    def barred(self) -> bool:
        """Whether the whole model leaves this address out."""

    def bar(self, barred: bool) -> None: ...


@runtime_checkable
class Teachable(Protocol):
    """A model whose prompts are known token by token, so that an adapter can be trained for it."""

    def taught(self, question: LabelPrompt, word: str) -> tuple[list[int], int]:
        """The token ids of a question as the model reads it, and the token of the answer ``word``. Raises
        UnusableVerdict or ContextOverflow."""


@runtime_checkable
class Priced(Protocol):
    """A model whose provider's prices are known."""

    @property
    def price(self) -> Price | None:
        """Known after ``start``; None if it is in no table."""
