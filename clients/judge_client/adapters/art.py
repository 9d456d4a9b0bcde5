"""ART: ``gather_trajectory_groups(…, after_each=RubricReward("medical/consultation"))``.

With ``relative`` a group's trajectories are compared with each other, as ART's own RULER does, by the rubric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import art

from judge_client.adapters.asynchronous import async_reward
from judge_client.adapters.columns import Columns
from judge_client.adapters.conversation import parted
from judge_client.errors import BadSample, JudgeFailed
from judge_client.on_failure import OnFailure
from judge_client.rewarder import Rewarder
from judge_client.sample import Sample
from judge_client.scored import Scored

_USUAL = Columns()
_SHARED = ("prompt", "rubric", "judge", "reference", "facts")


class RubricReward:
    """``name``: of the metrics. ``relative``: True, or the options of the server's docs/groups.md. ``columns``: what
    the metadata of trajectories and groups call rubric, reference, facts and judge. ``options``: those of Rewarder.

    By default (``drop``) a trajectory whose judge failed leaves its group, and a group of which fewer than two are left
    is dropped. Picklable.
    """

    def __init__(
        self,
        rubric: str | Mapping[str, Any] | None = None,
        *,
        on_failure: OnFailure | str | float | None = None,
        relative: bool | Mapping[str, Any] = False,
        name: str = "judge",
        columns: Columns = _USUAL,
        **options: Any,
    ) -> None:
        policy = OnFailure.choose(on_failure, default=OnFailure.DROP, trainer="ART")
        self.rewarder = Rewarder(rubric, on_failure=policy, **options)
        self.relative = relative
        self.name = name
        self.columns = columns

    @async_reward("Give it to gather_trajectory_groups as after_each, which awaits it.")
    async def __call__(self, group: art.TrajectoryGroup) -> art.TrajectoryGroup | None:
        """The group with rewards and metrics, or None. Raises JudgeFailed if the policy says so."""
        if not group.trajectories:
            return group
        samples = [self._sample(trajectory, group) for trajectory in group.trajectories]
        scored = await (self._compared(samples) if self.relative else self.rewarder.ascore(samples))
        judged = zip(group.trajectories, scored, strict=True)
        kept = [self._rewarded(trajectory, one) for trajectory, one in judged if one.reward is not None]
        if len(kept) < len(scored) and len(kept) < 2:
            return None
        failed = {f"{self.name}/dropped": len(scored) - len(kept)}
        whole = art.TrajectoryGroup(
            [*kept, *_dropped(scored)], metadata=group.metadata, metrics={**group.metrics, **failed}, logs=group.logs
        )
        whole.exceptions = [*group.exceptions, *whole.exceptions]
        return whole

    def _sample(self, trajectory: art.Trajectory, group: art.TrajectoryGroup) -> Sample:
        before, answer = parted(trajectory.messages(), _first_sampled(trajectory))
        given = {name: [value] for name, value in {**group.metadata, **trajectory.metadata}.items()}
        return self.columns.samples([before], [answer or ""], given)[0]

    async def _compared(self, samples: Sequence[Sample]) -> Sequence[Scored]:
        shared = {name: getattr(samples[0], name) for name in _SHARED}
        for name, value in shared.items():
            if any(getattr(sample, name) != value for sample in samples):
                raise BadSample(
                    f"Trajectories are compared of one {name}, and those of this group have several.",
                    remedy="Write it into the group's metadata, or do without relative.",
                )
        prompt, responses = shared.pop("prompt"), [sample.response for sample in samples]
        return await self.rewarder.ascore_group(prompt, responses, relative=self.relative, **shared)

    def _rewarded(self, trajectory: art.Trajectory, scored: Scored) -> art.Trajectory:
        metrics = {**trajectory.metrics, **scored.metrics_under(self.name)}
        return trajectory.model_copy(update={"reward": scored.reward, "metrics": metrics})


def _dropped(scored: Sequence[Scored]) -> list[JudgeFailed]:
    """ART keeps them with the group's exceptions."""
    return [JudgeFailed(f"No reward ({one.failure}): {one.detail}") for one in scored if one.reward is None]


def _first_sampled(trajectory: art.Trajectory) -> int:
    """The place of the first message that is a choice of the policy's; 0 if none is marked so."""
    said = trajectory.messages_and_choices
    return next((place for place, one in enumerate(said) if not isinstance(one, Mapping)), 0)
