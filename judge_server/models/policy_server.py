"""The model that is evaluated, behind a server with ``/chat/completions``: it writes responses to conversations."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from judge_server.core.errors import BadConfiguration, ModelUnavailable
from judge_server.core.model import Frozen
from judge_server.models.model_server import ModelServer
from judge_server.models.openai_fault import ServerFault
from judge_server.models.openai_options import OpenAIOptions, read_specification
from judge_server.models.openai_reply import completion_of
from judge_server.models.protocol import Completion, Prompt
from judge_server.models.registry import read_options

_PROVIDER = "openai:"


class WritingOptions(Frozen):
    """How responses are sampled. None leaves a field to the server."""

    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None


def create(specification: str, options: Mapping[str, Any]) -> "PolicyServer":
    """Raises BadConfiguration for anything but ``openai:NAME@URL``, or options that cannot be used."""
    if not specification.startswith(_PROVIDER):
        raise BadConfiguration(
            f"{specification!r} cannot write responses: only a server with OpenAI's API can.",
            remedy="Serve the model (vllm serve NAME) and write openai:NAME@http://HOST:PORT/v1.",
        )
    name, addresses = read_specification(specification.removeprefix(_PROVIDER))
    return PolicyServer(name, addresses, read_options(OpenAIOptions, "openai", options))


class PolicyServer(ModelServer):
    """Conversations go to it as they are: it is no judge, so nothing in them is fenced."""

    async def relearn(self) -> None:
        if all(listing is None for listing in await self._listings()):
            raise ModelUnavailable(
                f"No server of {self.name!r} answers.", remedy="Check that it runs and that its address is right."
            )

    async def respond(self, messages: Sequence[Mapping[str, str]], writing: WritingOptions) -> Completion:
        """The response; thinking is not part of its text. Raises what ``Model.complete`` raises."""
        body = {
            **self._options.extra_body,
            "model": self.name,
            "messages": list(messages),
            "stream": False,
            **writing.model_dump(exclude_none=True),
        }
        answer = await self._answer(orjson.dumps(body), Prompt(()), None)
        if isinstance(answer, ServerFault):
            raise answer.error
        return completion_of(answer, thinking=True)
