"""The label questions of one submission in one request of ``/completions``: a list of prompts as token ids.

vLLM, SGLang and others take such lists. Whether a server does is found out with the request that judging sends, and its
probabilities must be those of chat completions for the same prompt.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, isfinite
from typing import Any, Final

import orjson

from judge_server.core.errors import JudgeFailure, ModelUnavailable, UnusableVerdict
from judge_server.models.capability_probe import REFUSALS
from judge_server.models.openai_fault import ServerFault
from judge_server.models.openai_reply import by_text, completion_in, object_in, origin_in, require_each_token, usage_of
from judge_server.models.openai_wire import Dialect
from judge_server.models.prompt_tokens import TokenIds
from judge_server.models.protocol import (
    Completion,
    LabelBatch,
    LabelPrompt,
    Labels,
    Prompt,
    Request,
    Sampling,
    Segment,
    Turn,
    UnusableCompletion,
)

MOST_PROMPTS: Final = 64
_CHAT_ONLY: Final = frozenset(("chat_template_kwargs", "reasoning_effort", "reasoning", "thinking", "verbosity"))
_NOT_TAKEN: Final = REFUSALS | {404, 405}  # an address of a fleet may have no such route
_SAME: Final = 0.05  # of the probability of any token: part borders may cut words in other places


@dataclass(frozen=True, slots=True)
class PromptLists:
    """Writes the requests and reads the answers for one server. ``send`` posts a body with its prompt and deadline."""

    model: str
    dialect: Dialect
    extra: Mapping[str, Any]
    tokens: TokenIds
    send: Callable[[bytes, Prompt, float | None], Awaitable[bytes | ServerFault]]

    async def complete(self, request: Request, batch: LabelBatch) -> Completion:
        """Raises UnusableVerdict if the server does not take the list as it is: each question may then be asked
        alone."""
        answer = await self.send(await self.body(request, batch.questions), request.prompt, request.deadline)
        if isinstance(answer, ServerFault):
            if answer.status in _NOT_TAKEN and isinstance(answer.error, ModelUnavailable):
                raise UnusableVerdict(f"The model server refuses a list of prompts. {answer.error.detail}")
            raise answer.error
        return read_list(answer, len(batch.questions))

    async def agrees_with(self, chat: Callable[[Request], Awaitable[Completion]], seconds: float) -> bool:
        """Whether a list has the answers, from the same model, that ``chat`` gives to each of its prompts, within
        ``seconds``."""
        deadline = time.monotonic() + seconds
        alone = [Request(one.prompt, Labels(one.words), PROBE.sampling, deadline=deadline) for one in PROBES.questions]
        try:
            listed = await self.complete(replace(PROBE, deadline=deadline), PROBES)
            said = await asyncio.gather(*(chat(one) for one in alone))
        except JudgeFailure:
            return False
        return {one.origin for one in said} == {listed.origin} and all(
            isinstance(one, Completion) and _same(one, other) for one, other in zip(listed.batch, said, strict=True)
        )

    async def body(self, request: Request, questions: Sequence[LabelPrompt]) -> bytes:
        """Raises UnusableVerdict if a prompt has no token ids."""
        first = await self.tokens.of(questions[0].prompt)  # then what all share is known
        prompts = [first, *await asyncio.gather(*(self.tokens.of(question.prompt) for question in questions[1:]))]
        body: dict[str, Any] = {name: value for name, value in self.extra.items() if name not in _CHAT_ONLY}
        body |= {"model": self.model, "prompt": prompts, "max_tokens": 1, "logprobs": self.dialect.top_logprobs}
        body["stream"] = False
        if "temperature" not in self.dialect.omit:
            body["temperature"] = self.dialect.temperature(request)
        if request.sampling.seed is not None and "seed" not in self.dialect.omit:
            body["seed"] = request.sampling.seed
        if self.dialect.priority:
            body["priority"] = int(request.priority)
        return orjson.dumps(body)


def read_list(raw: bytes, count: int) -> Completion:
    """The answers to ``count`` prompts; an answer that is missing or malformed fails for itself. Raises UnusableVerdict
    if it is no list of answers."""
    answer = object_in(raw)
    usage = usage_of(answer.get("usage"))
    require_each_token(raw, answer)
    choices = answer.get("choices")
    if not isinstance(choices, list):
        raise UnusableCompletion("The model server's answer is not usable: it holds no choices.", usage)
    found: dict[int, Any] = {}
    for choice in choices:
        place = choice.get("index") if isinstance(choice, dict) else None
        if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < count or place in found:
            why = "its choices are not one for each prompt"
            raise UnusableCompletion(f"The model server's answer is not usable: {why}.", usage)
        found[place] = choice
    batch = tuple([_read(found.get(place)) for place in range(count)])
    return Completion("", usage=usage, batch=batch, origin=origin_in(answer))


def _read(choice: Any) -> Completion | JudgeFailure:
    if choice is None:
        return UnusableVerdict("The model server did not answer this question.")
    logprobs = choice.get("logprobs")
    try:
        if not isinstance(logprobs, dict) or not logprobs.get("top_logprobs"):
            raise UnusableVerdict("The model server's answer is not usable: it holds no log-probabilities.")
        content = {"content": [by_text(logprobs)]}
        one = {"message": {"content": choice.get("text")}, "logprobs": content}
        return completion_in({"choices": [one | {"finish_reason": choice.get("finish_reason")}]}, thinking=False)
    except JudgeFailure as fault:
        return fault
    except (AttributeError, TypeError, IndexError, KeyError):
        return UnusableVerdict("The model server's answer is not usable: its log-probabilities are malformed.")


def _ours(text: str, part: Any) -> Segment:
    return Segment(text, part, trusted=True)


def _probe(question: str) -> Prompt:
    asked = Segment("Water is wet. <b>Stones</b> are hard.", "response", trusted=False)
    user = (_ours("[BEGIN RESPONSE 0a]\n", "response"), asked, _ours("\n[END RESPONSE 0a]\n\n", "response"))
    system = (_ours("You grade one response.", "instructions"),)
    return Prompt((Turn("system", system), Turn("user", (*user, _ours(f"{question} Yes or No?", "question")))))


PROBES: Final = LabelBatch(
    (
        LabelPrompt(_probe("Does the response mention water?"), ("Yes", "No")),
        LabelPrompt(_probe("Does the response mention fire?"), ("Yes", "No")),
    )
)
PROBE: Final = Request(PROBES.questions[0].prompt, PROBES, Sampling(0.0, seed=0))


def _same(one: Completion, other: Completion) -> bool:
    """By the tokens that both list; at least two of them, or all."""
    found, wanted = _probabilities(one), _probabilities(other)
    both = found.keys() & wanted.keys()
    enough = len(both) >= min(2, len(wanted)) > 0
    return enough and all(abs(found[text] - wanted[text]) <= _SAME for text in both)


def _probabilities(one: Completion) -> dict[str, float]:
    return {candidate.text: exp(candidate.logprob) for candidate in one.candidates if isfinite(candidate.logprob)}
