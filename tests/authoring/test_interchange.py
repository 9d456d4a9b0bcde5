import json

import pytest

from judge_server.authoring.interchange import FORMATS, rubrics_as_rewards
from judge_server.authoring.interchange.record import records, slug
from judge_server.core.errors import BadInput, BadRubric
from judge_server.core.reward import reward
from judge_server.core.verdict import Verdict
from tests.authoring.build import criterion, rubric

ROW = {
    "prompt_id": "0F3A-11",
    "prompt": [{"role": "user", "content": "Hello"}],
    "rubrics": [
        {"criterion": "Advises calling an ambulance.", "points": 7, "tags": ["level:example", "axis:accuracy"]},
        {"criterion": "Advises calling an ambulance at once.", "points": 3, "tags": []},
        {"criterion": "Recommends aspirin.", "points": -4, "tags": ["axis:accuracy"]},
    ],
    "example_tags": ["theme:emergency"],
}
TREE = {
    "id": "6b1e4b1e-0000-4000-8000-000000000000",
    "requirements": "The paper is reproduced.",
    "weight": 1,
    "sub_tasks": [
        {
            "id": "0c2d4b1e-0000-4000-8000-000000000000",
            "requirements": "The model is trained.",
            "weight": 2,
            "sub_tasks": [
                {
                    "id": "x",
                    "requirements": "The optimiser is Adam.",
                    "weight": 3,
                    "sub_tasks": [],
                    "task_category": "Code Development",
                },
                {
                    "id": "y",
                    "requirements": "The loss falls.",
                    "weight": 1,
                    "sub_tasks": [],
                    "task_category": "Result Analysis",
                },
            ],
        },
        {"id": "z", "requirements": "A table of results is printed.", "weight": 1, "sub_tasks": []},
    ],
}
LIST = [
    {"description": "Essential Criteria: Names the diagnosis.", "title": "Diagnosis", "weight": 5},
    {"description": "Pitfall Criteria: Recommends surgery at once.", "title": "No surgery", "weight": -2},
]


def read(form, record, rubric_id=""):
    return FORMATS[form].read(record, "file.jsonl:3", rubric_id)


def value(imported, **values):
    verdicts = [
        Verdict.model_validate(
            {
                "criterion": name,
                "status": "ok",
                "source": "judge",
                "points": imported.by_id[name].points,
                "met": met,
                "value": met,
            }
        )
        for name, met in values.items()
    ]
    return reward(imported, verdicts).reward


def test_a_healthbench_row_becomes_a_rubric_with_signed_points():
    made = read("healthbench", ROW)
    assert (made.id, made.aggregate.kind, made.aggregate.clip) == ("healthbench/0f3a-11", "points", None)
    assert [leaf.points for leaf in made.leaves] == [7, 3, -4]
    assert made.leaves[0].tags == ("level:example", "axis:accuracy")
    assert len({leaf.id for leaf in made.leaves}) == 3


def test_a_healthbench_row_comes_back_as_it_was():
    made = read("healthbench", ROW)
    assert FORMATS["healthbench"].losses(made) == []
    written = FORMATS["healthbench"].write(made)
    assert written["rubrics"] == ROW["rubrics"]
    assert read("healthbench", written) == made


def test_an_imported_tree_scores_as_the_weighted_mean_of_weighted_means():
    made = read("paperbench", TREE)
    names = [leaf.id for leaf in made.leaves]
    assert value(made, **dict(zip(names, (1.0, 0.0, 1.0), strict=True))) == pytest.approx((2 * 0.75 + 1) / 3)


def test_a_tree_comes_back_with_its_shape_weights_and_categories():
    made = read("paperbench", TREE, "papers/one")
    assert FORMATS["paperbench"].losses(made) == []
    written = FORMATS["paperbench"].write(made)
    assert shape(written) == shape(TREE)
    assert read("paperbench", written, "papers/one") == made


def shape(node):
    return (node["requirements"], node["weight"], node.get("task_category"), [shape(one) for one in node["sub_tasks"]])


def test_a_tree_of_one_leaf_is_a_rubric_of_one_criterion():
    assert len(read("paperbench", {"id": "a", "requirements": "It runs.", "weight": 1, "sub_tasks": []}).leaves) == 1


def test_a_tree_without_bottom_is_refused():
    node = {"requirements": "leaf", "weight": 1}
    for _ in range(70):
        node = {"requirements": "node", "weight": 1, "sub_tasks": [node]}
    with pytest.raises(BadInput, match="levels"):
        read("paperbench", node)


def test_signed_weights_of_a_list_are_kept():
    made = read("rubrics-as-rewards", LIST, "x")
    assert made.aggregate.kind == "points"
    assert [(leaf.points, leaf.statement) for leaf in made.leaves] == [
        (5, "Names the diagnosis."),
        (-2, "Recommends surgery at once."),
    ]
    assert [leaf.tags for leaf in made.leaves] == [("importance:essential",), ("importance:pitfall",)]


def test_categories_stand_for_the_published_weights():
    entries = [
        {"description": f"{verb} the {name} thing.", "category": name}
        for verb, name in (("Names", "Essential"), ("Names", "Important"), ("Names", "Optional"), ("Avoids", "Pitfall"))
    ]
    made = read("rubrics-as-rewards", entries, "x")
    assert made.aggregate.kind == "weighted_mean"
    assert [leaf.points for leaf in made.leaves] == [1.0, 0.7, 0.3, 0.9]


@pytest.mark.parametrize("record", [LIST, {"question": "Why?", "rubric": json.dumps(LIST)}, {"rubrics": LIST}])
def test_a_list_comes_back_with_its_meaning(record):
    made = read("rubrics-as-rewards", record, "x")
    assert FORMATS["rubrics-as-rewards"].losses(made) == []
    again = read("rubrics-as-rewards", FORMATS["rubrics-as-rewards"].write(made), "x")
    assert [(leaf.id, leaf.statement, leaf.points, leaf.tags) for leaf in again.leaves] == [
        (leaf.id, leaf.statement, leaf.points, leaf.tags) for leaf in made.leaves
    ]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("record", [None, 5, "x", [], {}, [5], {"rubrics": []}, {"rubrics": [5]}, {"requirements": 5}])
def test_a_record_of_another_shape_is_refused_with_the_shape_that_is_meant(form, record):
    with pytest.raises(BadInput, match=r"file\.jsonl:3"):
        read(form, record)


def test_content_that_no_rubric_can_have_is_refused_with_its_line():
    row = {"rubrics": [{"criterion": "Names it.", "points": "many", "tags": []}]}
    with pytest.raises(BadRubric, match=r"file\.jsonl:3"):
        read("healthbench", row)


def test_what_a_format_cannot_say_is_listed():
    made = rubric(
        criterion("a", when={"facts.x": 1}, gate={"when": "unmet"}, points=1),
        criterion("b", kind="check", check={"kind": "length", "max": 5}),
        aggregate={"kind": "points", "clip": [0, 1]},
    ).rubric
    lost = FORMATS["healthbench"].losses(made)
    assert [line.split(" (")[0] for line in lost] == ["gate", "when", "checks", "aggregate clip"]


def test_records_are_lines_or_a_whole_file(tmp_path):
    lines, whole, array = tmp_path / "a.jsonl", tmp_path / "b.json", tmp_path / "c.json"
    lines.write_text(f"{json.dumps(ROW)}\n\n{json.dumps(ROW)}\n", encoding="utf-8")
    whole.write_text(json.dumps(TREE, indent=2), encoding="utf-8")
    array.write_text(json.dumps([ROW, ROW]), encoding="utf-8")
    assert [where for where, _ in records(lines)] == [f"{lines}:1", f"{lines}:3"]
    assert [record for _, record in records(whole)] == [TREE]
    assert [record for _, record in records(array)] == [ROW, ROW]


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"a": NaN}', b"[" * 100_000, b""])
def test_a_file_that_is_not_json_is_refused(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="not JSON"):
        list(records(path))


def test_ids_are_made_of_telling_words_and_never_repeat():
    taken: set[str] = set()
    made = [slug("Mentions the risk of a fall", taken) for _ in range(3)]
    assert made == ["mentions_risk_fall", "mentions_risk_fall_2", "mentions_risk_fall_3"]
    assert slug("2 tablets, élan", set()) == "c_2_tablets_elan"
    assert slug("解", set()) == "criterion"


@pytest.mark.parametrize(
    ("text", "entry", "points"),
    [
        ("Recommends surgery at once.", {"weight": -2}, -2),
        ("Fails to mention red flags.", {"weight": -2}, -2),
        ("Should avoid rounding early.", {"category": "Pitfall"}, 0.9),
        ("Avoids jargon.", {"weight": 2, "category": "Pitfall"}, 2),
        ("The response should avoid rounding early.", {"weight": -2}, None),
        ("Does not mention red flags.", {"weight": -2}, None),
        ("Fails to mention red flags.", {"category": "Pitfall"}, -0.9),
        ("Recommends surgery at once.", {"category": "Pitfall"}, None),
        ("Ends without advice.", {"weight": -1}, None),
    ],
)
def test_the_wording_of_a_pitfall_agrees_with_its_sign(text, entry, points):
    rows = [{"description": "States 2.0 s.", "weight": 5}, {"description": f"Pitfall Criteria: {text}", **entry}]
    if points is not None:
        assert rubrics_as_rewards.read(rows, "f:1").leaves[1].points == points
        return
    with pytest.raises(BadInput, match="may be worded as the good or as the bad behaviour") as refused:
        rubrics_as_rewards.read(rows, "f:1")
    assert text[:40] in str(refused.value)
    size = abs(entry.get("weight", 0.9))
    for wording, sign in (("bad", -1), ("good", 1)):
        made = rubrics_as_rewards.read(rows, "f:1", pitfalls=lambda _text, wording=wording: wording)
        assert made.leaves[1].points == sign * size


@pytest.mark.parametrize(("given", "name"), [(0, "0"), ("abc", "abc"), (None, "row-3"), ("", "row-3")])
def test_a_row_is_named_by_its_id_even_if_it_is_zero(given, name):
    row = {"prompt_id": given, "prompt": [], "rubrics": [{"criterion": "Names water.", "points": 5, "tags": None}]}
    assert read("healthbench", row).id == f"healthbench/{name}"
