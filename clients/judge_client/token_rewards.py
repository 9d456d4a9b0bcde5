"""Step rewards at token positions, for trainers with process rewards.

A judgment under a rubric with criteria of scope ``step`` has ``step_rewards``: each with its value and with character
offsets into the response. ``token_rewards`` places them on the tokens of the response, as plain lists: no tensors here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import fsum, sqrt
from typing import Any

from judge_client.errors import JudgeFailed
from judge_client.on_failure import OnFailure

Range = tuple[int, int]


@dataclass(frozen=True)
class Placed:
    """The reward of one step. ``tokens``: (first, last + 1); ``at``: the token with the reward, or its last share."""

    step: int
    tokens: Range
    at: int
    value: float


@dataclass(frozen=True)
class TokenRewards:
    """``values``: one float for each token, 0.0 if no step has its reward. ``mask``: 0 on the tokens of steps that
    have no reward because the judge failed, else 1. ``dropped``: the steps that are not placed, with the reason:
    ``judge_failed``, ``beyond_the_tokens`` (cut off), ``no_tokens`` or ``not_trainable``."""

    values: list[float]
    mask: list[int]
    placed: list[Placed]
    dropped: dict[int, str]


@dataclass(frozen=True)
class _Step:
    index: int
    value: float | None
    span: Range | None
    message: int | None
    field: str | None
    error: Any

    @staticmethod
    def of(given: Any) -> _Step:
        """From a ``StepReward`` of the client, or from the JSON of one."""
        start_end, names = _read(given, "span"), ("message", "field", "error")
        span = None if start_end is None else (int(start_end[0]), int(start_end[1]))
        return _Step(int(_read(given, "index")), _read(given, "value"), span, *(_read(given, name) for name in names))


def _read(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)


def token_rewards(
    steps: Iterable[Any],
    offsets: Sequence[Range],
    *,
    spread: bool = False,
    on_failure: OnFailure | str | float = "raise",
    trainable: Sequence[int] | None = None,
    turns: Sequence[Range] | None = None,
    origin: int | None = None,
) -> TokenRewards:
    """The rewards of ``steps`` (``judgment.step_rewards``) on the tokens of the response.

    ``offsets``: (start, end) of each token's characters in the response, from a fast tokenizer or ``token_offsets``;
    tokens with an empty place (special ones, padding) never have a reward. A reward stands on the last token of its
    step, or in equal shares on all of them (``spread``). ``trainable``: 0 for tokens that the policy did not write.

    ``turns``: (first, last + 1) of the tokens of each message, for responses of several messages (``turns_at``).
    ``origin``: the character of the tokens' text at which the judged text begins, if it is only a part of it.

    A step that the judge failed on raises JudgeFailed, or what ``on_failure`` says: ``drop`` masks its tokens,
    ``neutral`` takes the mean of the other steps, a number is taken as it is. Raises ValueError for places that cannot
    be read.
    """
    read = [_Step.of(step) for step in steps]
    finder = _Finder(read, offsets, turns, origin)
    policy = OnFailure.parse(on_failure)
    result = TokenRewards([0.0] * len(offsets), [1] * len(offsets), [], {})
    for step in read:
        tokens = finder.find(step)
        value = step.value if step.value is not None else _substitute(step, read, policy)
        if isinstance(tokens, str):
            result.dropped[step.index] = tokens if value is not None else "judge_failed"
            continue
        places = [place for place in range(*tokens) if _rewarded(place, offsets, trainable, turns)]
        if value is None:
            result.dropped[step.index] = "judge_failed"
            result.mask[tokens[0] : tokens[1]] = [0] * (tokens[1] - tokens[0])
        elif not places:
            result.dropped[step.index] = "not_trainable"
        else:
            for place in places if spread else places[-1:]:
                result.values[place] += value / len(places) if spread else value
            result.placed.append(Placed(step.index, tokens, places[-1], value))
    return result


def process_advantages(group: Sequence[TokenRewards], *, epsilon: float = 1e-4) -> list[list[float]]:
    """Advantages of each token of each response to one prompt: the sum of the normalised rewards of the steps that end
    at that token or later (process supervision of GRPO: Shao et al. 2024, DeepSeekMath, section 4.1.3). Normalised over
    all steps of the group: (reward - mean) / (std + ``epsilon``)."""
    values = [placed.value for one in group for placed in one.placed]
    mean = fsum(values) / len(values) if values else 0.0
    std = sqrt(fsum((value - mean) ** 2 for value in values) / len(values)) if values else 0.0
    result: list[list[float]] = []
    for one in group:
        at_end = [0.0] * len(one.values)
        for placed in one.placed:
            at_end[placed.at] += (placed.value - mean) / (std + epsilon)
        result.append([*accumulate(reversed(at_end))][::-1])
    return result


def _rewarded(
    place: int, offsets: Sequence[Range], trainable: Sequence[int] | None, turns: Sequence[Range] | None
) -> bool:
    """In a turn every token counts: the call of a tool may be written in tokens that say no text."""
    said = turns is not None or offsets[place][1] > offsets[place][0]
    return said and (trainable is None or bool(trainable[place]))


def _substitute(step: _Step, steps: Sequence[_Step], policy: OnFailure) -> float | None:
    known = [other.value for other in steps if other.value is not None]
    if policy.kind == "number":
        return policy.value
    if policy.kind == "drop":
        return None
    if policy.kind == "neutral" and known:
        return fsum(known) / len(known)
    raise _failed(step)


def _failed(step: _Step) -> JudgeFailed:
    return JudgeFailed(
        f"Step {step.index} has no reward: {_read(step.error, 'detail') or 'the judge failed on it'}",
        remedy="Choose what becomes of such steps: on_failure = drop, neutral or a number.",
        slug=_read(step.error, "type") or JudgeFailed.type,
    )


class _Finder:
    """The tokens of a step, or the reason why it has none."""

    def __init__(
        self, steps: Sequence[_Step], offsets: Sequence[Range], turns: Sequence[Range] | None, origin: int | None
    ) -> None:
        self._turns, self._origin = turns, origin
        self._count = len(offsets)
        self._places = [place for place, (start, end) in enumerate(offsets) if end > start]
        self._starts = [offsets[place][0] for place in self._places]
        self._ends = [offsets[place][1] for place in self._places]
        if any(one > other for row in (self._starts, self._ends) for one, other in pairwise(row)):
            raise ValueError("offsets: they run backwards; give those of one text, without the prompt's tokens")
        messages = [step.message for step in steps]
        self._shared = {message for message in messages if messages.count(message) > 1}
        if turns is None:
            self._require_one_text(steps)

    def _require_one_text(self, steps: Sequence[_Step]) -> None:
        if any(step.message not in (None, 0) for step in steps):
            raise ValueError("turns: the response has several messages; say where the tokens of each are (turns_at)")
        if self._origin is None and any(step.field == "reasoning" for step in steps):
            raise ValueError(
                "origin: the spans count in the message's reasoning; say where in the tokens' text it begins"
            )

    def find(self, step: _Step) -> Range | str:
        if self._turns is not None and step.message is not None and step.message not in self._shared:
            return self._in_turn(step.message, self._turns)
        if step.span is None:
            raise ValueError(f"step {step.index} has no span: use the step_rewards of a judgment")
        start, end = (place + (self._origin or 0) for place in step.span)
        if start >= end:
            return "no_tokens"
        if not self._ends or self._ends[-1] < end:
            return "beyond_the_tokens"
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        return (self._places[first], self._places[last - 1] + 1) if first < last else "no_tokens"

    def _in_turn(self, message: int, turns: Sequence[Range]) -> Range | str:
        if message >= len(turns):
            return "beyond_the_tokens"
        first, after = turns[message]
        if not 0 <= first <= after <= self._count:
            raise ValueError(f"turns: the turn {message} ({first}, {after}) is not within the {self._count} tokens")
        return (first, after) if first < after else "no_tokens"
