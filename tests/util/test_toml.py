import pytest

from judge_server.util.toml import MOST_BYTES, parse_toml


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
