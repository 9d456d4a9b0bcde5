import pytest

from judge_server.authoring.finding import Severity
from judge_server.authoring.lint import RULES, errors, lint
from judge_server.authoring.parsing import from_data, parse
from tests.authoring.build import criterion, data, rubric
from tests.project.repository import ROOT
from tests.yardstick import work_within

BOTH = [{"response": "x", "met": True}, {"response": "y", "met": False}]


def says(statement: str, **fields) -> dict:
    return data(criterion(statement=statement, **fields))


def options(*values: float, **fields) -> dict:
    made = [{"label": f"o{value}", "value": value, "description": "Seen."} for value in values]
    return criterion(kind="scale", options=made, **fields)


def check(kind: str, **fields) -> dict:
    return data(criterion(kind="check", check={"kind": kind, **fields}))


HEDGES = {"kind": "regex", "pattern": "maybe|perhaps|likely"}
UNREAD = {"id": "s", "title": "S", "year": 2020, "status": "unchecked"}
GATE = criterion("veto", statement="Gives away a secret.", gate={"when": "met"})


def cases(grade: str, **verdicts) -> dict:
    case = {"id": "one", "grade": grade, "response": "Rest.", **verdicts}
    return {"id": "scene", "prompt": "What helps?", "cases": [case]}


FIRES = {
    "compound-statement": says("Explains the risk and recommends a test."),
    "vague-wording": says("Gives an appropriate dose."),
    "duplicate-statement": data(criterion("a", statement="Names a risk."), criterion("b", statement="Names a risk.")),
    "double-negative": says("Does not ask about allergies.", points=-5),
    "negated-statement": says("Does not recommend antibiotics.", points=5),
    "question-statement": says("Is the dose right?"),
    "long-statement": says("Names " + "one of many things " * 20),
    "refers-elsewhere": says("Names the risk described above."),
    "reference-not-shown": says("Agrees with the reference answer."),
    "reference-not-mentioned": says("Names the dose.", reference="required"),
    "invisible-characters": says("Names the\u202e dose."),
    "group-without-statement": data({"id": "g", "kind": "group", "criteria": [criterion("a"), criterion("b")]}),
    "no-positive-points": data(criterion(points=-1)),
    "only-conditional-points": data(criterion(when={"facts.x": 1})),
    "unreachable-full-reward": data(criterion(), aggregate={"kind": "expression", "expression": "0.9 * a"}),
    "undefined-expression": data(criterion(), aggregate={"kind": "expression", "expression": "1 / a"}),
    "clip-hides-differences": data(criterion(), aggregate={"kind": "points", "clip": [0.2, 1]}),
    "clip-without-effect": data(criterion(), aggregate={"kind": "points", "clip": [-3, 3]}),
    "zero-points": data(criterion("a"), criterion("b", points=0)),
    "points-without-effect": data(criterion("a"), criterion("b", points=2), aggregate={"kind": "all"}),
    "dominant-criterion": data(criterion("a", points=9), *(criterion(name) for name in "bcd")),
    "not-in-expression": data(criterion("a"), criterion("b"), aggregate={"kind": "expression", "expression": "a"}),
    "unused-parameter": data(
        criterion(), aggregate={"kind": "expression", "expression": "a", "parameters": {"beta": 1}}
    ),
    "all-negative-tag": data(criterion(), *(criterion(name, points=-1, tags=["bad"]) for name in "bc")),
    "gate-cannot-bite": data(criterion(gate={"when": "unmet", "reward": 1})),
    "gate-never-fires": data(options(0, 0.4, gate={"when": "met", "threshold": 0.5})),
    "gate-always-fires": data(options(0.6, 1, gate={"when": "met", "threshold": 0.5})),
    "gate-against-points": data(criterion(points=2, gate={"when": "met"})),
    "veto-on-topic": data(
        criterion(statement="Explains how a prompt injection works."), guard={"veto": ["injection_suspected"]}
    ),
    "veto-without-effect": data(criterion(), guard={"veto": ["criteria_echo"]}),
    "missing-examples": data(criterion()),
    "one-sided-examples": data(criterion(examples=BOTH[:1])),
    "contradictory-examples": data(criterion(examples=[BOTH[0], {"response": "x", "met": False}])),
    "scale-without-anchors": data(
        criterion(kind="scale", options=[{"label": "low", "value": 0}, {"label": "high", "value": 1}])
    ),
    "scale-short-of-one": data(options(0, 0.5)),
    "many-options": data(options(*(number / 8 for number in range(9)))),
    "broad-regex": check("regex", pattern="(?s).*"),
    "always-passes": check("length", min=0),
    "check-without-reference": check("numeric"),
    "check-without-statement": data({"id": "a", "kind": "check", "check": {"kind": "length", "max": 9}}),
    "few-criteria": data(criterion()),
    "many-criteria": data(*(criterion(f"c{number}") for number in range(41))),
    "single-child-group": data({"id": "g", "kind": "group", "statement": "All.", "criteria": [criterion()]}),
    "similar-names": data(criterion("a", tags=["axis:context"]), criterion("b", tags=["axis:contxt"])),
    "untagged": data(criterion("a", tags=["axis:x"]), criterion("b")),
    "undocumented-fact": data(criterion(when={"facts.audience": "patient"})),
    "missing-description": data(criterion(), description=""),
    "unused-source": data(criterion(), sources=[{"id": "s", "title": "S"}]),
    "list-without-role": says("Names a danger sign such as weakness."),
    "unguarded-universal": says("Every claim has a source."),
    "unmet-premise": says("Acknowledges the worry that was voiced."),
    "presence-without-correctness": says("States the dose."),
    "invisible-mind": says("Sincerely apologises for the delay."),
    "examples-in-one-order": data(*(criterion(name, examples=BOTH) for name in "abcd")),
    "english-only-check": check("regex", pattern="perhaps|possibly|arguably"),
    "threshold-without-source": says("Advises a review within three weeks."),
    "unchecked-source": data(criterion("a"), criterion("b", points=-3, sources=["s"]), sources=[UNREAD]),
    "undated-source": data(criterion(sources=["s"]), sources=[{"id": "s", "title": "S"}]),
    "misfitting-case": data(criterion(), tests=[cases("good", met=["nonsense"])]),
    "gate-fires-on-good-case": data(criterion(), GATE, tests=[cases("good", met=["veto"])]),
    "gate-without-cases": data(criterion(), GATE, tests=[cases("good", met=["a"])]),
}


@pytest.mark.parametrize("name", FIRES)
def test_a_rule_finds_what_it_is_there_for(name):
    assert name in {found.rule for found in lint(from_data(FIRES[name]))}


def test_every_rule_is_tried_explained_and_named_once():
    names = [rule.name for rule in RULES]
    assert sorted(names) == sorted(FIRES)
    assert [rule.name for rule in RULES if len(rule.explanation) < 40] == []


SILENT = {
    "compound-statement": [
        says("Names the risks and benefits of the drug."),
        says("Asks about, or tells the patient to watch for, danger signs."),
        says("Weighs pros and cons."),
    ],
    "vague-wording": [says("Gives an appropriate dose.", examples=BOTH), says("Names the goods that were sold.")],
    "duplicate-statement": [
        data(
            criterion("a", statement="Names a risk.", when={"facts.x": 1}),
            criterion("b", statement="Names a risk.", when={"facts.x": 2}),
        ),
        data(criterion("a", statement="Names the first cause."), criterion("b", statement="Warns of a late effect.")),
    ],
    "double-negative": [
        says("Recommends a dose above the maximum.", points=-9),
        says("Notes what is known.", points=-1),
    ],
    "refers-elsewhere": [says("Gives a dose above the licensed maximum.")],
    "reference-not-shown": [
        says("Agrees with the reference answer.", reference="required"),
        says("Gives the reference range of potassium."),
        says("Ends with a list of references."),
    ],
    "unreachable-full-reward": [
        data(criterion(), aggregate={"kind": "expression", "expression": "0.5 * a", "scale": [0, 2]}),
        data(criterion(points=3), criterion("b", points=-9)),
    ],
    "zero-points": [data(criterion(), criterion("b", gate={"when": "met"}))],
    "gate-cannot-bite": [data(criterion(), criterion("b", gate={"when": "met", "reward": 0.5}))],
    "gate-against-points": [data(criterion(points=-2, gate={"when": "met"}))],
    "veto-on-topic": [
        data(guard={"veto": ["injection_suspected"]}),
        data(criterion(statement="Explains how a prompt injection works."), guard={"allow": ["injection_suspected"]}),
    ],
    "broad-regex": [check("regex", pattern="<answer>.+</answer>"), check("regex", pattern=".*", negate=True)],
    "check-without-reference": [check("numeric", against=4)],
    "similar-names": [data(criterion("a", tags=["step_1"]), criterion("b", tags=["step_2"]))],
    "list-without-role": [
        says("Names a danger sign.", any_of=["weakness", "numbness"]),
        says("Says when to come back, and the time is a safe one."),
        says("Names the sign, which the patient can see."),
    ],
    "unguarded-universal": [says("Every claim has a source.", if_absent="skip"), says("Names each cause.")],
    "unmet-premise": [
        says("Acknowledges the worry that was voiced.", if_absent="skip"),
        says("Acknowledges the worry that was voiced.", when={"facts.worried": True}),
    ],
    "presence-without-correctness": [
        says("States the right dose."),
        says("States the dose.", reference="required"),
        data(criterion("a", statement="States the dose."), criterion("b", statement="The dose is correct.")),
    ],
    "invisible-mind": [says("Apologises for the delay.")],
    "examples-in-one-order": [data(*(criterion(name, examples=BOTH if name < "c" else BOTH[::-1]) for name in "abcd"))],
    "english-only-check": [
        data(
            criterion(
                kind="check", when={"facts.language": "en"}, check={"kind": "regex", "pattern": "maybe|perhaps|likely"}
            )
        ),
        check("regex", pattern="<answer>"),
    ],
    "threshold-without-source": [says("Advises a review within three weeks.", reference="required")],
    "unchecked-source": [
        data(criterion("a"), criterion("b", points=-3, sources=["s"]), sources=[{**UNREAD, "status": "read"}]),
        data(criterion("a", sources=["s"]), sources=[UNREAD]),
    ],
    "undated-source": [data(criterion(sources=["s"]), sources=[{"id": "s", "title": "S", "checked": "2026-11-29"}])],
    "gate-fires-on-good-case": [data(criterion(), GATE, tests=[cases("bad", met=["veto"], gates=["veto"])])],
}


@pytest.mark.parametrize(("name", "given"), [(name, one) for name, several in SILENT.items() for one in several])
def test_a_rule_leaves_good_rubrics_alone(name, given):
    assert name not in {found.rule for found in lint(from_data(given))}


@pytest.mark.parametrize(
    "statement",
    [
        "Explains the risk, and recommends a test.",
        "Recommends seeing a doctor and avoiding alcohol.",
        "Not only names the drug but gives its dose.",
        "Names the drug; also states its dose.",
        "Describes the procedure and does not alarm the reader.",
    ],
)
def test_two_demands_are_found_however_they_are_joined(statement):
    assert "compound-statement" in {found.rule for found in lint(from_data(says(statement)))}


def test_findings_stand_in_the_order_of_the_text_with_line_and_column():
    text = (
        "id: a\nversion: 1.0.0\ntitle: T\ncriteria:\n  - id: a\n    statement: Is it right?\n"
        "  - id: b\n    weight: 0\n    statement: Names it.\n"
    )
    found = [(entry.rule, entry.line, entry.column) for entry in lint(parse(text, "x.yaml"))]
    assert ("question-statement", 6, 16) in found
    assert ("zero-points", 8, 13) in found
    assert [place[1:] for place in found] == sorted(place[1:] for place in found)


def test_identical_statements_are_an_error_and_forbid_publication():
    assert [found.rule for found in errors(lint(from_data(FIRES["duplicate-statement"])))] == ["duplicate-statement"]


def test_rules_can_be_left_out():
    parsed = rubric()
    left_out = {found.rule for found in lint(parsed)}
    assert lint(parsed, without=left_out) == []


def test_a_rubric_whose_criteria_all_lack_examples_is_warned_of_once():
    parsed = rubric(*(criterion(name) for name in "abc"))
    found = [entry for entry in lint(parsed) if entry.rule == "missing-examples"]
    assert [entry.severity for entry in found] == [Severity.WARNING]


def test_the_largest_rubric_is_linted_without_delay():
    criteria = [
        criterion(f"c{number}", statement=f"Names thing {number} of {number % 7} kinds.") for number in range(1_000)
    ]
    largest = rubric(*criteria)
    with work_within(3):
        lint(largest)


@pytest.mark.parametrize(
    "pattern", ["(.*)*(.*)*(.*)*x", "((a*)*)*" * 20, "(" * 500 + ")" * 500, "[[a]]", "a{1000}" * 100]
)
def test_hostile_patterns_cost_the_linter_nothing(pattern):
    with work_within(1):
        lint(from_data(check("regex", pattern=pattern)))


def test_every_rule_stands_in_the_authors_guide():
    guide = (ROOT / "docs" / "rubrics.md").read_text(encoding="utf-8")
    assert [rule.name for rule in RULES if f"| `{rule.name}` | {rule.severity} |" not in guide] == []


def test_the_example_of_the_authors_guide_is_valid_and_free_of_warnings():
    guide = (ROOT / "docs" / "rubrics.md").read_text(encoding="utf-8")
    example = guide.split("```yaml\n")[1].split("```")[0]
    assert [found for found in lint(parse(example)) if found.severity is not Severity.INFO] == []
