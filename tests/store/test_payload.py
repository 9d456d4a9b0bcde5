import hashlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from judge_server.core.model import Frozen
from judge_server.store import payload
from judge_server.store.payload import (
    StoredText,
    decode,
    decode_mapping,
    encode,
    escape,
    pack,
    stored_texts,
    unescape,
    unpack,
)
from tests.store.values import judgment, rubric, submission

anything = st.text(st.one_of(st.characters(), st.sampled_from("\0\\\ud800\ufffd")))
objects = st.dictionaries(anything, st.recursive(anything | st.integers() | st.booleans() | st.none(), st.lists))


class Anything(Frozen):
    given: Any = None
    beside: str = ""


@given(objects, anything)
def test_every_text_survives_in_values_and_in_keys(content, text):
    value = Anything(given=content, beside=text)
    written = encode(value)
    assert "\0" not in written
    written.encode("utf-8")
    assert decode(Anything, written) == value


@given(st.dictionaries(anything, anything | st.floats(allow_nan=False, allow_infinity=False)))
def test_every_mapping_survives(content):
    assert decode_mapping(encode(content)) == content


def test_fields_at_their_default_are_left_out():
    written = json.loads(encode(judgment(rubric(1), submission())))
    assert "flags" not in written
    assert "reason" not in written["verdicts"][0]


def test_a_whole_value_keeps_them():
    assert json.loads(encode(rubric(1), whole=True))["criteria"][0]["tags"] == []


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="object"):
        encode(Anything(given=object()))


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


@given(texts)
@example("")
@example("a\ud800" * 100)
def test_every_string_survives_compression(text):
    assert unpack(pack(text)) == text


@given(texts)
def test_every_string_survives_compression_as_prose(text):
    assert unpack(pack(text, prose=True)) == text


def test_dictionaries_of_compression_never_change_because_stored_texts_need_them():
    digests = {kind: hashlib.sha256(one).hexdigest()[:16] for kind, one in payload._DICTIONARIES.items()}
    assert digests == {b"\1": "a15914d26f97df93", b"\5": "1ce9df3e53d57f90"}


def test_sentences_are_shorter_as_prose():
    answer = "You should talk to your doctor if the symptoms get worse or do not improve within a few days."
    assert len(pack(answer, prose=True)) < 0.7 * len(pack(answer))


def test_json_of_a_judgment_gets_shorter_and_foreign_bytes_are_refused():
    written = encode(judgment(rubric(10), submission()))
    assert len(pack(written)) < len(written) / 3
    for foreign in (b"", b"\x02abc", b"\x01abc"):
        with pytest.raises(ValueError, match="compressed text"):
            unpack(foreign)


def test_a_prompt_is_packed_once_for_several_responses_and_read_as_it_was():
    prompts: dict[bytes, StoredText] = {}
    one, other = (stored_texts(submission(prompt="Why?" * 100, response=text), prompts) for text in ("a", "b"))
    assert one["prompt"] is other["prompt"]
    assert unpack(one["prompt"].content) == json.dumps("Why?" * 100)
    assert {name: unpack(text.content) for name, text in other.items()}["response"] == '"b"'
    assert len(prompts) == 1


def test_a_long_prompt_is_not_kept():
    prompts: dict[bytes, StoredText] = {}
    stored_texts(submission(prompt="Why? " * 5_000), prompts)
    assert not prompts
