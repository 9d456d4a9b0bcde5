"""How many replicas of a model a cluster wants, by what its calls are for."""

from collections.abc import Mapping
from typing import Any, Protocol


class ScalingTarget(Protocol):
    """What Serve is told of a deployment."""

    def get_target_ongoing_requests(self) -> float:
        """Calls that one replica should have."""


class Load(Protocol):
    """What of Serve's ``AutoscalingContext`` is read here. ``total_num_requests``: calls that wait and those under way;
    ``aggregated_metrics``: what replicas tell of themselves, by name and replica."""

    config: ScalingTarget

    @property
    def total_num_requests(self) -> float: ...

    @property
    def aggregated_metrics(self) -> Mapping[str, Mapping[Any, float]] | None: ...


class ClassScaling:
    """``targets``: calls under way or waiting that one replica should have of each class of priority, where that is
    not what it should have of all others.

    Which classes calls have is known of those under way; the ones that wait are taken to be alike. Serve bounds and
    delays what comes out, as for its own policy.
    """

    def __init__(self, targets: Mapping[str, float]) -> None:
        self._targets = targets

    def __call__(self, load: Load) -> tuple[float, dict[str, Any]]:
        """Replicas wanted, not rounded, and nothing to be remembered."""
        usual = load.config.get_target_ongoing_requests()
        under_way = {name: sum(each.values()) for name, each in (load.aggregated_metrics or {}).items()}
        all_under_way = sum(under_way.values())
        if not all_under_way:
            return load.total_num_requests / usual, {}
        replicas_a_call = sum(
            count / all_under_way / self._targets.get(name, usual) for name, count in under_way.items()
        )
        return load.total_num_requests * replicas_a_call, {}
