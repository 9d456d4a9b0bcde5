"""The form of a rubric's text: the same content, changed where the form says so and nowhere else."""

import pytest

from judge_server.authoring.draft_form import changed, draft_form
from judge_server.authoring.library import rubrics_directory
from judge_server.authoring.parsing import parse
from judge_server.core.errors import BadInput, BadRubric

FIELDS = ("kind", "points", "id", "statement", "guidance", "gate_when", "gate_reward")
FILES = sorted(path for path in rubrics_directory().glob("*/*.yaml") if "criteria:" in path.read_text("utf-8"))
TEXT = """\
id: a/b
version: 1.0.0
title: A
criteria:
  - {id: x, statement: Is x., points: 1}
  - id: g
    kind: group
    criteria:
      - {id: y, statement: Is y., points: 2, gate: {when: met, reward: 0.2, threshold: 0.9}}
      - {id: z, kind: scale, statement: How z?, points: 3, options: [{label: low, value: 0}, {label: high, value: 1}]}
"""


def answers(text):
    """What a browser sends if nothing was changed."""
    form = draft_form(text)
    found = dict(form.head)
    for row in form.rows:
        names = ["id", "statement", "points"]
        if row.known:
            names += [*FIELDS, *(["options"] if row.kind != "binary" else [])]
        found |= {f"c{row.where}.{name}": getattr(row, name) for name in names}
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_form_that_is_sent_unchanged_changes_nothing(file):
    text = file.read_text("utf-8")
    assert changed(text, answers(text), "form") == text
    other = changed(text, answers(text) | {"title": "Another title"}, "form")
    back = changed(other, {"title": parse(text).rubric.title}, "form")
    assert parse(other).rubric.title == "Another title"
    assert parse(back).rubric.digest == parse(text).rubric.digest


def rubric(act="form", **fields):
    return parse(changed(TEXT, {name.replace("__", "."): value for name, value in fields.items()}, act)).rubric


def test_fields_of_criteria_in_groups_are_reached_by_their_places():
    found = rubric(**{"c1-0__points": "4", "c1-0__statement": "Is not y."})
    assert [leaf.points for leaf in found.leaves] == [1, 4, 3]
    assert found.leaves[1].statement == "Is not y."
    assert found.leaves[1].gate.threshold == 0.9  # the form does not show it


def test_gates_come_and_go():
    assert rubric(c0__gate_when="met").leaves[0].gate.reward == 0
    assert rubric(c0__gate_when="unmet", c0__gate_reward="0.3").leaves[0].gate.reward == 0.3
    assert rubric(**{"c1-0__gate_when": ""}).leaves[1].gate is None


def test_options_are_lines():
    found = rubric(**{"c1-1__options": "low | 0\nmiddle | 0.5 | Neither.\nhigh | 1\n"}).leaves[2]
    assert [(one.label, one.value, one.description) for one in found.options][1] == ("middle", 0.5, "Neither.")


def test_a_criterion_gets_another_kind():
    assert rubric(c0__kind="scale").leaves[0].kind == "scale"
    assert rubric(**{"c1-1__kind": "binary"}).leaves[2].kind == "binary"


@pytest.mark.parametrize(
    ("act", "ids"),
    [
        ("down:0", ["y", "z", "x"]),
        ("up:0", ["x", "y", "z"]),
        ("up:1-1", ["x", "z", "y"]),
        ("copy:1-0", ["x", "y", "y_copy", "z"]),
        ("copy:1", ["x", "y", "z", "y_copy", "z_copy"]),
        ("delete:0", ["y", "z"]),
    ],
)
def test_criteria_move_within_their_group(act, ids):
    assert [leaf.id for leaf in rubric(act).leaves] == ids


def test_what_is_no_number_stays_for_the_remarks_to_name():
    with pytest.raises(BadRubric, match="points"):
        rubric(c0__points="2,5")


@pytest.mark.parametrize("act", ["explode", "up:7", "up:1-9", "up:x", "delete:", "copy:0-0", "up:-1", "down:٣"])
def test_an_act_that_cannot_be_done_is_refused(act):
    with pytest.raises(BadInput):
        changed(TEXT, {}, act)


@pytest.mark.parametrize("text", ["", "- a\n", "a: [", "a: 1\na: 2\n", "x" * 2_000_000])
def test_what_is_no_mapping_has_no_form(text):
    with pytest.raises(BadRubric):
        draft_form(text)


def test_odd_content_is_shown_and_kept():
    text = "id: 3\ncriteria: [7, {id: [a], options: {a: 1}, gate: x, points: {}}, {criteria: no, examples: 1}]\n"
    assert len(draft_form(text).rows) == 2
    assert "criteria" in changed(text, {"title": "T"}, "form")
