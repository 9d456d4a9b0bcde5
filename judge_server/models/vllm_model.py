"""The judge model behind ``vllm:``: prompts become token ids built from their parts, answers are read from token ids.

It knows an engine only as the ``Engine`` below; vllm_engine.py makes the real one.
"""

import asyncio
import gc
import logging
import time
import warnings
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from judge_server.core.engine import EngineLimits
from judge_server.core.errors import (
    BadConfiguration,
    ContextOverflow,
    DeadlineExceeded,
    JudgeFailure,
    ModelUnavailable,
    UnusableVerdict,
)
from judge_server.core.judgment import Usage
from judge_server.models.chat_template import ChatTemplate, Thinking
from judge_server.models.checkpoint import checkpoint_digest
from judge_server.models.protocol import (
    IMPOSSIBLE_LOGPROB,
    Capabilities,
    Completion,
    LabelBatch,
    LabelPrompt,
    Labels,
    Prompt,
    Request,
    Segment,
    Structured,
    TokenProbability,
    Turn,
)
from judge_server.models.sleeping import SleepLevel
from judge_server.models.tokenizing import PartTokenizer
from judge_server.models.vllm_options import VllmOptions
from judge_server.util.concurrency import together
from judge_server.util.parsing import read_json
from judge_server.util.time_limit import until

logger = logging.getLogger(__name__)

USUAL_SEQUENCES = 256
_MOST_QUESTIONS = 64  # of one request: more than the rubrics of one submission have
# The grammar allows raw control characters in strings, which JSON forbids, but none between tokens.
_BLANKS = dict.fromkeys(range(32), " ")
OUT_OF_BUDGET = "\n(The thinking stops here: its token budget is used up.)\n"
RANDOM_WEIGHTS = "This checkpoint has random weights: its verdicts only show that the pipeline works."


@dataclass(frozen=True, slots=True)
class Ask:
    """One generation. ``label_ids``: tokens whose raw log-probabilities are requested at the first position."""

    ids: list[int]
    max_tokens: int
    request: Request
    label_ids: tuple[int, ...] = ()
    schema: dict[str, Any] | None = None
    stop_id: int | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """Its result. ``truncated``: the token limit ended it. ``logprobs``: at the first position, by token id."""

    ids: tuple[int, ...]
    truncated: bool
    usage: Usage
    logprobs: Mapping[int, float] = field(default_factory=dict)


class Engine(Protocol):
    """A running engine. ``generate`` raises ModelUnavailable or UnusableVerdict, and stops the work if it is cancelled;
    ``abort`` stops everything in flight; ``shut_down`` blocks until the engine's processes have ended."""

    tokenizer: Any
    context_tokens: int
    commit: str
    random_weights: bool
    limits: EngineLimits

    @property
    def alive(self) -> bool: ...

    async def generate(self, ask: Ask) -> Generated: ...

    async def abort(self) -> None: ...

    async def sleep(self, level: SleepLevel) -> None: ...

    async def wake(self, level: SleepLevel) -> None: ...

    def shut_down(self) -> None: ...


class VllmModel:
    """A Model on one engine, with the LoRA adapter that this judge uses. See ``models.protocol.Model``."""

    def __init__(self, name: str, options: VllmOptions, load: Callable[[str, VllmOptions], Engine]) -> None:
        self.name = name
        self.options = options
        self.revision = ""
        self.notice: str | None = None
        self.capabilities = Capabilities(logprobs=False, structured=False)
        path = Path(name).expanduser()
        self._directory = path if path.is_dir() else None
        self._make = load
        self._engine: Engine | None = None
        self._parts: PartTokenizer
        self._template: ChatTemplate
        self._starting = asyncio.Lock()
        self._started = False

    @property
    def capacity(self) -> int:
        return self.options.max_in_flight or self.options.max_num_seqs or USUAL_SEQUENCES

    @property
    def limits(self) -> EngineLimits:
        return self._running().limits

    async def start(self) -> None:
        async with self._starting:
            if self._started:
                return
            loading = asyncio.ensure_future(asyncio.to_thread(self._load))
            try:
                await asyncio.shield(loading)
            except asyncio.CancelledError:  # the thread cannot be stopped; what it loads is shut down afterwards
                loading.add_done_callback(self._discard)
                raise
            try:
                await self._prepare()
            except BaseException:
                await self._end()
                raise
            self._started = True

    def _load(self) -> None:
        self._engine = self._make(str(self._directory or self.name), self.options)

    def _discard(self, loading: asyncio.Future[None]) -> None:
        if not loading.cancelled() and loading.exception() is None:
            self._running().shut_down()
            self._release()

    async def _end(self) -> None:
        """Shut the engine down. This blocks the event loop for some seconds; in a thread it would race with the
        engine's tasks in this loop."""
        self._running().shut_down()
        await asyncio.sleep(0.01)  # lets those tasks end
        self._release()

    def _release(self) -> None:
        """Collect the engine now; if it still exists at interpreter exit, it logs errors on standard error."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # vLLM leaves its message queues to the garbage collector
            self._engine = None
            gc.collect()

    async def _prepare(self) -> None:
        engine = self._running()
        if not hasattr(engine.tokenizer, "backend_tokenizer"):
            raise BadConfiguration(
                f"{self.name} has no tokenizer.json, so control tokens cannot be kept out of outside text.",
                remedy="Name a model that has one, or set the engine option tokenizer.",
            )
        self._parts = PartTokenizer(engine.tokenizer)
        self._template = ChatTemplate(engine.tokenizer, self._parts)
        self.notice = RANDOM_WEIGHTS if engine.random_weights else None
        self.revision = await asyncio.to_thread(self._find_revision, engine.commit)
        self.capabilities = Capabilities(
            logprobs=await self._gives_logprobs(),
            structured=await self._gives_structure(),
            context_tokens=engine.context_tokens,
            label_batch=_MOST_QUESTIONS,
        )

    def _find_revision(self, commit: str) -> str:
        """The hub's commit or a digest of the local checkpoint, and the adapter's."""
        pinned = checkpoint_digest(self._directory) if self._directory else commit or self.options.revision or ""
        if self.options.lora is None:
            return pinned
        adapter = Path(self.options.loras[self.options.lora]).expanduser()
        return f"{pinned}+{self.options.lora}:{checkpoint_digest(adapter) if adapter.is_dir() else adapter}"

    async def _gives_logprobs(self) -> bool:
        """Whether a one-token answer comes with the label tokens' probabilities, determined by a probe."""
        labels = Labels(("Yes", "No"))
        if self._parts.unsayable(labels.words):
            return False
        return len((await self._complete(_probe("Is water wet? Answer Yes or No.", labels))).candidates) > 1

    async def _gives_structure(self) -> bool:
        """Whether an answer follows a schema; an engine that ignores schemas would answer the probe in prose."""
        schema = {
            "type": "object",
            "properties": {"ready": {"type": "boolean"}},
            "required": ["ready"],
            "additionalProperties": False,
        }
        completion = await self._complete(_probe("Write one sentence about water.", Structured(schema, 32)))
        try:
            answer = read_json(completion.text)
        except ValueError:
            answer = None
        kept = isinstance(answer, dict) and set(answer) == {"ready"} and isinstance(answer["ready"], bool)
        if not kept:
            logger.warning("%s did not follow a JSON schema: %r", self.name, completion.text)
        return kept

    def _running(self) -> Engine:
        if self._engine is None:
            raise ModelUnavailable(f"The engine of {self.name} is not running.", remedy="Start the model first.")
        return self._engine

    def taught(self, question: LabelPrompt, word: str) -> tuple[list[int], int]:
        """The token ids that the engine is sent for a question, and the plainest token of the answer ``word``: what an
        adapter is trained on. Raises UnusableVerdict, or ContextOverflow for a question that could not be asked."""
        ids = self._template.encode(question.prompt)
        self._check_length(ids, 1)
        self._require_sayable(question.words)
        return ids, self._parts.label_ids((word,))[0]

    async def complete(self, request: Request) -> Completion:
        """See ``models.protocol.Model.complete``. A model that does not think answers without thinking."""
        if not self._started:
            raise ModelUnavailable(f"The engine of {self.name} is not running.", remedy="Start the model first.")
        return await self._complete(request)

    async def _batch(self, request: Request, questions: tuple[LabelPrompt, ...]) -> Completion:
        """All prompts reach the engine in the same turn of the event loop, next to each other; each has its own answer
        or failure."""

        async def one(question: LabelPrompt) -> Completion | JudgeFailure:
            try:
                return await self._complete(replace(request, prompt=question.prompt, answer=Labels(question.words)))
            except JudgeFailure as fault:
                return fault

        answers = await together([one(question) for question in questions])
        usage = Usage.total(answer.usage for answer in answers if isinstance(answer, Completion))
        return Completion("", usage=usage, batch=tuple(answers))

    async def _complete(self, request: Request) -> Completion:
        if isinstance(request.answer, LabelBatch):
            return await self._batch(request, request.answer.questions)
        async with _before(request.deadline):
            family = self._template.thinking
            if request.thinking_tokens is None or family is None:
                return await self._answer(request, self._template.encode(request.prompt))
            return await self._think_and_answer(request, family, request.thinking_tokens)

    async def _think_and_answer(self, request: Request, family: Thinking, budget: int) -> Completion:
        """The thinking up to its closing token or its budget, then the answer as a second request that continues it."""
        ids = self._template.encode(request.prompt, thinking=True)
        self._check_length(ids, budget + _answer_tokens(_generated(request)))
        thought = await self._running().generate(
            Ask(ids, budget, request, stop_id=self._parts.control_id(family.closing))
        )
        thoughts = [token_id for token_id in thought.ids if token_id not in self._parts.control_ids]
        ending = OUT_OF_BUDGET if thought.truncated else ""
        closing = self._parts.trusted(f"{ending}{family.closing}{family.answer}")
        answered = await self._answer(request, [*ids, *thoughts, *closing])
        said = self._parts.decode_all(thoughts).strip() + ending.rstrip()
        return replace(answered, thinking=said, usage=thought.usage + answered.usage)

    async def _answer(self, request: Request, ids: list[int]) -> Completion:
        answer = _generated(request)
        self._check_length(ids, _answer_tokens(answer))
        if isinstance(answer, Labels):
            return await self._answer_label(request, answer, ids)
        written = await self._running().generate(Ask(ids, answer.max_tokens, request, schema=answer.schema))
        kept = [token_id for token_id in written.ids if token_id not in self._parts.control_ids]
        text = self._parts.decode_all(kept).translate(_BLANKS)
        return Completion(text, truncated=written.truncated, usage=written.usage)

    async def _answer_label(self, request: Request, labels: Labels, ids: list[int]) -> Completion:
        self._require_sayable(labels.words)
        label_ids = self._parts.label_ids(labels.words)
        said = await self._running().generate(Ask(ids, 1, request, label_ids=label_ids))
        ranked = sorted(said.logprobs.items(), key=lambda item: -item[1])
        return Completion(
            text=self._parts.decode(said.ids[0]),
            candidates=tuple(TokenProbability(self._parts.decode(i), p) for i, p in ranked if isfinite(p)),
            usage=said.usage,
            unlisted_logprob=IMPOSSIBLE_LOGPROB,  # every token of a label was requested
        )

    def _require_sayable(self, words: tuple[str, ...]) -> None:
        unsayable = self._parts.unsayable(words)
        if unsayable:
            raise UnusableVerdict(
                f"{self.name} has no single token for the label {unsayable[0]!r}.", remedy="Use the mode reason."
            )

    def _check_length(self, ids: list[int], answer_tokens: int) -> None:
        context = self._running().context_tokens
        if len(ids) + answer_tokens > context:
            raise ContextOverflow(
                f"The prompt has {len(ids)} tokens and the answer may take {answer_tokens}; {self.name} has a context "
                f"of {context}.",
                remedy="Shorten the conversation or the response, or use a judge with a longer context.",
            )

    async def healthy(self) -> bool:
        return self._started and self._engine is not None and self._engine.alive

    async def sleep(self, level: SleepLevel) -> None:
        await self._running().sleep(level)

    async def wake(self, level: SleepLevel) -> None:
        await self._running().wake(level)

    async def close(self) -> None:
        """Abort requests in flight and end the engine's processes."""
        async with self._starting:
            self._started = False
            if self._engine is None:
                return
            await self._engine.abort()
            await self._end()


def _probe(text: str, answer: Labels | Structured) -> Request:
    return Request(Prompt((Turn("user", (Segment(text, "question", trusted=True),)),)), answer)


def _generated(request: Request) -> Labels | Structured:
    """What the engine generates. Raises ModelUnavailable for typed questions."""
    return request.answer if isinstance(request.answer, Labels) else request.structured


def _answer_tokens(answer: Labels | Structured) -> int:
    return 1 if isinstance(answer, Labels) else answer.max_tokens


@asynccontextmanager
async def _before(deadline: float | None) -> AsyncIterator[None]:
    """Cancel the body and raise DeadlineExceeded if it is not done by ``deadline`` (``time.monotonic()`` seconds)."""
    if deadline is not None and time.monotonic() >= deadline:
        raise DeadlineExceeded("The deadline passed before the model was asked.")
    try:
        with until(deadline):
            yield
    except TimeoutError:
        raise DeadlineExceeded("The deadline passed before the model answered.") from None
