"""json and its schemas, and tool_call."""

import socketserver
import threading

import pytest

from judge_server.core.errors import BadRubric
from judge_server.judging import checks
from tests.judging.checks.deciding import decided, rubric, value
from tests.yardstick import work_within

PERSON = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0}, "name": {"type": "string", "pattern": "^[A-Z]"}},
    "required": ["age"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("extract", "text", "met"),
    [
        ("whole", ' {"a": [1, 2.5, null]} ', 1),
        ("whole", 'Sure: {"a": 1}', 0),
        ("whole", '{"a": NaN}', 0),
        ("fenced", 'Here:\n```json\n{"a": 1}\n```\nDone.', 1),
        ("fenced", '{"a": 1}', 0),
        ("unfenced", ' {"a": 1}\n', 1),
        ("unfenced", '```json\n{"a": 1}\n```\n', 1),
        ("unfenced", 'Here:\n```json\n{"a": 1}\n```', 0),
        ("unfenced", '```json\n{"a": 1}', 0),
        ("first", 'Sets {x} and {"a": {"b": "}"}} end }', 1),
        ("first", "no braces", 0),
    ],
)
def test_json_is_taken_from_where_it_should_stand(extract, text, met):
    assert value({"kind": "json", "extract": extract}, text) == met


@pytest.mark.parametrize("extract", ["whole", "first"])
def test_json_is_read_to_the_same_depth_by_every_interpreter(extract):
    """An interpreter that parses deeper than others must not turn a text that they cannot read into a value."""
    spec = {"kind": "json", "extract": extract}
    assert value(spec, '{"a":' * 100 + "1" + "}" * 100) == 1
    for levels in (101, 20_000):
        deep = decided(spec, '{"a":' * levels + "1" + "}" * levels)
        assert deep.value is None
        assert "100 levels" in deep.error.detail
        assert decided(spec, '{"a":' * levels).value is None  # nor into a zero, if it is cut off


def test_json_must_fit_the_schema_and_the_reason_says_where_it_does_not():
    spec = {"kind": "json", "schema": PERSON}
    assert value(spec, '{"age": 4, "name": "Ann"}') == 1
    assert decided(spec, '{"age": -4}').reason == (
        "the JSON does not fit the schema: age: -4 is less than the minimum of 0"
    )
    assert value(spec, '{"age": 4, "name": "ann"}') == 0
    assert value(spec, '{"age": 4, "more": 1}') == 0


def test_a_schema_may_be_recursive():
    tree = {"$ref": "#/$defs/node", "$defs": {"node": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}
    assert value({"kind": "json", "schema": tree}, "[[],[[]]]") == 1
    assert value({"kind": "json", "schema": tree}, "[[],[1]]") == 0


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"$ref": "http://example.org/schema"}, "points outside the schema"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "points outside the schema"),
        ({"$ref": "#/$defs/none"}, "names nothing in the schema"),
        ({"type": "strin"}, "is not valid at type"),
        ({"items": {"pattern": "(?=a)b"}}, "no lookahead"),
        ({"patternProperties": {"a": {}}}, "patternProperties is not supported"),
        ({"properties": {"a": {"$id": "http://example.org/"}}}, "$id in a subschema"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "draft 2020-12"),
        ({"enum": ["x" * 60_000]}, "characters, more than"),
    ],
)
def test_a_schema_that_will_not_be_run_is_refused_before_anything_is_judged(schema, said):
    with pytest.raises(BadRubric, match="Criterion 'it', check json") as caught:
        checks.prepare(rubric({"kind": "json", "schema": schema}))
    assert said in str(caught.value)


def test_no_schema_makes_a_connection():
    called = threading.Event()

    class Door(socketserver.BaseRequestHandler):
        def handle(self):
            called.set()

    with socketserver.TCPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/schema.json"
        for schema in ({"$ref": address}, {"$id": address, "$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}}):
            try:
                value({"kind": "json", "schema": schema}, "null")
            except BadRubric:
                continue
        server.shutdown()
    assert not called.is_set()


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"items": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "[" * 60 + "]" * 60),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "1"),
        ({"items": {"anyOf": [{"const": n} for n in range(500)]}}, "[" + "499," * 20_000 + "1]"),
        (None, "[" * 100_000),
        (None, '{"a":' * 20_000),
    ],
)
@pytest.mark.usefixtures("quiet_collector")
def test_work_without_end_is_a_typed_failure_and_not_a_zero(schema, text):
    with work_within(2):
        verdict = decided({"kind": "json", "schema": schema} if schema else {"kind": "json"}, text)
    assert verdict.value is None
    assert verdict.error is not None
    assert verdict.error.type == "check_failed"


@pytest.mark.usefixtures("quiet_collector")
@pytest.mark.parametrize(("text", "met"), [('{"a": "\\ud83d"}', 0.0), ('{"a": "ok \\ud83d"}', 1.0)])
def test_half_a_surrogate_pair_does_not_spare_a_response_its_verdict(text, met):
    schema = {"properties": {"a": {"type": "string", "pattern": "ok"}}}
    assert value({"kind": "json", "schema": schema}, text) == met


def test_a_catastrophic_pattern_in_a_schema_takes_linear_time():
    schema = {"type": "string", "pattern": "^(a+)+$"}
    with work_within(0.5):
        assert value({"kind": "json", "schema": schema}, '"' + "a" * 100_000 + '!"') == 0


@pytest.mark.usefixtures("quiet_collector")
def test_items_are_unique_by_their_json_in_less_than_quadratic_time():
    spec = {"kind": "json", "schema": {"uniqueItems": True}}
    many = ",".join(f'{{"n":{n}}}' for n in range(12_000))
    with work_within(1):
        assert value(spec, f"[{many}]") == 1
    assert value(spec, f'[{many},{{"n":5}}]') == 0
    assert value(spec, "[1, 1.0]") == 0
    assert value(spec, "[1, true]") == 1


def calling(*calls):
    return [
        {
            "role": "assistant",
            "tool_calls": [{"function": {"name": name, "arguments": arguments}} for name, arguments in calls],
        }
    ]


def test_tool_calls_are_counted_by_name():
    spec = {"kind": "tool_call", "name": "search"}
    assert value(spec, calling(("search", "{}"))) == 1
    assert value(spec, calling(("open", "{}"))) == 0
    assert value(spec, "I would call search()") == 0
    assert (
        value({"kind": "tool_call", "any_of": ["search", "open"], "max": 1}, calling(("open", "{}"), ("search", "{}")))
        == 0
    )


def test_arguments_fit_a_schema_or_equal_an_object():
    schema = {"type": "object", "required": ["q"], "properties": {"q": {"type": "string"}}}
    assert value({"kind": "tool_call", "arguments": schema}, calling(("search", '{"q": "x"}'))) == 1
    assert value({"kind": "tool_call", "arguments": schema}, calling(("search", '{"q": 1}'))) == 0
    assert value({"kind": "tool_call", "arguments": schema}, calling(("search", "{not json"))) == 0
    assert value({"kind": "tool_call", "equals": {"n": 1}}, calling(("add", '{"n": 1.0}'))) == 1
    assert value({"kind": "tool_call", "equals": {"n": 1}}, calling(("add", '{"n": true}'))) == 0


def test_a_forbidden_tool_alone_asks_for_no_call():
    spec = {"kind": "tool_call", "forbidden": ["delete"]}
    assert value(spec, "no tools") == 1
    assert decided(spec, calling(("delete", "{}"))).reason == "the forbidden tool “delete” is called"


def test_more_calls_than_can_be_checked_are_a_failure_and_not_a_zero():
    spec = {"kind": "tool_call", "arguments": {"type": "object"}}
    assert decided(spec, calling(*[("search", "{}")] * 300)).value is None
