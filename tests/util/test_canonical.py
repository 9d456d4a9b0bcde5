import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_server.util.canonical import as_json, canonical_json, digest

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=15,
)


def test_the_form_is_a_contract():
    assert canonical_json({"b": [1, 2.0, None], "a": {"é": True}}) == '{"a":{"é":true},"b":[1,2.0,null]}'
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def reversed_keys(value):
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(inner) for inner in value] if isinstance(value, list) else value


@settings(max_examples=100)
@given(JSON)
def test_the_order_of_keys_does_not_change_the_digest_and_json_keeps_it(value):
    assert digest(reversed_keys(value)) == digest(value) == digest(json.loads(canonical_json(value)))


@settings(max_examples=100)
@given(JSON, JSON)
def test_different_contents_have_different_digests(first, second):
    assert (digest(first) == digest(second)) == (canonical_json(first) == canonical_json(second))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_has_no_canonical_form(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": number})


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [math.nan]}, "a number is not finite"),
        ({"a": {1: 2}}, "the key 1 is not a text"),
        ({"a": {1, 2}}, "not set"),
        ({"a": b"bytes"}, "not bytes"),
        ([2**64], "wider than 64 bits"),
        ([-(2**63) - 1], "wider than 64 bits"),
        (["\ud800"], "not valid Unicode"),
        ({"\ud800": 1}, "not valid Unicode"),
        (nested(5_000), "nested deeper than 60 levels"),
    ],
)
def test_what_json_cannot_hold_everywhere_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        as_json(value)


@settings(max_examples=100)
@given(JSON)
def test_what_json_holds_is_left_as_it_is(value):
    assert as_json(value) is value
