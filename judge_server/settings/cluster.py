"""The table ``ray`` of the settings: how many replicas a cluster runs, and what each of them gets."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from judge_server.core.caller import PriorityClass
from judge_server.core.judge import JudgeName
from judge_server.core.model import Frozen

Amount = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Replicas(Frozen):
    """``replicas`` run always; up to ``most_replicas`` are started when each has more than ``target_ongoing`` requests
    under way or waiting, averaged over ``look_back_seconds``. ``at_once``: requests that one replica works on."""

    replicas: int = Field(default=1, ge=1, le=10_000)
    most_replicas: int | None = Field(default=None, ge=1, le=10_000)
    target_ongoing: float = Field(default=32.0, gt=0, le=100_000)
    look_back_seconds: float = Field(default=20.0, gt=10, le=3_600)
    upscale_seconds: float = Field(default=10.0, ge=0, le=86_400)
    downscale_seconds: float = Field(default=300.0, ge=0, le=86_400)
    at_once: int = Field(default=64, ge=1, le=100_000)
    cpus: Amount = 1.0

    @model_validator(mode="after")
    def _more_than_the_least(self) -> "Replicas":
        if self.most_replicas is not None and self.most_replicas < self.replicas:
            raise ValueError("most_replicas must be at least replicas")
        return self


class ModelReplicas(Replicas):
    """The replicas of one judge's model.

    ``target_ongoing_by_class``: of calls of that priority, such as more of batch jobs, which can wait, than
    ``target_ongoing``, before another replica is started. ``routing``: calls about one conversation go to one replica,
    whose prefix cache has it, or each call to the less loaded of two, for models without such a cache. ``gpus``: of
    each replica, also a fraction. ``bundles``: the placement group of each replica, such as one bundle a GPU for an
    engine with tensor parallelism; the replica runs in the first."""

    target_ongoing_by_class: dict[PriorityClass, Annotated[float, Field(gt=0, le=1_000_000)]] = Field(
        default_factory=dict
    )
    routing: Literal["conversation", "load"] = "conversation"
    gpus: Amount = 0.0
    bundles: tuple[dict[str, Amount], ...] = ()
    strategy: Literal["PACK", "STRICT_PACK", "SPREAD", "STRICT_SPREAD"] = "STRICT_PACK"

    @model_validator(mode="after")
    def _scales_by_class(self) -> "ModelReplicas":
        if self.target_ongoing_by_class and self.most_replicas is None:
            raise ValueError("target_ongoing_by_class needs most_replicas, without which nothing is scaled")
        return self


class BulkWorkers(Frozen):
    """The workers of ``score --on ray``: ``replicas`` to ``most_replicas`` of them. ``rows``: of a partition, about,
    which is one output file, and the most that is judged again after a worker died."""

    replicas: int = Field(default=2, ge=1, le=10_000)
    most_replicas: int | None = Field(default=None, ge=1, le=10_000)
    cpus: Amount = 1.0
    gpus: Amount = 0.0
    rows: int = Field(default=1_000, ge=1, le=1_000_000)


class RaySettings(Frozen):
    """``judges``: by name of a judge with a model, which then runs in a deployment of its own. In-process engines
    (``vllm:``) always do; other models are called by the replicas of the application itself."""

    address: str | None = Field(default=None, min_length=1, max_length=1_000)
    application: str = Field(default="judge-server", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    server: Replicas = Replicas(at_once=1_024, target_ongoing=256.0)
    bulk: BulkWorkers = BulkWorkers()
    judges: dict[JudgeName, ModelReplicas] = Field(default_factory=dict)
