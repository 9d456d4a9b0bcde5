"""JSON from outside: read as the standard has it, and bounded before it is read."""

import json
from codecs import BOM_UTF8

import pytest
from hypothesis import given
from hypothesis import strategies as some

from judge_server.util.parsing import (
    MOST_BYTES,
    MOST_LEVELS,
    MOST_VALUES,
    has_key_twice,
    parse_json,
    parse_toml,
    parse_unique_json,
    read_json,
)

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
)


@given(JSON)
def test_every_json_value_is_read_as_it_was_written(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=True).encode()) == value


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":[', "]}]")])
def test_nesting_ends_at_a_hundred_levels(opening, closing):
    depth = MOST_LEVELS // (opening.count("[") + opening.count("{"))
    assert parse_json(opening * depth + "1" + closing * depth) is not None
    for deeper in (depth + 1, depth + 50, 60_000):
        with pytest.raises(ValueError, match="nested too deeply, and 100 levels"):
            parse_json(opening * deeper + "1" + closing * deeper)


def test_brackets_in_texts_and_beside_each_other_are_no_nesting():
    assert parse_json(json.dumps("[" * 10_000)) == "[" * 10_000
    assert len(parse_json("[" + "[[]]," * 5_000 + "[]]")) == 5_001


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":['])
def test_a_text_that_is_cut_off_below_a_hundred_levels_is_too_deep_for_every_interpreter(opening):
    for times in (MOST_LEVELS + 1, 400, 60_000):
        for read in (parse_json, read_json):
            with pytest.raises(ValueError, match="nested too deeply"):
                read(opening * times)


@given(JSON)
def test_what_is_read_without_a_bound_on_its_size_is_what_was_written(value):
    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize("small", ["[]", "{}", "0", '""'])
def test_a_body_cannot_unpack_to_millions_of_values(small):
    with pytest.raises(ValueError, match=f"more than {MOST_VALUES} values"):
        parse_json("[" + ",".join([small] * (MOST_VALUES + 2)) + "]")


@pytest.mark.parametrize(
    "text",
    [",", "[", "{", '\\",', "\\\\,", '\\\\\\",["', "{[,]}"],
    ids=["commas", "brackets", "braces", "quotes", "backslashes", "mixed", "all"],
)
def test_separators_inside_strings_are_no_values(text):
    value = {"items": [{"response": text * MOST_VALUES}, 1]}
    assert parse_json(json.dumps(value)) == value
    with pytest.raises(ValueError, match="more than"):
        parse_json(json.dumps([text * 1_000, *[0] * MOST_VALUES, 0]))


@pytest.mark.parametrize("cut", range(6))
def test_strings_are_told_apart_wherever_a_block_ends(cut):
    value = ["x" * (2**20 - 7 + cut), ",", *[",[" * 40] * 5_000, '"', "\\"]
    assert parse_json(json.dumps(value)) == value


@given(some.text(alphabet='{}[]",:\\01eE.-+ \nnulltrefasI\ud800u'))
def test_what_is_read_and_what_is_refused_is_as_pythons_own_reader_has_it(text):
    try:
        expected = json.loads(text, parse_constant=lambda _: (_ for _ in ()).throw(ValueError("constant")))
    except (ValueError, RecursionError):
        with pytest.raises(ValueError, match=r"JSON|nested|digits"):
            parse_json(text)
    else:
        assert parse_json(text) == expected


@pytest.mark.parametrize("number", ["1e400", "-1e400", "123456789012345678901234567890", "0.1", "5e-324", "1E5", "-0"])
def test_numbers_are_as_pythons_own_reader_has_them(number):
    assert repr(parse_json(number)) == repr(json.loads(number))


def test_digits_in_a_string_are_no_number():
    assert parse_json(json.dumps({"a": "1" * 100_000, "b": 2})) == {"a": "1" * 100_000, "b": 2}


@pytest.mark.parametrize("number", ["9" * 401, "-" + "9" * 5_000, "1" * 100_000])
def test_a_number_has_at_most_400_digits(number):
    with pytest.raises(ValueError, match="digits, and 400 are the most"):
        parse_json(f'{{"step": {number}}}')


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "", "\ufeff1", "1 2", "{'a': 1}", '"\n"'])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match="not JSON"):
        parse_json(text)


def test_other_encodings_are_refused_with_the_place():
    with pytest.raises(ValueError, match="not valid UTF-8 at byte 0"):
        parse_json('{"a": 1}'.encode("utf-16"))


def test_a_table_is_read():
    assert parse_toml(b'a = "\xc3\xa9"\n[b.c]\nd = 1.5\n') == {"a": "é", "b": {"c": {"d": 1.5}}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a = ", "it is not TOML"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"#" * (MOST_BYTES + 1), "larger than 100,000 bytes"),
        (b"a = " + b"[" * 5_000, "nested too deeply"),
        (b"a = " + b"{a=" * 5_000, "nested too deeply"),
        (b"\n\na" + b".a" * 40 + b" = 1", "a key in line 3 has more than 32 parts"),
        (b"[a" + b' . "a"' * 40 + b"]", "a key in line 1 has more than 32 parts"),
        (b"a = " + b"9" * 5_000, "too many digits"),
        (b"a = 9999-99-99", "TOML|does not exist"),
    ],
)
def test_what_cannot_be_read_is_told(content, told):
    with pytest.raises(ValueError, match=told):
        parse_toml(content)


def test_a_text_full_of_points_is_no_key():
    assert parse_toml(b'a = "' + b"x. " * 31 + b'"')


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '[{"b": {"c": 1, "d": 2, "c": null}}]', '{"\\u0061": 1, "a": 1}'])
def test_a_key_twice_in_an_object_is_refused_where_keys_are_unique(text):
    assert parse_json(text) is not None
    with pytest.raises(ValueError, match="twice"):
        parse_unique_json(text)


def test_a_key_in_two_objects_is_no_repetition():
    assert parse_unique_json('[{"a": 1}, {"a": {"a": 2}}]') == [{"a": 1}, {"a": {"a": 2}}]


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        (b"{}", False),
        (b'{"a": {"b": "c:d:e"}, "b": [1, {"b": 2}]}', False),
        (b'{"a": 1, "a": 1}', True),
        (b'[{"x": {"y": [{"a": 1, "b": 2, "a": 3}]}}]', True),
        (b'{"a": "\\u003a", "b": 1}', False),
        (b'{"a": "\\u003a\\u003a", "a": ":"}', True),
        (b'{"a": "::", "\\u0061": "\\u003a"}', True),
        (b'{"n": 123456789012345678901234567890}', False),
        (b'{"n": 123456789012345678901234567890, "n": 1}', True),
        (b'{"n": NaN, "m": -Infinity}', False),
        (b'{"n": NaN, "n": 1}', True),
        (b'\xef\xbb\xbf{"n": "\\u003a"}', False),
    ],
)
def test_a_key_twice_is_found(text, twice):
    value = json.loads(text.removeprefix(BOM_UTF8))
    assert has_key_twice(text, value) is twice
