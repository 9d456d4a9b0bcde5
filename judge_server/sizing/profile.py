"""Measures a running engine: bursts of calls of known shape, from which the cost of a step follows."""

import secrets
import time
from dataclasses import dataclass
from statistics import fmean, median
from typing import Protocol

from judge_server.core.engine import EngineLimits
from judge_server.core.errors import BadConfiguration
from judge_server.models.protocol import Completion, Labels, Model, Prompt, Request, Segment, Structured, Turn
from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.replica import Replica, Simulated
from judge_server.sizing.step_cost import StepCost, fit, fit_front
from judge_server.sizing.workload import TrainingStep
from judge_server.util.concurrency import together

REPEATS = 3
_ANSWER_TOKENS = 48
_MARGIN_TOKENS = 128  # for the chat template and the answer
_FIRST = StepCost(step=1.0)
_ROUNDS = 8


class Progress(Protocol):
    """Told of every burst that was measured."""

    def __call__(self, done: int, of: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Burst:
    """``calls`` at the same time: ``shared`` tokens that all begin with and ``own`` tokens of each. ``answers``: each
    writes an answer instead of a label. ``again``: the same calls once more, so that the cache has them."""

    calls: int
    shared: int
    own: int
    answers: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """What a burst took; ``processor_seconds``: this process, which asks. What the engine said of it: mean tokens of a
    prompt, of an answer, and the median of what the cache had of one."""

    burst: Burst
    seconds: float
    processor_seconds: float
    prompt_tokens: int
    answer_tokens: int
    known_tokens: int

    @property
    def asked(self) -> TrainingStep:
        """The same calls as the simulation knows them."""
        known = self.known_tokens if self.burst.shared or self.burst.again else 0
        own = max(self.prompt_tokens - known - 1, 1)
        return TrainingStep(
            rollouts=1,
            criteria=self.burst.calls,
            instruction_tokens=1,
            prompt_tokens=max(known, 1),
            response_tokens=1,
            criterion_tokens=max(own - 2, 1),
            answer_tokens=self.answer_tokens,
        )

    @property
    def exchanged(self) -> tuple[float, float, float, float]:
        """Calls, tokens of their prompts, tokens of text that no call before had, and tokens of their answers."""
        new = 0 if self.burst.again else self.asked.different_tokens
        return self.burst.calls, self.asked.sent_tokens, new, self.burst.calls * self.answer_tokens


def bursts(context_tokens: int) -> tuple[Burst, ...]:
    """Short and long, alone and together, shared and not, labels and written answers, within the engine's context."""
    longest = min(context_tokens - _MARGIN_TOKENS, 3_000)
    if longest < 128:
        raise BadConfiguration(
            f"The engine's context of {context_tokens} tokens is too short to be measured.",
            remedy="Set max_model_len to 512 or more.",
        )
    short, middle = longest // 8, longest // 2
    return (
        Burst(1, 0, short),
        Burst(1, 0, middle),
        Burst(1, 0, longest),
        Burst(1, 0, longest, again=True),
        Burst(8, 0, middle),
        Burst(24, 0, short),
        Burst(64, 0, 64),
        Burst(12, longest - 64, 64),
        Burst(96, short, 64),
        Burst(96, middle, 64),
        Burst(96, middle, 64, again=True),
        Burst(1, 0, short, answers=True),
        Burst(8, 0, short, answers=True),
        Burst(24, middle, 64, answers=True),
        Burst(64, short, 64, answers=True),
    )


class Profiler:
    """``model`` is started. One word of the texts is about one token; the engine's own counts are what is used."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._tokens_a_word = 1.0

    async def measure(self, plan: tuple[Burst, ...], progress: Progress) -> list[Measured]:
        """Every burst ``REPEATS`` times; the median counts. One call is made before, which warms up and shows how many
        tokens a word has. Raises JudgeFailure if the engine does not answer."""
        warm = await self._run(Burst(1, 0, 64))
        self._tokens_a_word = max(warm.prompt_tokens / 64, 0.5)
        found = []
        for number, burst in enumerate(plan):
            runs = [await self._run(burst) for _ in range(REPEATS)]
            found.append(sorted(runs, key=lambda run: run.seconds)[REPEATS // 2])
            progress(number + 1, len(plan))
        return found

    async def _run(self, burst: Burst) -> Measured:
        shared = self._text(burst.shared)
        requests = [_request(shared, self._text(burst.own), burst.answers) for _ in range(burst.calls)]
        if burst.again:
            await together([self._model.complete(request) for request in requests])
        start, processor = time.perf_counter(), time.process_time()
        answers: list[Completion] = await together([self._model.complete(request) for request in requests])
        seconds, used = time.perf_counter() - start, time.process_time() - processor
        usages = [answer.usage for answer in answers]
        return Measured(
            burst,
            seconds,
            used,
            round(fmean(usage.prompt_tokens for usage in usages)),
            max(round(fmean(usage.completion_tokens for usage in usages)), 1),
            round(median(usage.cached_tokens for usage in usages)),
        )

    def _text(self, tokens: int) -> str:
        words = round(tokens / self._tokens_a_word)
        return "".join(f" {_WORDS[secrets.randbelow(len(_WORDS))]}" for _ in range(words))


_WORDS = ("time", "year", "day", "way", "man", "thing", "life", "hand", "part", "eye", "place", "work", "week", "case")


def _request(shared: str, own: str, answers: bool) -> Request:
    turn = Turn("user", (Segment(shared, "conversation", False), Segment(own, "criterion", False)))  # tokenised apart
    schema = {
        "type": "object",
        "properties": {"reason": {"type": "string", "minLength": 120, "maxLength": 160}},
        "required": ["reason"],
        "additionalProperties": False,
    }
    answer = Structured(schema, _ANSWER_TOKENS) if answers else Labels(("Yes", "No"))
    return Request(Prompt((turn,), (shared,) if shared else ()), answer)


def simulated(measured: Measured, engine: EngineSpeed) -> Simulated:
    """What ``engine`` would do for a burst."""
    if not measured.burst.again:
        return Replica(engine).judge(measured.asked)
    front = engine.front.model_copy(update={"new": 0.0})
    replica = Replica(engine.model_copy(update={"front": front}))
    replica.judge(measured.asked)
    return replica.judge(measured.asked)


def speed_from(name: str, measurements: list[Measured], limits: EngineLimits) -> EngineSpeed:
    """Fit the costs to what was measured. Which calls meet in a step depends on how fast they are prepared and
    computed: so the bursts are simulated with the cost found so far, and the cost is fitted to the work of their steps,
    in turn; the best of the rounds is taken."""
    front = fit_front([one.exchanged for one in measurements], [one.processor_seconds for one in measurements])
    basis = f"measured with {len(measurements)} bursts, of each the median of {REPEATS}"
    seconds = [one.seconds for one in measurements]
    speed = EngineSpeed(name=name, cost=_FIRST, limits=limits, origin="measured", basis=basis)
    found: list[EngineSpeed] = []
    for _ in range(_ROUNDS):
        runs = [simulated(one, speed) for one in measurements]
        cost = fit([run.work for run in runs], seconds, [run.idle for run in runs]).cost
        speed = speed.model_copy(update={"cost": cost, "front": front})
        error = fmean(
            abs(simulated(one, speed).seconds / took - 1) for one, took in zip(measurements, seconds, strict=True)
        )
        found.append(speed.model_copy(update={"error": error}))
    return min(found, key=lambda one: one.error or 0.0)


async def profiled(model: Model, limits: EngineLimits, progress: Progress) -> EngineSpeed:
    """The speed of ``model``, which is started and has nothing else to do."""
    context = model.capabilities.context_tokens or limits.step_tokens
    plan = bursts(min(context, limits.kv_tokens))
    return speed_from(model.name, await Profiler(model).measure(plan, progress), limits)
