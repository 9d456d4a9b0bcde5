"""TRL's multi-reward training (GDPO): each component of a rubric is a reward function of its own.

``reward_funcs=component_rewards("medical/consultation", ["safety", "tone"])`` with
``multi_objective_aggregation="normalize_then_sum"`` and ``reward_weights``. All of them share one judgment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from judge_client.adapters.trl import Rewards, SyncRubricReward
from judge_client.errors import BadConfiguration
from judge_client.sample import Sample, Text
from judge_client.scored import Scored


class _Judged(SyncRubricReward):
    """Judges a batch once, however many components are asked for."""

    _batch: Sequence[Text] | None = None
    _scored: Sequence[Scored] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_batch", "_scored")}

    def scored(
        self, prompts: Sequence[Text], completions: Sequence[Text], given: Mapping[str, Any]
    ) -> Sequence[Scored]:
        """TRL gives every reward function the same list of completions."""
        if self._batch is not completions:
            self._scored = ()
            self(prompts, completions, **given)
            self._batch = completions
        return self._scored

    def _rewards(self, scored: Sequence[Scored], samples: Sequence[Sample], given: Mapping[str, Any]) -> Rewards:
        self._scored = scored
        return super()._rewards(scored, samples, given)


class ComponentReward:
    """A tag of the rubric, or one criterion, as a reward function. Its reward is None if it has no verdict: TRL leaves
    such a completion out of the component's baseline. Picklable."""

    def __init__(self, judged: _Judged, component: str) -> None:
        self.judged = judged
        self.component = component
        self.__name__ = f"{judged.__name__}/{component}"

    def __call__(self, prompts: Sequence[Text], completions: Sequence[Text], **given: Any) -> Rewards:
        return [one.component(self.component) for one in self.judged.scored(prompts, completions, given)]


def component_rewards(
    rubric: str | Mapping[str, Any] | None = None, components: Sequence[str] = (), **options: Any
) -> list[ComponentReward]:
    """``components``: tags or criterion ids. ``options``: those of SyncRubricReward."""
    if isinstance(components, str) or not components:
        raise BadConfiguration(
            "component_rewards needs the components.", remedy='Write component_rewards(rubric, ["safety", "tone"]).'
        )
    judged = _Judged(rubric, **options)
    return [ComponentReward(judged, component) for component in components]
