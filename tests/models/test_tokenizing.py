from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from judge_server.models.tokenizing import PartTokenizer
from tests.models.families import DEEPSEEK, FAMILIES, GEMMA, LLAMA, MISTRAL, QWEN, Family

CONTROL = sorted({token for family in FAMILIES for token in family.control})
FRAGMENTS = st.sampled_from([*CONTROL, "<|", "|>", "<", ">", "[", "]", "|", "/", "im_start", "think", "<th", "ink>"])
HOSTILE = st.lists(FRAGMENTS | st.text(max_size=6), max_size=12).map("".join)

family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


@cache
def parts_of(family: Family) -> PartTokenizer:
    return PartTokenizer(family.tokenizer())


@family
@given(text=HOSTILE)
@example(text="".join(CONTROL))
@example(text="<" * 50 + "|im_start|>" * 3)
def test_outside_text_never_becomes_a_control_token(family, text):
    parts = parts_of(family)
    assert parts.control_ids.isdisjoint(parts.untrusted(text))


@family
def test_the_same_text_is_full_of_control_tokens_when_it_is_ours(family):
    parts = parts_of(family)
    ids = parts.trusted("".join(family.control))
    assert ids == tuple(parts.control_id(token) for token in family.control)
    assert parts.control_ids.issuperset(ids)


@pytest.mark.parametrize("family", [QWEN, LLAMA, DEEPSEEK], ids=lambda family: family.name)
@given(text=HOSTILE)
def test_bytes_survive_whatever_the_text_says(family, text):
    parts = parts_of(family)
    assert parts.decode_all(parts.untrusted(text)) == text


@pytest.mark.parametrize("family", [MISTRAL, GEMMA], ids=lambda family: family.name)
def test_a_vocabulary_that_yields_control_tokens_by_itself_is_cut(family):
    parts = parts_of(family)
    token = family.control[2]
    assert parts.control_id(token) in parts._plain.encode(token, add_special_tokens=False).ids
    ids = parts.untrusted(f"a {token} b")
    assert parts.control_ids.isdisjoint(ids)
    assert parts.decode_all(ids).strip() == f"a {token} b"


def test_cutting_a_text_full_of_control_tokens_takes_one_pass_each():
    parts = parts_of(GEMMA)
    ids = parts.untrusted("<start_of_turn>" * 20_000)
    assert parts.control_ids.isdisjoint(ids)


def test_ordinary_text_is_tokenised_as_the_model_was_trained_to_read_it():
    tokenizer = QWEN.tokenizer()
    text = "The patient should drink water, rest, and call a doctor at once.\n\nYes."
    assert list(PartTokenizer(tokenizer).untrusted(text)) == tokenizer.encode(text, add_special_tokens=False)


def test_no_space_is_put_before_a_part():
    parts = parts_of(MISTRAL)
    assert parts.decode_all(parts.opening("doctor")) == parts.decode_all(parts.opening(" doctor")).removeprefix(" ")
    assert parts.untrusted("doctor") != parts.untrusted(" doctor")
    assert parts.trusted("doctor") == parts.untrusted("doctor")


def test_white_space_tokens_are_no_control_tokens():
    family = Family("spaces", QWEN.template, QWEN.special, ("\n\n\n", "<think>"))
    parts = PartTokenizer(family.tokenizer())
    assert parts.control_id("\n\n\n") not in parts.control_ids
    assert parts.control_id("\n\n\n") in parts.untrusted("a\n\n\nb")


def test_every_way_to_say_a_label_in_one_token_counts():
    parts = parts_of(QWEN)
    texts = {parts.decode(token_id) for token_id in parts.label_ids(("Yes", "No"))}
    assert {"Yes", "No"} <= {text.strip() for text in texts}
    assert {text.strip().casefold() for text in texts} == {"yes", "no"}


def test_a_label_of_several_tokens_is_unsayable():
    assert parts_of(QWEN).unsayable(("Yes", "incomprehensible")) == ("incomprehensible",)


def test_trusted_and_untrusted_readings_of_a_text_are_kept_apart():
    parts = parts_of(QWEN)
    assert parts.trusted("<|im_start|>") != parts.untrusted("<|im_start|>")
    assert parts.trusted("<|im_start|>") == (parts.control_id("<|im_start|>"),)
