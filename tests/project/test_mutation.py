"""Which faults mutation testing makes. Whether its list of faults that change nothing is true, ``make mutate`` says."""

import pytest

from benchmarks.mutation.__main__ import TARGETS, source_of
from benchmarks.mutation.fault import faults
from benchmarks.mutation.outcomes import EQUIVALENT, Outcomes, equivalents
from tests.project.repository import ROOT

SOURCE = '''
LIMIT = 3


def share(a: int, b: float = 0.5) -> float:
    """At least 0."""
    return max(a / b, 0) if a < LIMIT and not b > 1 else -1
'''


def test_each_operator_number_and_choice_of_a_source_is_changed_once():
    whole = "share: return max(a / b, 0) if a < LIMIT and (not b > 1) else -1  →  return "
    assert [fault.name for fault in faults(SOURCE)] == [
        "module: LIMIT = 3  →  LIMIT = 4",
        "share: 0.5  →  1.5",
        f"{whole}max(a / b, 0) if a < LIMIT or not b > 1 else -1",
        f"{whole}min(a / b, 0) if a < LIMIT and (not b > 1) else -1",
        f"{whole}max(a / b, 0) if a < LIMIT and (not b > 1) else +1",
        f"{whole}max(a / b, 0) if a <= LIMIT and (not b > 1) else -1",
        f"{whole}max(a / b, 0) if a < LIMIT and (not not b > 1) else -1",
        f"{whole}max(a * b, 0) if a < LIMIT and (not b > 1) else -1",
        f"{whole}max(a / b, 1) if a < LIMIT and (not b > 1) else -1",
        f"{whole}max(a / b, 0) if a < LIMIT and (not b > 1) else -2",
        f"{whole}max(a / b, 0) if a < LIMIT and (not b >= 1) else -1",
        f"{whole}max(a / b, 0) if a < LIMIT and (not b > 2) else -1",
    ]
    assert [fault.called for fault in faults(SOURCE)] == [False, False, *[True] * 10]


def test_a_changed_tree_computes_something_else():
    found = {}
    for fault in faults(SOURCE):
        names: dict = {}
        exec(compile(fault.tree(SOURCE), "share", "exec"), names)
        found[fault.name] = [names["share"](*given) for given in ((3,), (2,), (2, 1), (2, 2), (-1,))]
    assert found["module: LIMIT = 3  →  LIMIT = 4"] == [6, 4, 2, -1, 0]
    assert found["share: 0.5  →  1.5"] == [-1, -1, 2, -1, -1]
    assert [-1, 4, 2, -1, 0] not in found.values()


@pytest.mark.parametrize("module", TARGETS)
def test_every_fault_has_a_name_of_its_own_and_what_is_listed_as_equivalent_has_a_reason(module):
    _, source = source_of(module)
    names = [fault.name for fault in faults(source)]
    assert len(names) == len(set(names))
    assert all(len(reason) > 20 for reason in equivalents(module).values())


def test_the_list_of_equivalents_names_mutated_modules_only():
    import tomllib

    rows = tomllib.loads(EQUIVALENT.read_text("utf-8")).get("equivalent", [])
    assert {row["module"] for row in rows} <= TARGETS.keys()
    assert len({(row["module"], row["fault"]) for row in rows}) == len(rows)


def test_the_tests_of_every_target_exist():
    assert [test for tests in TARGETS.values() for test in tests if not (ROOT / test).exists()] == []


def test_an_outcome_counts_for_the_source_that_was_tried_only(tmp_path):
    (fault, *_) = faults(SOURCE)
    outcomes = Outcomes(tmp_path / "outcomes.jsonl")
    assert outcomes.of("a", SOURCE) == {}
    outcomes.add("a", SOURCE, fault, "survives", ["test"])
    outcomes.add("a", SOURCE, fault, "found")
    assert outcomes.of("a", SOURCE) == {fault.name: ("found", [])}
    assert outcomes.of("a", SOURCE + "\n") == outcomes.of("b", SOURCE) == {}
