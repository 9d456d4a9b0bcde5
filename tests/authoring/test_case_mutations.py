"""The cases of every bundled rubric fail if the signs of points or terms, or the gates, are turned round."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from judge_server.authoring.cases import cases_of
from judge_server.authoring.folder import rubric_files
from judge_server.authoring.library import rubrics_directory
from judge_server.authoring.parsing import load
from judge_server.core.rubric import Rubric
from judge_server.scoring.case_run import run_set

FILES = [path for path, _ in rubric_files(rubrics_directory())]
TURNED = {"met": "unmet", "unmet": "met", "+": "-", "-": "+"}
WEIGHTY = 0.1  # of the positive points: a criterion whose own sign the cases must show
Data = dict[str, Any]


def leaves(criteria: list[Data]) -> Iterator[Data]:
    for one in criteria:
        yield from leaves(one["criteria"]) if "criteria" in one else (one,)


def with_leaf(data: Data, name: str, **changes: Any) -> Data:
    made = copy.deepcopy(data)
    next(one for one in leaves(made["criteria"]) if one["id"] == name).update(changes)
    return made


def turned_terms(data: Data) -> Iterator[tuple[str, Data]]:
    """An expression weighs tags by absolute points: its signs alone say what is good."""
    first, *rest = re.split(r"\s([+-])\s", data["aggregate"]["expression"])
    for place in range(-1, len(rest), 2):
        parts = [first, *rest]
        if place < 0:
            parts[0] = f"-({first})"
        else:
            parts[place] = TURNED[rest[place - 1]]
        yield f"the term {place}", {**data, "aggregate": {**data["aggregate"], "expression": " ".join(parts)}}


def turned_points(data: Data) -> Iterator[tuple[str, Data]]:
    whole = sum(max(leaf["points"], 0) for leaf in leaves(data["criteria"]))
    everything = copy.deepcopy(data)
    for leaf in leaves(everything["criteria"]):
        leaf["points"] = -leaf["points"]
    yield "all points", everything
    for leaf in leaves(data["criteria"]):
        if abs(leaf["points"]) >= WEIGHTY * whole:
            yield f"the points of {leaf['id']}", with_leaf(data, leaf["id"], points=-leaf["points"])


def turned_gates(data: Data) -> Iterator[tuple[str, Data]]:
    for leaf in leaves(data["criteria"]):
        gate = leaf.get("gate")
        if gate and gate["when"] in TURNED:
            yield f"the gate {leaf['id']}", with_leaf(data, leaf["id"], gate={**gate, "when": TURNED[gate["when"]]})


def mutants(rubric: Rubric) -> Iterator[tuple[str, Rubric]]:
    """Those that the format refuses, such as negative points of a mean, need no case."""
    data = rubric.model_dump(mode="json", by_alias=True)
    signs = turned_terms if rubric.aggregate.kind == "expression" else turned_points
    for name, made in (*signs(data), *turned_gates(data)):
        try:
            yield name, Rubric.model_validate(made)
        except ValueError:
            continue


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_turned_signs_and_gates_fail_a_case(path):
    parsed = load(path)
    cases = cases_of(parsed)
    tried = list(mutants(parsed.rubric))
    assert len(tried) >= 3
    assert [name for name, rubric in tried if run_set(rubric, cases).passed] == []


def test_each_term_of_an_expression_is_turned_once():
    data = {"aggregate": {"expression": "0.5 * a + 0.3 * b - 2 * c"}}
    turned = [made["aggregate"]["expression"] for _, made in turned_terms(data)]
    assert turned == ["-(0.5 * a) + 0.3 * b - 2 * c", "0.5 * a - 0.3 * b - 2 * c", "0.5 * a + 0.3 * b + 2 * c"]
