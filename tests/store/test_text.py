from hypothesis import example, given
from hypothesis import strategies as st

from judge_server.store.text import escape, unescape

texts = st.text(st.one_of(st.characters(), st.sampled_from("\0\\u0d8\ud800\udfff")))


@given(texts)
@example("\\\0\\\\u0000\ud800")
def test_every_string_survives_a_column(text):
    escaped = escape(text)
    assert "\0" not in escaped
    assert escaped.encode("utf-8").decode("utf-8") == escaped
    assert unescape(escaped) == text


@given(texts, texts)
def test_two_strings_are_equal_in_a_column_only_when_they_are_equal(one, other):
    assert (escape(one) == escape(other)) == (one == other)


@given(st.text(st.characters(exclude_characters="\\\0", exclude_categories=["Cs"])))
def test_ordinary_text_stands_as_it_is(text):
    assert escape(text) == text
