"""Judge models behind servers with ``/chat/completions``: ``openai:NAME@URL[,URL…]``."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from judge_server.core.errors import UnusableVerdict
from judge_server.models.capability_probe import BY_TOKEN_ID, CapabilityProbe, first_dialect
from judge_server.models.failover import Failover
from judge_server.models.model_server import ModelServer
from judge_server.models.openai_fault import ServerFault
from judge_server.models.openai_options import OpenAIOptions, read_specification
from judge_server.models.openai_reply import ModelListing, completion_of, merged
from judge_server.models.openai_wire import favouring, unblocking_chat_body
from judge_server.models.prompt_lists import MOST_PROMPTS, PromptLists
from judge_server.models.prompt_tokens import token_ids
from judge_server.models.protocol import Capabilities, Completion, LabelBatch, Labels, Prompt, Request
from judge_server.models.registry import read_options
from judge_server.models.reserved import UNKNOWN

_CHECK_SECONDS = 15.0


def create(rest: str, options: Mapping[str, Any]) -> "OpenAIServer":
    """A model from ``NAME@ADDRESS,ADDRESS``. Raises BadConfiguration."""
    name, addresses = read_specification(rest)
    return OpenAIServer(name, addresses, read_options(OpenAIOptions, "openai", options))


class OpenAIServer(ModelServer):
    """A Model on servers with ``/chat/completions``."""

    def __init__(self, name: str, addresses: tuple[str, ...], options: OpenAIOptions) -> None:
        super().__init__(name, addresses, options)
        self._dialect = first_dialect(options)
        self._label_ids: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._lists: PromptLists | None = None
        self._interruptions_before = 0  # the last check of ``_lists``
        self._checking, self._check_again_at = asyncio.Lock(), 0.0

    async def relearn(self) -> None:
        """Probe what the server can do. Raises ModelUnavailable if no address answers."""
        self._label_ids = {}  # of the tokenizer that was there before
        listing = ModelListing.merged([found for found in await self._listings() if found])
        learned = await CapabilityProbe(self._ask_probe, self._token_ids, self.name, self._options).learn()
        strings = await self._control_strings()
        self._dialect = replace(learned.dialect, strings=strings)
        broken = f"strings {strings.digest[:12]}" if strings.digest != UNKNOWN.digest else ""
        plain = "labels at temperature 1" if learned.dialect.plain_labels else ""
        self.revision = " ".join(filter(None, (*listing.identity, learned.fingerprint, broken, plain)))
        context_tokens = self._options.context_tokens or listing.context_tokens
        relisting = learned.dialect.relisting != "none"
        self._interruptions_before = self._fleet.interruptions
        seconds = self._options.start_timeout_seconds
        self._lists = await self._takes_lists(seconds) if learned.logprobs and self._options.prompt_lists else None
        batch = MOST_PROMPTS if self._lists else 0
        self.capabilities = Capabilities(
            learned.logprobs, learned.structured, context_tokens, relisting, learned.limits, label_batch=batch
        )

    async def complete(self, request: Request) -> Completion:
        answer, relisting = request.answer, self._dialect.relisting
        if isinstance(answer, LabelBatch):
            return await self._by_list(request, answer)
        if not isinstance(answer, Labels) or not answer.every or relisting == "none":
            return await self._complete(request)
        token_ids = await self._token_ids(answer.words) if relisting in BY_TOKEN_ID else ()
        favoured = favouring(relisting, answer.words, token_ids)
        first, second = await asyncio.gather(self._complete(request), self._complete(request, favoured))
        return merged(first, second)

    async def _complete(self, request: Request, favoured: Mapping[str, Any] | None = None) -> Completion:
        body = await unblocking_chat_body(request, self.name, self._dialect, self._options.extra_body, favoured)
        answer = await self._answer(body, request.prompt, request.deadline)
        if isinstance(answer, ServerFault):
            raise answer.error
        return completion_of(answer, thinking=request.thinking_tokens is not None)

    async def _send_list(self, body: bytes, prompt: Prompt, deadline: float | None) -> bytes | ServerFault:
        post = partial(self._post, path="/completions")
        return await self._answer(body, prompt, deadline, Failover(self._fleet, post, self._hedging))

    async def _by_list(self, request: Request, batch: LabelBatch) -> Completion:
        """Raises UnusableVerdict if the server takes no lists now: each question may then be asked alone."""
        while (lists := await self._checked_lists()) is not None:
            before = self._fleet.interruptions
            found = await lists.complete(request, batch)
            if before == self._fleet.interruptions:
                return found
        raise UnusableVerdict("The model server takes no list of prompts.")

    async def _checked_lists(self) -> PromptLists | None:
        """After an interruption another tokenizer may be there. Chat completions would not show it, and the ids that
        are known would be other texts to it."""
        async with self._checking:
            if self._interruptions_before == self._fleet.interruptions or self._lists is None:
                return self._lists
            if time.monotonic() < self._check_again_at:
                return None
            before = self._fleet.interruptions
            lists = await self._takes_lists(_CHECK_SECONDS)
            if lists is None:
                self._check_again_at = time.monotonic() + _CHECK_SECONDS
            else:
                self._lists, self._interruptions_before = lists, before
            return lists

    async def _takes_lists(self, seconds: float) -> PromptLists | None:
        """How to send lists of prompts, if the server answers one with the probabilities of chat completions."""
        tokens = await token_ids(self._options.tokenizer, self._tokenize, self._dialect.strings)
        if tokens is None:
            return None
        lists = PromptLists(self.name, self._dialect, self._options.extra_body, tokens, self._send_list)
        return lists if await lists.agrees_with(self._complete, seconds) else None

    async def _token_ids(self, words: Sequence[str]) -> tuple[int, ...]:
        """The single tokens that say one of ``words``, with and without a leading space; none if no server reports
        them."""
        if tuple(words) not in self._label_ids:
            spellings = [text for word in words for text in (word, f" {word}")]
            found = await asyncio.gather(*(self._tokenized(text) for text in spellings))
            self._label_ids[tuple(words)] = tuple(dict.fromkeys(ids[0] for ids in found if len(ids) == 1))
        return self._label_ids[tuple(words)]
