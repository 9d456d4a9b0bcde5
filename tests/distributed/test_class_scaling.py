"""More replicas of a model by what its calls are for, as Serve asks for it."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from judge_server.core.caller import PRIORITY_CLASSES
from judge_server.distributed.class_scaling import ClassScaling
from judge_server.settings.cluster import ModelReplicas

USUAL = 32.0
BATCH = 256.0


@dataclass
class Told:
    """What Serve tells of a deployment with two replicas."""

    total_num_requests: float
    aggregated_metrics: dict[str, dict[str, float]]

    @property
    def config(self):
        return self

    def get_target_ongoing_requests(self):
        return USUAL


def wanted(calls, **under_way):
    """``calls``: waiting and under way; by class those under way on two replicas."""
    told = Told(calls, {name: {"r1": count / 2, "r2": count / 2} for name, count in under_way.items()})
    replicas, remembered = ClassScaling({"batch": BATCH})(told)
    assert remembered == {}
    return replicas


def test_a_class_without_a_target_of_its_own_scales_as_serve_does():
    assert wanted(96, training=40, batch=0) == pytest.approx(3)


def test_a_class_that_can_wait_needs_fewer_replicas():
    assert wanted(256, batch=64) == pytest.approx(1)


def test_of_both_each_has_its_share():
    assert wanted(128, training=32, batch=32) == pytest.approx(64 / USUAL + 64 / BATCH)


def test_before_a_replica_has_told_anything_all_calls_count_alike():
    assert wanted(64) == wanted(64, training=0, batch=0) == pytest.approx(2)


@given(
    st.fixed_dictionaries({name: st.integers(0, 1_000) for name in PRIORITY_CLASSES}),
    st.integers(0, 10_000),
)
def test_what_is_wanted_lies_between_what_the_two_targets_want(under_way, waiting):
    calls = sum(under_way.values()) + waiting
    assert calls / BATCH - 1e-9 <= wanted(calls, **under_way) <= calls / USUAL + 1e-9


def test_targets_without_room_to_scale_are_refused():
    with pytest.raises(ValidationError, match="most_replicas"):
        ModelReplicas(target_ongoing_by_class={"batch": 10})
    with pytest.raises(ValidationError):
        ModelReplicas(most_replicas=2, target_ongoing_by_class={"nightly": 10})
