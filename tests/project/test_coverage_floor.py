"""A room that its tests run less than before is a failure, and so is one without a floor."""

from benchmarks.coverage_floor import Room, faults, floors, place_of
from tests.project.repository import ROOT


def test_a_room_at_its_floor_or_above_it_is_no_fault():
    assert list(faults([Room("core", 90.0, 3, passed=True), Room("util", 95.5, 0, passed=True)], _FLOORS)) == []


def test_a_room_that_fell_is_named_with_both_figures():
    assert list(faults([Room("core", 89.9, 3, passed=True)], _FLOORS)) == ["core: 89.9 % is below its floor of 90.0 %"]


def test_failing_tests_and_a_missing_floor_are_faults():
    found = list(faults([Room("core", 99.0, 0, passed=False), Room("new", 99.0, 0, passed=True)], _FLOORS))
    assert found == ["core: its tests fail", "new: it has no floor"]


def test_every_floor_is_of_a_room_with_place_of_its_own():
    for room, floor in floors().items():
        assert (ROOT / "judge_server" / room).is_dir()
        assert place_of(room).exists()
        assert 50 < floor <= 100


_FLOORS = {"core": 90.0, "util": 95.0}
