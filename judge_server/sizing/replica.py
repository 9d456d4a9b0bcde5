"""A discrete-event simulation of one engine under the calls that judge a number of rollouts."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.prefix_cache import PrefixCache
from judge_server.sizing.step_cost import StepWork
from judge_server.sizing.workload import Call, TrainingStep, calls_of


class DoesNotFit(ValueError):
    """One call needs more room than the engine's KV cache has."""


@dataclass(slots=True)
class _Sequence:
    """``computed``: tokens of the call that are in the KV cache; ``end``: how many it needs in all."""

    call: Call
    owner: int
    computed: int
    end: int


@dataclass(slots=True)
class Simulated:
    """``seconds`` until everything was judged; ``waits``: of each rollout, from its arrival to its last verdict;
    ``finished``: when each was done; ``work``: what the engine computed; ``known_tokens``: prompt tokens that the cache
    had. ``idle``: seconds in which the engine had nothing to do."""

    seconds: float = 0.0
    idle: float = 0.0
    waits: list[float] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)
    work: StepWork = field(default_factory=StepWork)
    known_tokens: int = 0

    def wait(self, share: float) -> float:
        """A quantile of the waits."""
        return float(np.quantile(self.waits, share)) if self.waits else 0.0


class Replica:
    """Runs one engine step after the other, each with what vLLM's scheduler would put into it: first what is under way,
    then waiting calls in order as long as tokens, requests and memory allow. ``in_flight``: how many rollouts are
    judged at the same time (None: all that there are). While the engine computes, one process reads what a step wrote,
    and then goes on to prepare calls, one after the other, as long as the engine takes more. ``server_seconds``: the
    server's own processor time for a call, beside ``EngineSpeed.front``."""

    def __init__(self, engine: EngineSpeed, in_flight: int | None = None, server_seconds: float = 0.0) -> None:
        self._engine = engine
        self._in_flight = in_flight
        self._server = server_seconds
        self._preparing = server_seconds
        limits = engine.limits
        self._blocks = limits.kv_tokens // limits.block_tokens
        self._cache = PrefixCache(self._blocks, limits.block_tokens, shares=limits.prefix_caching)
        self._waiting: deque[tuple[int, Call]] = deque()
        self._running: list[_Sequence] = []
        self._left: dict[int, int] = {}  # calls of a rollout that are not answered
        self._since: dict[int, float] = {}
        self._ready = 0.0  # when the first of those that come is prepared, or since when there is nothing to prepare
        self._read = 0.0  # when all that was written is read
        self._sent = 0
        self._queued: deque[tuple[int, Call]] = deque()
        self._coming: deque[tuple[int, Call]] = deque()

    def judge(self, workload: TrainingStep) -> Simulated:
        """Judge every rollout of ``workload``. Raises DoesNotFit."""
        longest = workload.length + workload.answer_tokens
        if longest > self._blocks * self._engine.limits.block_tokens:
            raise DoesNotFit(
                f"one call needs {longest:,} tokens of KV cache and the engine has {self._engine.limits.kv_tokens:,}"
            )
        done = Simulated()
        self._ready = self._read = 0.0
        new = workload.different_tokens / workload.verdicts
        self._preparing = self._server + self._engine.front.asking(1, workload.length, new)
        rollouts = iter(range(workload.rollouts))
        for _ in range(min(self._in_flight or workload.rollouts, workload.rollouts)):
            self._arrive(next(rollouts), 0.0, workload)
        while self._left:
            self._send(done.seconds)
            work = self._step(done)
            if not work.sequences:  # nothing to compute until the next call is prepared
                done.idle += self._ready - done.seconds
                done.seconds = self._ready
                continue
            done.seconds += self._engine.cost.seconds(work)
            done.work += work
            for owner in self._finish(done.seconds):
                done.waits.append(self._read - self._since.pop(owner))
                done.finished.append(self._read)
                if (following := next(rollouts, None)) is not None:
                    self._arrive(following, self._read, workload)
        done.idle += self._read - done.seconds
        done.seconds = self._read
        return done

    def _arrive(self, rollout: int, now: float, workload: TrainingStep) -> None:
        self._since[rollout] = now
        self._left[rollout] = workload.calls_each
        self._queued.extend((rollout, call) for call in calls_of(workload, rollout))

    def _send(self, now: float) -> None:
        """Prepare what there is room for, and give the engine what is prepared."""
        while self._queued and self._sent < self._engine.limits.sequences:
            if not self._coming:
                self._ready = max(self._ready, now) + self._preparing
            self._coming.append(self._queued.popleft())
            self._sent += 1
        self._hand_over(now)

    def _hand_over(self, now: float) -> None:
        while self._coming and self._ready <= now:
            self._waiting.append(self._coming.popleft())
            self._ready += self._preparing if self._coming else 0.0

    def _read_answers(self, now: float) -> None:
        """Read what the step that ended wrote, before anything else is prepared."""
        self._hand_over(now)
        took = self._engine.front.read * sum(running.computed >= running.call.length for running in self._running)
        self._read = max(self._read, now) + took
        self._ready = max(self._ready, now) + took

    def _step(self, done: Simulated) -> StepWork:
        limits = self._engine.limits
        left, sequences, tokens, pairs, context = limits.step_tokens, 0, 0, 0.0, 0
        calls, admitted = 0, 0
        for running in self._running:
            taken = min(_chunk(running), left)
            if not taken:
                break
            left, sequences, tokens = left - taken, sequences + 1, tokens + taken
            pairs += taken * (running.computed + taken / 2)
            context += running.computed
            running.computed += taken
        while self._waiting and left and len(self._running) < limits.sequences:
            owner, call = self._waiting[0]
            known = self._cache.take(call)
            if known is None:
                break
            self._waiting.popleft()
            taken = min(call.length - known, left)
            left, sequences, tokens = left - taken, sequences + 1, tokens + taken
            pairs += taken * (known + taken / 2)
            context += known
            calls, admitted = calls + 1, admitted + call.length
            done.known_tokens += known
            self._running.append(_Sequence(call, owner, known + taken, call.length + call.answer_tokens - 1))
        return StepWork(1, tokens, sequences, pairs, context, calls, admitted)

    def _finish(self, now: float) -> list[int]:
        """Read and release what is answered; returns the rollouts that are judged."""
        self._read_answers(now)
        judged = []
        for running in self._running:
            if running.computed < running.end:
                continue
            self._cache.release(running.call)
            self._left[running.owner] -= 1
            self._sent -= 1
            if not self._left[running.owner]:
                del self._left[running.owner]
                judged.append(running.owner)
        self._running = [running for running in self._running if running.computed < running.end]
        return judged


def _chunk(running: _Sequence) -> int:
    """Tokens that a request under way would compute now: the rest of its prompt, or the next token of its answer."""
    return max(running.call.length - running.computed, 1)
