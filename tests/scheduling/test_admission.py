"""Admission: limits of classes, shares of callers, quotas of API keys, and when to come back."""

import asyncio
from contextlib import contextmanager

import pytest

from judge_server.core.caller import ANYONE, Allowance, Caller, current_caller
from judge_server.core.errors import AllowanceSpent, Draining, Overloaded, TooLarge
from judge_server.models.protocol import Priority
from judge_server.scheduling.admission import Admission
from judge_server.scheduling.load import Bound, RetryAfter


def test_a_full_house_says_when_to_come_back():
    admission = Admission(2)
    with admission.enter(), admission.enter():
        with pytest.raises(Overloaded) as refused:
            admission.require_room()
        assert refused.value.status == 429
        assert refused.value.retry_after_seconds == 1.0
    admission.require_room()


def test_what_was_let_in_is_never_thrown_out():
    admission = Admission(2)
    with admission.enter(1_000):
        assert admission.under_way == 1_000
    assert admission.under_way == 0


def test_a_submission_that_fails_makes_room_too():
    admission = Admission(1)
    with pytest.raises(ValueError, match="no"), admission.enter():
        raise ValueError("no")
    admission.require_room()


class Clock:
    """``now`` passes only if a test says so."""

    def __init__(self) -> None:
        self.now = 10_000.0

    def __call__(self) -> float:
        return self.now


def test_the_time_to_come_back_follows_the_pace():
    clock = Clock()
    admission = Admission(1_000, clock=clock)
    for _ in range(20):
        with admission.enter():
            clock.now += 0.005
    pace = 20 / 0.1
    assert admission.retry_after_seconds() == pytest.approx(100 / pace)


async def test_the_time_to_come_back_is_bounded():
    quick, slow = Admission(1), Admission(10**9)
    for admission in (quick, slow):
        with admission.enter(100):
            pass
        await asyncio.sleep(0.01)
    assert quick.retry_after_seconds() == 0.5
    assert slow.retry_after_seconds() == 60.0


def ran(load, pace, until, caller="anyone"):
    """As if a hundred had ended at this pace."""
    load.throughput._since = until - 100 / pace
    load.throughput._ended.extend((until - n / pace, caller) for n in range(99, -1, -1))
    load.throughput._by_caller[caller] += 100


def test_a_pace_of_long_ago_is_forgotten():
    clock = Clock()
    admission = Admission(8_192, clock=clock)
    ran(admission.classes[Priority.INTERACTIVE], 1, clock() - 3_500)
    assert admission.retry_after_seconds() == 1.0


async def test_a_house_that_closes_lets_nobody_in():
    admission = Admission(10)
    assert await admission.drain(0.01) == 0
    with pytest.raises(Draining) as refused:
        admission.require_room()
    assert refused.value.status == 503
    assert refused.value.retry_after_seconds == 5.0


async def test_draining_waits_for_what_is_under_way_and_no_longer():
    admission = Admission(10)

    async def work(seconds: float) -> None:
        with admission.enter():
            await asyncio.sleep(seconds)

    tasks = [asyncio.create_task(work(0.02)), asyncio.create_task(work(60))]
    await asyncio.sleep(0)
    assert await admission.drain(0.05) == 1
    tasks[1].cancel()
    assert await admission.drain(1) == 0
    await asyncio.wait(tasks)


def bounded(**bounds):
    """Two submissions and 100 questions of each class, or what ``bounds`` say."""
    return Admission({one: bounds.get(one.name.lower(), Bound(2, 100)) for one in Priority})


def test_every_class_has_room_of_its_own():
    admission = bounded(batch=Bound(1, 100))
    with admission.admit(1, Priority.BATCH):
        with pytest.raises(Overloaded, match=r"Class batch: 1 submissions .* limit is 1") as refused:
            admission.require_room(1, Priority.BATCH)
        admission.require_room(1, Priority.TRAINING)
    assert refused.value.extensions == {"priority": "batch"}


def test_questions_are_bounded_too_also_those_that_are_only_expected():
    admission = bounded(training=Bound(1_000, 200))
    load = admission.classes[Priority.TRAINING]
    with admission.admit(1, Priority.TRAINING), admission.classes[Priority.TRAINING].asking(150):
        admission.require_room(1, Priority.TRAINING)
        with (
            admission.admit(20, Priority.TRAINING),
            pytest.raises(Overloaded, match="questions are under way or expected, and the limit is 200"),
        ):
            admission.require_room(1, Priority.TRAINING)
    assert (load.under_way, load.asking_now, load.questions) == (0, 0, 0)


def test_what_the_door_let_in_is_counted_once():
    admission = bounded()
    with admission.admit(3):
        assert admission.under_way == 3
        with admission.enter():
            assert admission.under_way == 3
        assert admission.under_way == 2
        with admission.enter(1, Priority.AUDIT):  # of another class: never behind this ticket
            assert admission.under_way == 3
    assert admission.under_way == 0


async def test_the_door_counts_at_once_so_that_two_requests_never_take_the_same_room():
    admission = Admission(2)

    async def request():
        with admission.admit(2):
            await asyncio.sleep(0.01)
            with admission.enter(), admission.enter():
                await asyncio.sleep(0.01)

    answers = await asyncio.gather(*(request() for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(answer, Overloaded) for answer in answers) == 4
    assert admission.under_way == 0


def test_a_class_in_which_nothing_ends_says_to_wait_as_long_as_it_waited():
    clock = Clock()
    load = Admission(2, clock=clock).classes[Priority.BATCH]
    load.add(2, "a")
    clock.now += 12
    assert load.retry_after_seconds() == 12
    clock.now += 1_000
    assert load.retry_after_seconds() == 60.0


def test_the_time_to_come_back_is_by_the_pace_of_the_class():
    clock = Clock()
    admission = Admission({one: Bound(1_000, 10**6) for one in Priority}, clock=clock)
    for priority, pace in ((Priority.TRAINING, 200), (Priority.BATCH, 10)):
        ran(admission.classes[priority], pace, clock())
    assert admission.retry_after_seconds(Priority.TRAINING) == pytest.approx(100 / 200)
    assert admission.retry_after_seconds(Priority.BATCH) == pytest.approx(100 / 10)


@contextmanager
def asked_by(name):
    before = current_caller.set(Caller(name, ANYONE.scopes))
    try:
        yield
    finally:
        current_caller.reset(before)


def test_a_caller_that_fills_the_house_keeps_the_others_out_of_no_more_than_their_share():
    admission = Admission(100)
    with asked_by("flood"), admission.admit(100):
        with pytest.raises(Overloaded):
            admission.require_room()
        with asked_by("modest"), admission.admit(50):
            with pytest.raises(Overloaded):
                admission.require_room()
            with asked_by("third"), admission.admit(34), pytest.raises(Overloaded):
                admission.require_room()


def test_shares_end_at_twice_the_bound():
    admission = Admission(10)
    with asked_by("flood"), admission.admit(20), asked_by("modest"), pytest.raises(Overloaded):
        admission.require_room()


def paced(limit, pace, under_way):
    """As if so many were answered a second, and so many are under way; no time passes."""
    admission = Admission(limit, clock=Clock())
    load = admission.classes[Priority.INTERACTIVE]
    load.add(under_way, "anyone")
    ran(load, pace, Clock()())
    return admission


def test_what_would_be_answered_after_its_deadline_is_not_let_in():
    admission = paced(10_000, pace=10, under_way=200)
    admission.require_room(1, deadline=Clock()() + 30)
    admission.require_room(1)
    with pytest.raises(Overloaded, match=r"would take about 25\.\d s, and the deadline is in 10\.0 s") as refused:
        admission.require_room(1, deadline=Clock()() + 10)
    assert refused.value.retry_after_seconds == pytest.approx(15, rel=0.1)


def test_who_has_little_under_way_waits_for_its_turns_only():
    admission = paced(10_000, pace=10, under_way=200)
    with asked_by("modest"):
        admission.require_room(1, deadline=Clock()() + 1)


def test_a_pace_that_callers_set_says_nothing_of_what_models_can_do():
    busy, clock = False, Clock()
    admission = Admission(10_000, saturated=lambda: busy, clock=clock)
    for _ in range(20):
        with admission.enter():
            clock.now += 0.002
    admission.classes[Priority.INTERACTIVE].add(1_000, "anyone")
    admission.require_room(1_000, deadline=clock() + 0.5)
    busy = True
    for _ in range(20):
        with admission.enter():
            clock.now += 0.002
    with pytest.raises(Overloaded, match="at the current rate"):
        admission.require_room(1_000, deadline=clock() + 0.5)


def test_those_who_are_turned_away_are_told_to_come_one_after_the_other():
    admission = paced(100, pace=10, under_way=100)
    told = []
    for _ in range(1_000):
        with pytest.raises(Overloaded) as refused:
            admission.require_room(1)
        told.append(refused.value.retry_after_seconds)
    assert told[0] == pytest.approx(1.0)
    assert told[100] == pytest.approx(11.0)
    assert told[0] < told[100] < told[300]
    assert 50 < told[-1] <= 60.0


def test_those_who_were_turned_away_long_ago_came_again():
    clock = Clock()
    away = RetryAfter(60.0, clock)
    assert away.seconds_behind(100, 10.0) == 0.0
    assert away.seconds_behind(0, 10.0) == 10.0
    clock.now += 5
    assert away.seconds_behind(0, 10.0) == 5.0
    clock.now += 50
    assert away.seconds_behind(0, 10.0) == 0.0
    assert away.seconds_behind(10**9, 10.0) == 0.0
    assert away.seconds_behind(0, 10.0) == 60.0
    assert away.seconds_behind(5, None) == 0.0


def test_who_stays_and_asks_again_is_not_counted_with_those_who_were_sent_away():
    admission = paced(100, pace=10, under_way=100)
    for _ in range(100):
        with pytest.raises(Overloaded):
            admission.require_room(1, waiting=True)
    with pytest.raises(Overloaded) as refused:
        admission.require_room(1)
    assert refused.value.retry_after_seconds == pytest.approx(1.0)


@pytest.fixture
def limited():
    """The current caller may have three submissions under way."""
    before = current_caller.set(Caller("bounded", frozenset({"score"}), Allowance(submissions_under_way=3)))
    yield
    current_caller.reset(before)


@pytest.mark.usefixtures("limited")
async def test_a_caller_waits_for_its_own_submissions_only():
    admission = Admission(100)
    with admission.enter(2):
        admission.require_room(1)
        with pytest.raises(AllowanceSpent, match="2 submissions under way, and may have 3") as spent:
            admission.require_room(2)
        other = current_caller.set(Caller("other", frozenset({"score"}), Allowance(submissions_under_way=3)))
        admission.require_room(3)
        current_caller.reset(other)
    admission.require_room(3)
    assert spent.value.retry_after_seconds > 0


@pytest.mark.usefixtures("limited")
async def test_a_request_that_can_never_be_let_in_is_not_sent_away_to_wait():
    with pytest.raises(TooLarge) as refused:
        Admission(100).require_room(4)
    assert refused.value.extensions == {"max_items": 3}


async def test_callers_without_a_limit_share_the_servers_alone():
    admission = Admission(10)
    with admission.enter(9):
        admission.require_room(500)
