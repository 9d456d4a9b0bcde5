"""A process that has work and does not get the processor."""

import os

import pytest

from judge_server.util.starvation import Starvation, processor_seconds


class _Machine:
    """A clock, and the processor time of a process that has ``share`` of a processor while it works."""

    def __init__(self) -> None:
        self.now = 100.0
        self.used: float | None = 7.0
        self.starvation = Starvation(lambda: self.used, lambda: self.now)

    def work(self, seconds: float, share: float) -> bool:
        """Whether it starves after a text that took so long."""
        self.starvation.begin()
        for _ in range(10):
            self.now += seconds / 10
            self.used = None if self.used is None else self.used + share * seconds / 10
            self.starvation.look()
        self.starvation.end()
        return self.starvation.found


@pytest.fixture
def machine() -> _Machine:
    return _Machine()


def test_a_process_that_gets_less_than_a_tenth_of_the_processor_starves(machine):
    assert machine.work(5.0, share=0.05)


def test_one_that_shares_the_processor_does_not_however_long_its_work_takes(machine):
    assert not machine.work(60.0, share=0.2)


def test_short_texts_count_together(machine):
    assert not any(machine.work(0.3, share=0.05) for _ in range(3))
    assert machine.work(0.3, share=0.05)


def test_time_without_work_does_not_count(machine):
    for _ in range(100):
        assert not machine.work(0.05, share=1.0)
        machine.now += 100.0


def test_a_process_that_has_no_work_yet_does_not_starve_however_long_it_takes_to_start(machine):
    for _ in range(100):
        machine.now += 1.0
        machine.starvation.look()
    machine.starvation.end()
    assert not machine.starvation.found


def test_what_the_system_does_not_tell_is_no_starvation(machine):
    machine.used = None
    assert not machine.work(60.0, share=0.0)


@pytest.mark.skipif(processor_seconds("self") is None, reason="this system does not tell")
def test_processor_time_is_read_from_the_system():
    before = processor_seconds("self")
    sum(range(3_000_000))
    assert processor_seconds(os.getpid()) > before
    assert processor_seconds(0) is None
