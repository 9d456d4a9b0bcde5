"""Typed questions in several requests, because of a server's limits or of one question that it refuses."""

from collections.abc import Awaitable, Callable, Sequence

from judge_server.core.errors import JudgeFailure, UnusableVerdict
from judge_server.core.judgment import NO_USAGE, Usage
from judge_server.models.protocol import Completion, TypedAnswer, TypedQuestion, UnusableCompletion
from judge_server.util.concurrency import together

Part = Sequence[TypedQuestion]
Ask = Callable[[Part], Awaitable[Completion]]


def parts_of(questions: Part, most: int) -> list[Part]:
    """The questions in order, at most ``most`` in each part."""
    return [questions[start : start + most] for start in range(0, len(questions), most)]


def halves_of(questions: Part) -> list[Part]:
    """For at least two questions of which a server refuses one, or which are too many for it."""
    return parts_of(questions, (len(questions) + 1) // 2)


async def asked_in_parts(ask: Ask, parts: Sequence[Part]) -> Completion:
    """The answers to all parts, in order: a part that fails costs no other its answers, and has its failure for each of
    its questions. Raises the failure if no part has an answer."""
    found = await together([_asked(ask, part) for part in parts])
    decisions = tuple([one for part in found for one in part.decisions])
    usage = Usage.total([part.usage for part in found])
    answered = [part for part in found if any(isinstance(one, TypedAnswer) for one in part.decisions)]
    fault = decisions[0]
    if not answered and isinstance(fault, JudgeFailure):
        raise UnusableCompletion(fault.detail, usage) if isinstance(fault, UnusableVerdict) else fault
    origins = {origin for part in answered for origin in part.origin.split(" / ")}
    return Completion("", usage=usage, decisions=decisions, origin=" / ".join(sorted(origins)))


async def _asked(ask: Ask, part: Part) -> Completion:
    try:
        return await ask(part)
    except JudgeFailure as fault:
        usage = fault.usage if isinstance(fault, UnusableCompletion) else NO_USAGE
        return Completion("", usage=usage, decisions=(fault,) * len(part))
