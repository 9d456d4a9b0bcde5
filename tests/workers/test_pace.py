"""How many items of jobs run at a time."""

import pytest

from judge_server.workers.pace import SlotPace


def after(
    pace: SlotPace,
    looks: int,
    *,
    write: float | None,
    lag: float = 0.0,
    start: float = 0.0,
    requests: bool = True,
) -> int:
    """The slots after so many looks, in which writes took so long."""
    for number in range(looks):
        if write is not None:
            pace.wrote(write)
        pace.step(start + number * 0.05, lag, requests=requests)
    return pace.slots


@pytest.mark.parametrize("write", [None, 0.001, 0.5], ids=["no writes", "a fast store", "a slow store"])
def test_all_slots_are_used_while_a_write_takes_what_it_always_took(write):
    assert after(SlotPace(64), 100, write=write) == 64


def test_a_store_with_a_queue_leaves_one_slot_and_gets_them_back_without_it():
    pace = SlotPace(64)
    after(pace, 10, write=0.002)
    assert after(pace, 20, write=0.05) == 1
    assert pace.rest_seconds == 0.064
    assert after(pace, 120, write=0.002) == 64
    assert pace.rest_seconds == 0.0


def test_without_requests_a_queue_of_the_store_keeps_nobody_waiting():
    pace = SlotPace(64)
    after(pace, 10, write=0.002)
    assert after(pace, 40, write=0.05, requests=False) == 64
    assert after(pace, 20, write=0.05, lag=0.02, requests=False) == 4


def test_a_late_event_loop_leaves_one_slot():
    assert after(SlotPace(64), 20, write=None, lag=0.02) == 1


def test_a_store_that_became_slower_for_good_is_not_taken_for_a_queue():
    pace = SlotPace(64)
    after(pace, 10, write=0.002)
    assert after(pace, 2_000, write=0.05, start=1.0) == 64
