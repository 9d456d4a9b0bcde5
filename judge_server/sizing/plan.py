"""The answer to "how large must it be": a fleet, its share of a training step, its price, and what more would cost."""

from pydantic import Field

from judge_server.core.errors import BadInput
from judge_server.core.model import Frozen
from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.fleet import Installation, InstallationFigures
from judge_server.sizing.workload import TrainingStep


class SizingGoal(Frozen):
    """Either ``engines``, or the time that judging may take: ``seconds``, or ``share`` of a step of ``step_seconds``.
    ``gpu_hour``: dollars."""

    engines: int | None = Field(default=None, ge=1, le=100_000)
    seconds: float | None = Field(default=None, gt=0)
    step_seconds: float | None = Field(default=None, gt=0)
    share: float = Field(default=0.1, gt=0, lt=1)
    gpu_hour: float | None = Field(default=None, ge=0)

    @property
    def allowed(self) -> float | None:
        """Seconds that judging may take, None if only the number of engines is given. Raises BadInput."""
        if self.seconds is not None:
            return self.seconds
        if self.step_seconds is not None:
            return self.step_seconds * self.share
        if self.engines is None:
            raise BadInput(
                "The time that judging may take is not given.",
                remedy="Give --engines, --seconds, or --step-seconds (with --share).",
            )
        return None


class More(Frozen):
    """The same fleet with more work. ``seconds`` and ``gpu_hours``: in addition, for each step."""

    what: str
    seconds: float
    gpu_hours: float
    dollars: float | None


class SizingPlan(Frozen):
    """``step_share``: of the step's time, if the step's time is known. ``dollars``: of the engines while they judge one
    step; None without a price. ``more``: what an addition costs."""

    workload: TrainingStep
    engine: EngineSpeed
    fleet: InstallationFigures
    step_share: float | None
    dollars: float | None
    more: tuple[More, ...]


def plan(workload: TrainingStep, engine: EngineSpeed, fleet: Installation, wanted: SizingGoal) -> SizingPlan:
    """Raises BadInput if nothing of the kind can be built."""
    allowed = wanted.allowed
    if wanted.engines is not None:
        figures = fleet.figures(workload, wanted.engines)
    else:
        figures = fleet.needed(workload, allowed or 0.0)
    additions = {
        "one more criterion": {"criteria": workload.criteria + 1},
        "one more vote": {"votes": workload.votes + 1},
        "responses longer by a tenth": {"response_tokens": -(-workload.response_tokens * 11 // 10)},
    }
    return SizingPlan(
        workload=workload,
        engine=engine,
        fleet=figures,
        step_share=figures.seconds / wanted.step_seconds if wanted.step_seconds is not None else None,
        dollars=_dollars(figures.gpu_hours, wanted.gpu_hour),
        more=tuple(
            _more(what, figures, fleet.figures(workload.model_copy(update=change), figures.engines), wanted.gpu_hour)
            for what, change in additions.items()
        ),
    )


def _more(what: str, before: InstallationFigures, after: InstallationFigures, gpu_hour: float | None) -> More:
    hours = after.gpu_hours - before.gpu_hours
    return More(what=what, seconds=after.seconds - before.seconds, gpu_hours=hours, dollars=_dollars(hours, gpu_hour))


def _dollars(gpu_hours: float, gpu_hour: float | None) -> float | None:
    return None if gpu_hour is None else gpu_hours * gpu_hour
