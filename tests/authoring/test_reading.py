import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from judge_server.authoring import reading
from judge_server.authoring.finding import TextPosition
from judge_server.authoring.reading import MOST_BYTES, MOST_LEVELS, MOST_NODES, read
from judge_server.core.errors import BadRubric
from tests.yardstick import work_within

BOMB = "a: &a [x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n"
HOSTILE = {
    "alias bomb": (BOMB, "anchor"),
    "alias": ("a: *b\n", "alias"),
    "deep list": ("[" * 3_000, "too-deep"),
    "very deep list": ("[" * 500_000, "too-deep"),
    "deep mapping": ("{a: " * 3_000, "too-deep"),
    "deep block": ("- " * 3_000, "too-deep"),
    "huge": ("x" * (MOST_BYTES + 1), "too-large"),
    "huge in bytes": ("é" * (MOST_BYTES // 2 + 1), "too-large"),
    "not UTF-8": (b"a: 1\nb: \xff\n", "encoding"),
    "UTF-16": ("a: 1".encode("utf-16"), "encoding"),
    "byte order mark": ("\ufeffa: 1", "encoding"),
    "control character": ("a: x\x00y", "control-character"),
    "escaped control character": ('a: "x\\0y"', "control-character"),
    "nan": ("a: .nan", "non-finite"),
    "infinity": ("a: -.inf", "non-finite"),
    "too large a number": ("a: 1e999", "non-finite"),
    "endless digits": ("a: " + "9" * 100_000, "non-finite"),
    "JSON NaN": ('{"a": NaN}', "non-finite"),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "duplicate-key"),
    "tag": ("a: !!python/object/apply:os.system [id]", "tag"),
    "own tag": ("a: !x y", "tag"),
    "tag directive": ("%TAG !e! tag:example.org,2000:\n---\na: 1", "tag"),
    "two documents": ("a: 1\n---\nb: 2\n", "several-documents"),
    "key that is a list": ("? [a]\n: b", "key"),
    "empty": ("", "empty"),
    "only a comment": ("# nothing\n", "empty"),
    "open bracket": ("a: [1,\nb: 2", "syntax"),
    "tab": ("a:\n\tb: 1", "syntax"),
    "colon in text": ("a: b: c", "syntax"),
}


@pytest.mark.parametrize(("text", "rule"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.usefixtures("quiet_collector")
def test_hostile_text_is_refused_at_once_with_its_reason(text, rule):
    with work_within(1):
        assert rule in rules_of(text)


def rules_of(text: str | bytes) -> list[str]:
    try:
        return [found.rule for found in read(text).findings]
    except BadRubric as fault:
        return [found["rule"] for found in fault.extensions["findings"]]


def test_more_values_than_a_rubric_needs_are_refused():
    assert rules_of("- a\n" * (MOST_NODES + 1)) == ["too-large"]


def test_nesting_up_to_the_limit_is_read():
    text = "[" * MOST_LEVELS + "]" * MOST_LEVELS
    assert json.dumps(read(text).value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("2024-01-31", "2024-01-31"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("1.0.0", "1.0.0"),
        ("012", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5e3", 1500.0),
        ("-2", -2),
        (".5", 0.5),
        ("true", True),
        ("~", None),
        ("null", None),
        ("'7'", "7"),
        ("nan", "nan"),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(text, value):
    found = read(f"key: {text}").value["key"]
    assert (found, type(found)) == (value, type(value))


def test_keys_are_always_text():
    assert read("on: 1\n7: 2\ntrue: 3\n").value == {"on": 1, "7": 2, "true": 3}


def test_both_places_of_a_duplicate_key_are_told():
    (found,) = read("a: 1\nb:\n  c: 2\n  c: 3\n", "x.yaml").findings
    assert str(found).startswith(
        "x.yaml:4:3: error duplicate-key: the key 'c' appears a second time; the first is at 3:3"
    )
    assert found.path == "b.c"


def test_every_value_and_key_has_its_place():
    places = read("a: 1\nlist:\n  - x\n  - {b: 2}\n").places
    assert places.of_value(("list", 1, "b")) == TextPosition(4, 9)
    assert places.of_key(("list", 1, "b")) == TextPosition(4, 6)
    assert places.of_key(("list",)) == TextPosition(2, 1)
    assert places.of_value(("list", 1, "absent")) == TextPosition(4, 5)


def test_columns_count_characters_not_bytes():
    assert read("{é: ü, b: 1}").places.of_key(("b",)) == TextPosition(1, 8)


def test_json_with_tabs_and_escaped_pairs_is_read():
    assert read('{\n\t"a":\t"\\ud83d\\ude00",\n\t"b": "\\\\ud83d"\n}').value == {"a": "😀", "b": "\\ud83d"}


def test_a_lone_surrogate_is_refused():
    assert rules_of('{"a": "\\ud83d"}') == ["syntax"]


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    rules_of(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content):
    rules_of(content)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("C",)), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=("C",)), max_size=20), inner, max_size=4)
    ),
    max_leaves=20,
).filter(lambda value: isinstance(value, list | dict))


@given(JSON, st.booleans())
def test_json_is_read_as_json(value, ascii_only):
    assert read(json.dumps(value, ensure_ascii=ascii_only)).value == value


@pytest.mark.parametrize(("before", "place"), [("", "1:65"), ("a: ", "1:68"), ("a: 1\nb: ", "2:68")])
def test_a_parser_that_looks_ahead_and_refuses_brackets_first_is_told_as_our_own_bound(before, place):
    text = before + "[" * 20_000
    mark = yaml.Mark("", len(before) + 1_000, before.count("\n"), 1_000, None, None)
    fault = yaml.scanner.ScannerError("while increasing flow level", mark, "exceeded maximum nesting depth", mark)
    found = reading._too_deep_before(fault, text)
    assert found is not None
    assert f"{found.line}:{found.column}" == place
    assert reading._too_deep_before(fault, text.replace("[", "x")) is None
