import pytest
from pydantic import TypeAdapter, ValidationError

from judge_server.core.criterion import Binary, CheckCriterion, Criterion, Gate, Group, Scale, leaves, nodes

CRITERION = TypeAdapter(Criterion)
BASE = {"id": "named", "statement": "Names the drug."}
OPTIONS = [{"label": "poor", "value": 0}, {"label": "fair", "value": 0.5}, {"label": "good", "value": 1}]
SCALE = BASE | {"kind": "scale", "options": OPTIONS}
CHECK = {"id": "named", "kind": "check", "check": {"kind": "regex", "pattern": "a"}}
GROUP = {"id": "node", "kind": "group", "criteria": [BASE]}


def made(**given):
    return CRITERION.validate_python(BASE | given)


@pytest.mark.parametrize(("given", "kind"), [(BASE, Binary), (SCALE, Scale), (CHECK, CheckCriterion), (GROUP, Group)])
def test_the_kind_decides_and_binary_is_the_default(given, kind):
    assert type(CRITERION.validate_python(given)) is kind


@pytest.mark.parametrize("kind", ["boolean", "", "Binary"])
def test_an_unknown_kind_is_answered_with_the_known_ones(kind):
    with pytest.raises(ValidationError, match="'binary', 'scale', 'nominal', 'check', 'group'"):
        made(kind=kind)


@pytest.mark.parametrize("kind", [None, 5, ["binary"]])
def test_a_kind_that_is_no_text_is_refused(kind):
    with pytest.raises(ValidationError):
        made(kind=kind)


@pytest.mark.parametrize("kind", ["binary", "scale", "check"])
def test_a_field_of_another_kind_is_refused(kind):
    with pytest.raises(ValidationError, match="Extra inputs"):
        made(kind=kind, criteria=[BASE], options=OPTIONS, check=CHECK["check"])


def test_weight_is_another_name_for_points():
    assert made(weight=0.7).points == 0.7
    assert made().points == 1.0
    with pytest.raises(ValidationError, match="points or weight, not both"):
        made(weight=1, points=1)


def test_a_pure_gate_is_worth_no_points_unless_it_says_so():
    assert made(gate={"reward": 0}).points == 0.0
    assert made(gate={"reward": 0}, points=3).points == 3.0
    assert made(gate={"reward": 0}, weight=1).points == 1.0
    assert made(gate=None).points == 1.0


@pytest.mark.parametrize("points", ["5", True, None, float("nan"), float("inf"), 1e10, -1e10, 10**400, 1e-12, [1]])
def test_points_are_a_number_of_sensible_size(points):
    with pytest.raises(ValidationError):
        made(points=points)


@pytest.mark.parametrize("points", [0, 5, -5, 0.25, 1e9, -1e9, 1e-9])
def test_whole_and_broken_points_of_either_sign_are_fine(points):
    assert made(points=points).points == points


@pytest.mark.parametrize("name", ["", "Red", "1st", "red-flags", "red flags", "rød", "red\n", "a" * 101])
def test_an_id_is_lower_case_letters_digits_and_underscores(name):
    with pytest.raises(ValidationError):
        made(id=name)


@pytest.mark.parametrize("statement", ["", "ab", "     ", "a" * 4_001, 5])
def test_a_statement_says_something(statement):
    with pytest.raises(ValidationError):
        made(statement=statement)


def test_a_check_needs_no_statement():
    assert CRITERION.validate_python(CHECK).statement == ""


@pytest.mark.parametrize(("tags", "problem"), [(["a", "a"], "given twice: a"), ([""], "at least 1"), ("a", "tuple")])
def test_tags_are_different_texts(tags, problem):
    with pytest.raises(ValidationError, match=problem):
        made(tags=tags)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (OPTIONS[:1], "at least 2"),
        (OPTIONS[::-1], "rise strictly from worst to best"),
        ([OPTIONS[0], OPTIONS[0] | {"label": "other"}], "rise strictly"),
        ([OPTIONS[0], OPTIONS[1] | {"label": "Poor"}], "same label"),
        ([OPTIONS[0], OPTIONS[1] | {"label": "poor "}], "same label"),
        ([OPTIONS[0], OPTIONS[2] | {"value": 1.5}], "less than or equal to 1"),
        ([OPTIONS[0], OPTIONS[2] | {"value": "1"}], "valid number"),
        ([OPTIONS[0], OPTIONS[2] | {"label": " "}], "pattern"),
        ([{"label": str(place), "value": place / 20} for place in range(21)], "at most 20"),
    ],
)
def test_options_run_from_worst_to_best_under_different_labels(options, problem):
    with pytest.raises(ValidationError, match=problem):
        CRITERION.validate_python(SCALE | {"options": options})


def test_an_example_names_an_option_that_exists():
    with pytest.raises(ValidationError, match="option 'superb'; known: fair, good, poor"):
        CRITERION.validate_python(SCALE | {"examples": [{"response": "x", "option": "superb"}]})
    assert CRITERION.validate_python(SCALE | {"examples": [{"response": "x", "option": "good"}]})


@pytest.mark.parametrize("met", ["yes", 1, None])
def test_an_example_is_met_or_not(met):
    with pytest.raises(ValidationError):
        made(examples=[{"response": "x", "met": met}])


@pytest.mark.parametrize(
    ("when", "threshold", "value", "fires"),
    [
        ("met", 0.5, 0.5, True),
        ("met", 0.5, 0.49, False),
        ("unmet", 0.5, 0.5, False),
        ("unmet", 0.5, 0.49, True),
        ("met", 1.0, 1.0, True),
        ("unmet", 1.0, 1.0, False),
        ("unmet", 1.0, 0.99, True),
    ],
)
def test_a_gate_fires_at_its_threshold(when, threshold, value, fires):
    assert Gate(when=when, threshold=threshold).fires(value) is fires


@pytest.mark.parametrize(
    "gate", [{"threshold": 0}, {"threshold": 1.1}, {"reward": "0"}, {"when": True}, {"reward": None}]
)
def test_a_gate_that_cannot_work_is_refused(gate):
    with pytest.raises(ValidationError):
        made(gate=gate)


def test_a_criterion_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        made().points = 5


def test_a_group_holds_something():
    with pytest.raises(ValidationError, match="at least 1"):
        CRITERION.validate_python(GROUP | {"criteria": []})


@pytest.mark.parametrize(
    "given",
    [
        BASE,
        SCALE,
        CHECK,
        GROUP,
        BASE | {"gate": {}},
        BASE | {"gate": {}, "points": 1},
        BASE | {"when": {"facts.a": None}},
    ],
)
def test_a_criterion_survives_its_own_json(given):
    first = CRITERION.validate_python(given)
    assert CRITERION.validate_json(first.model_dump_json()) == first
    assert CRITERION.validate_json(first.model_dump_json(exclude_defaults=True)) == first


def test_the_question_is_the_same_whatever_the_weight_and_the_conditions():
    question = made().question_digest
    assert made(id="other", points=-3, tags=["t"], when={"facts.a": 1}, gate={}).question_digest == question
    changed = [
        made(statement="Names another drug."),
        made(scope="reasoning"),
        made(reference="required"),
        made(examples=[{"response": "x", "met": True}]),
        CRITERION.validate_python(SCALE),
    ]
    assert len({question, *(criterion.question_digest for criterion in changed)}) == len(changed) + 1


def test_leaves_and_nodes_come_in_the_order_in_which_they_were_written():
    inner = {"id": "inner", "kind": "group", "criteria": [BASE | {"id": "c"}]}
    criteria = tuple(
        CRITERION.validate_python(given)
        for given in (BASE | {"id": "a"}, GROUP | {"criteria": [BASE | {"id": "b"}, inner]}, BASE | {"id": "d"})
    )
    assert [leaf.id for leaf in leaves(criteria)] == ["a", "b", "c", "d"]
    assert [node.id for node in nodes(criteria)] == ["a", "node", "b", "inner", "c", "d"]
