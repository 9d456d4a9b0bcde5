"""Judge models behind servers with ``/chat/completions``: ``openai:NAME@URL[,URL…]``."""

import asyncio
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

    async def relearn(self) -> None:
        """Probe what the server can do. Raises ModelUnavailable if no address answers."""
        self._label_ids = {}  # of the tokenizer that was there before
        listing = ModelListing.merged([found for found in await self._listings() if found])
        learned = await CapabilityProbe(self._ask_probe, self._token_ids, self.name, self._options).learn()
        strings = await self._control_strings()
        self._dialect = replace(learned.dialect, strings=strings)
        broken = f"strings {strings.digest[:12]}" if strings.digest != UNKNOWN.digest else ""
        self.revision = " ".join(filter(None, (*listing.identity, learned.fingerprint, broken)))
        context_tokens = self._options.context_tokens or listing.context_tokens
        relisting = learned.dialect.relisting != "none"
        self._lists = await self._takes_lists() if learned.logprobs and self._options.prompt_lists else None
        batch = MOST_PROMPTS if self._lists else 0
        self.capabilities = Capabilities(
            learned.logprobs, learned.structured, context_tokens, relisting, learned.limits, label_batch=batch
        )

    async def complete(self, request: Request) -> Completion:
        answer, relisting = request.answer, self._dialect.relisting
        if isinstance(answer, LabelBatch):
            if self._lists is None:
                raise UnusableVerdict("The model server takes no list of prompts.")
            return await self._lists.complete(request, answer)
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

    async def _takes_lists(self) -> PromptLists | None:
        """How to send lists of prompts, if the server answers one with the probabilities of chat completions."""
        tokens = await token_ids(self._options.tokenizer, self._tokenize, self._dialect.strings)
        if tokens is None:
            return None
        lists = PromptLists(self.name, self._dialect, self._options.extra_body, tokens, self._send_list)
        return lists if await lists.agrees_with(self._complete, self._options.start_timeout_seconds) else None

    async def _token_ids(self, words: Sequence[str]) -> tuple[int, ...]:
        """The single tokens that say one of ``words``, with and without a leading space; none if no server reports
        them."""
        if tuple(words) not in self._label_ids:
            spellings = [text for word in words for text in (word, f" {word}")]
            found = await asyncio.gather(*(self._tokenized(text) for text in spellings))
            self._label_ids[tuple(words)] = tuple(dict.fromkeys(ids[0] for ids in found if len(ids) == 1))
        return self._label_ids[tuple(words)]
