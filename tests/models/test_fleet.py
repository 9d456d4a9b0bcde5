from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from judge_server.models.fleet import FAILURES_TO_OPEN, LONGEST_KEPT_PAUSE_SECONDS, LONGEST_OPEN_SECONDS, Fleet
from judge_server.models.openai_fault import CallOutcome


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


def fleet_of(count):
    clock = Clock()
    return Fleet([f"http://h{number}" for number in range(count)], clock), clock


def fail(fleet, times):
    for _ in range(times):
        fleet.give_back(fleet.take(), CallOutcome.FAILED)


def test_calls_go_to_the_least_loaded_address():
    fleet, _ = fleet_of(3)
    taken = [fleet.take() for _ in range(9)]
    assert set(Counter(address.url for address in taken).values()) == {3}
    fleet.give_back(taken[4], CallOutcome.ANSWERED)
    assert fleet.take() is taken[4]


def test_equal_prefixes_stay_together_while_the_load_allows_it():
    fleet, _ = fleet_of(4)
    first = [fleet.take("conversation a") for _ in range(5)]
    assert len(set(first)) == 1
    crowd = [fleet.take("conversation a") for _ in range(40)]
    loads = Counter(address.url for address in first + crowd)
    assert len(loads) == 4
    assert max(loads.values()) - min(loads.values()) <= 10


def test_different_prefixes_spread_over_all_addresses():
    fleet, _ = fleet_of(4)
    preferred = Counter()
    for number in range(400):
        address = fleet.take(f"conversation {number}")
        preferred[address.url] += 1
        fleet.give_back(address, CallOutcome.ANSWERED)
    assert min(preferred.values()) > 60


def test_another_address_is_taken_after_a_failure():
    fleet, _ = fleet_of(2)
    first = fleet.take("p")
    fleet.give_back(first, CallOutcome.FAILED)
    assert fleet.take("p", [first]) is not first


def test_where_all_were_tried_any_is_tried_again():
    fleet, _ = fleet_of(2)
    assert fleet.take(None, list(fleet.addresses)) is not None


def test_an_address_rests_after_failures_in_a_row_and_one_probe_opens_it():
    fleet, clock = fleet_of(1)
    fail(fleet, FAILURES_TO_OPEN)
    assert fleet.take() is None
    assert 0.9 < fleet.wait_seconds() <= 1.0
    clock.now += 1.0
    probe = fleet.take()
    assert fleet.take() is None
    fleet.give_back(probe, CallOutcome.ANSWERED)
    assert [fleet.take() for _ in range(3)] == [probe] * 3


def test_an_answer_between_failures_keeps_an_address_open():
    fleet, _ = fleet_of(1)
    for _ in range(10):
        fail(fleet, FAILURES_TO_OPEN - 1)
        fleet.give_back(fleet.take(), CallOutcome.ANSWERED)
    assert fleet.take() is not None


def test_each_failing_probe_doubles_the_rest_up_to_a_bound():
    fleet, clock = fleet_of(1)
    fail(fleet, FAILURES_TO_OPEN)
    waits = []
    for _ in range(2_000):
        waits.append(fleet.wait_seconds())
        clock.now += waits[-1]
        fail(fleet, 1)
    assert [round(wait) for wait in waits[:6]] == [1, 2, 4, 8, 16, 30]
    assert waits[-1] <= LONGEST_OPEN_SECONDS


def test_calls_that_were_under_way_do_not_lengthen_the_rest():
    fleet, _ = fleet_of(1)
    under_way = [fleet.take() for _ in range(50)]
    for address in under_way:
        fleet.give_back(address, CallOutcome.FAILED)
    assert fleet.wait_seconds() <= 1.0


def test_an_abandoned_probe_lets_the_next_one_pass():
    fleet, clock = fleet_of(1)
    fail(fleet, FAILURES_TO_OPEN)
    clock.now += 1.0
    fleet.give_back(fleet.take(), CallOutcome.ABANDONED)
    assert fleet.take() is not None


def test_a_busy_address_is_left_alone_as_long_as_it_asks():
    fleet, clock = fleet_of(2)
    busy = fleet.take()
    fleet.give_back(busy, CallOutcome.BUSY, busy_seconds=3.0)
    assert all(fleet.take() is not busy for _ in range(10))
    clock.now += 3.0
    assert fleet.take() is busy


@given(st.lists(st.tuples(st.sampled_from(list(CallOutcome)), st.floats(0, 40)), max_size=60), st.integers(1, 4))
def test_no_call_is_lost_and_every_rest_ends(events, size):
    fleet, clock = fleet_of(size)
    for outcome, seconds in events:
        address = fleet.take("p")
        if address is not None:
            fleet.give_back(address, outcome)
        clock.now += seconds
    assert all(address.in_flight == 0 for address in fleet.addresses)
    clock.now += LONGEST_OPEN_SECONDS
    assert fleet.take() is not None


def test_no_delay_closes_an_address_for_a_day():
    """Twenty seconds in milliseconds are five hours."""
    for outcome in (CallOutcome.BUSY, CallOutcome.FAILED):
        fleet, clock = fleet_of(1)
        fleet.give_back(fleet.take(), outcome, busy_seconds=20_000.0)
        clock.now += LONGEST_KEPT_PAUSE_SECONDS - 1
        assert fleet.take() is None
        clock.now += 2
        assert fleet.take() is not None
