"""Readings as bytes: what is packed comes back, and what is damaged is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.store.payload import encode, pack, pack_reading, unpack_reading

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
READINGS = st.fixed_dictionaries(
    {"value": NUMBERS, "shares": st.lists(NUMBERS, max_size=12)}, optional={"label_mass": NUMBERS}
)


@given(READINGS)
def test_a_reading_of_numbers_comes_back_to_the_last_bit(content):
    assert unpack_reading(pack_reading(content)) == content


@pytest.mark.parametrize(
    "content",
    [
        {"value": 1, "shares": [1, 0]},
        {"value": 0.5, "shares": [0.5, 0.5], "reason": "So."},
        {"shares": [0.5], "value": 0.5},
        {"value": 0.5, "shares": "0.5"},
        {"value": 0.5, "shares": [0.5, None]},
        {},
    ],
    ids=range(6),
)
def test_any_other_object_comes_back_too(content):
    assert unpack_reading(pack_reading(content)) == content


def test_a_reading_takes_fewer_bytes_than_its_digits_compressed():
    content = {"value": 0.912345678901234, "shares": [0.912345678901234, 0.087654321098766], "label_mass": 0.99123}
    assert len(pack_reading(content)) == 2 + 4 * 8 < len(pack(encode(content)))


@pytest.mark.parametrize("damaged", [b"\2", b"\2\3", b"\2\3abc", b"\2\2" + b"x" * 9, b"\7", b""], ids=range(6))
def test_what_was_never_packed_is_refused(damaged):
    with pytest.raises(ValueError, match="it is no"):
        unpack_reading(damaged)
