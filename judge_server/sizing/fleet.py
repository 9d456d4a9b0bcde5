"""A number of engines that judge one step together, and how many a wanted time needs."""

from typing import Literal

from pydantic import Field

from judge_server.core.errors import BadInput
from judge_server.core.model import Frozen
from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.replica import DoesNotFit, Replica, Simulated
from judge_server.sizing.workload import TrainingStep

_FEWEST_ROLLOUTS = 8
Bound = Literal[
    "computing prompts", "attention", "reading weights", "reading the KV cache", "steps", "reading prompts", "server"
]


class InstallationFigures(Frozen):
    """What a fleet needs for one step of a training. ``seconds``: until the last verdict; ``wait_p50`` and
    ``wait_p95``: seconds from a rollout's arrival to its reward. ``computed_share``: prompt tokens computed over those
    that have to be if nothing that begins alike is computed twice. ``rollouts_simulated``: of one engine's; if fewer
    than ``rollouts_each``, the rest goes on at the same speed. ``steps``: that were simulated. ``bound``: what takes
    most of the engines' time."""

    engines: int = Field(ge=1)
    gpus: int = Field(ge=0)
    rollouts_each: int = Field(ge=1)
    rollouts_simulated: int = Field(ge=1)
    steps: int = Field(ge=1)
    seconds: float
    verdicts_per_second: float
    wait_p50: float
    wait_p95: float
    computed_share: float
    bound: Bound

    @property
    def gpu_hours(self) -> float:
        """Of one step."""
        return self.gpus * self.seconds / 3600


class Installation:
    """Engines of one kind. Rollouts of one prompt go to one engine, so that its cache has their prompt; with fewer
    prompts than engines, groups are divided. ``server_seconds``: the server's processor time for a call, spent by one
    process for each engine. ``in_flight``: rollouts that one engine judges at the same time. ``simulated``: tokens of
    answers, 1 for a label, up to which one engine is simulated; what goes beyond is extrapolated."""

    def __init__(
        self,
        engine: EngineSpeed,
        *,
        server_seconds: float = 0.0,
        in_flight: int | None = None,
        simulated: int = 200_000,
    ) -> None:
        self._engine = engine
        self._server = server_seconds
        self._in_flight = in_flight
        self._simulated = simulated

    def figures(self, workload: TrainingStep, engines: int) -> InstallationFigures:
        """Raises BadInput if one call does not fit into an engine."""
        each = self._each(workload, engines)
        part = min(each, max(self._simulated // (workload.calls_each * workload.answer_tokens), _FEWEST_ROLLOUTS))
        sent = workload.part(part)
        try:
            done = Replica(self._engine, self._in_flight, self._server).judge(sent)
        except DoesNotFit as fault:
            raise BadInput(
                f"This engine cannot judge such responses: {fault}.",
                remedy="Shorten the texts, or give it more memory.",
            ) from None
        seconds = _extended(done, part, each)
        return InstallationFigures(
            engines=engines,
            gpus=engines * self._engine.limits.gpus,
            rollouts_each=each,
            rollouts_simulated=part,
            steps=round(done.work.steps),
            seconds=seconds,
            verdicts_per_second=workload.verdicts / seconds,
            wait_p50=done.wait(0.5) if self._in_flight or part == each else seconds / 2,
            wait_p95=done.wait(0.95) if self._in_flight or part == each else seconds * 0.95,
            computed_share=(sent.sent_tokens - done.known_tokens) / sent.different_tokens,
            bound=self._bound(sent, done),
        )

    def _each(self, workload: TrainingStep, engines: int) -> int:
        """Rollouts of the fullest engine."""
        if workload.groups >= engines:
            return min(-(-workload.groups // engines) * workload.group, workload.rollouts)
        return -(-workload.rollouts // engines)

    def needed(self, workload: TrainingStep, seconds: float, most: int = 100_000) -> InstallationFigures:
        """The smallest fleet that judges ``workload`` within ``seconds``. Raises BadInput if no number does."""
        most = min(most, workload.rollouts)
        fastest = self.figures(workload, most)
        if fastest.seconds > seconds:
            raise BadInput(
                f"{most:,} engines, one for each rollout at most, still need {fastest.seconds:,.1f} s.",
                remedy="Allow more time, or take a faster engine.",
            )
        low, high, best = 0, most, fastest
        while high - low > 1:
            middle = (low + high) // 2 if low else max(high // 8, 1)
            found = self.figures(workload, middle)
            if found.seconds <= seconds:
                high, best = middle, found
            else:
                low = middle
        return best

    def _bound(self, sent: TrainingStep, done: Simulated) -> Bound:
        cost, work = self._engine.cost, done.work
        read = sent.verdicts * sent.answer_tokens
        front = self._engine.front.seconds(sent.verdicts, sent.sent_tokens, sent.different_tokens, read)
        if self._server * sent.verdicts + front > 0.9 * done.seconds:
            return "server"
        shares: dict[Bound, float] = {
            "computing prompts": cost.token * work.tokens,
            "attention": cost.pair * work.pairs,
            "reading weights": max(cost.weights * work.steps - cost.token * work.tokens, 0),
            "reading the KV cache": cost.context * work.context,
            "steps": cost.step * work.steps + cost.sequence * work.sequences + cost.call * work.calls,
            "reading prompts": cost.admitted * work.admitted,
        }
        return max(shares, key=lambda name: shares[name])


def _extended(done: Simulated, part: int, each: int) -> float:
    """The time of ``each`` rollouts from that of ``part``: the rest goes on as the middle half went, without the
    beginning, when nothing is finished yet, and the end, when nothing new comes."""
    if part == each:
        return done.seconds
    start, end = part // 4, part * 3 // 4
    return done.seconds + (each - part) * (done.finished[end] - done.finished[start]) / (end - start)
