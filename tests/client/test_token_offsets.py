"""Offsets of sampled tokens against real tokenizers: byte-level BPE, which cuts characters, and byte fallback."""

from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from judge_client.token_offsets import token_offsets, turns_at

END = "<|im_end|>"
TEXT = "First the dose, then the age. Fièvre à 39 °C 🤒🤒 体温 体温 über Ärzte. Step 1: add.\n\nStep 2: so.\n" * 3


@cache
def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, min_frequency=2, initial_alphabet=alphabet, special_tokens=[END], show_progress=False
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


@cache
def byte_fallback() -> Tokenizer:
    """In the manner of SentencePiece: a space is a letter, the first one is dropped, unknown letters are bytes."""
    letters = sorted({*"▁ Fairst hedos,ng.Ste12:p\n"} - {" "})
    vocabulary = {"<unk>": 0} | {f"<0x{byte:02X}>": 1 + byte for byte in range(256)}
    vocabulary |= {letter: len(vocabulary) + place for place, letter in enumerate([*letters, "▁t", "he", "▁the"])}
    merges = [("▁", "t"), ("h", "e"), ("▁t", "he")]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    return tokenizer


def decode(tokenizer):
    return lambda ids: tokenizer.decode(ids, skip_special_tokens=True)


LETTERS = st.sampled_from([*"Fthe dos,.\n1°Cà", "🤒", "👩🏽‍⚕️", "体", "温", "e\u0301", "\ufffd", "\x00", "𝕏", " the"])
TEXTS = st.lists(LETTERS, max_size=30).map("".join) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("\ufffd\ufffd")
@example("🤒")
def test_offsets_are_those_that_the_tokenizer_itself_gives(text):
    tokenizer = byte_level()
    encoded = tokenizer.encode(text)
    assert token_offsets(encoded.ids, decode(tokenizer), text=text) == encoded.offsets


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(1, 399), max_size=40))
def test_whatever_a_policy_samples_every_character_belongs_to_a_token_in_order(ids):
    """Random tokens are seldom valid UTF-8, and seldom what the tokenizer would have made of their text."""
    tokenizer = byte_level()
    ids = [one for one in ids if one < tokenizer.get_vocab_size()]
    whole = tokenizer.decode(ids)
    offsets = token_offsets(ids, decode(tokenizer))
    assert len(offsets) == len(ids)
    assert offsets == sorted(offsets)
    assert {place for start, end in offsets for place in range(start, end)} == set(range(len(whole)))
    assert all(start < end for start, end in offsets)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_offsets_of_tokens_that_are_letters_or_single_bytes(text):
    """What this tokenizer says of bytes is their place in the normalised text, so the places are counted here."""
    tokenizer = byte_fallback()
    ids = tokenizer.encode(text).ids
    whole = tokenizer.decode(ids)
    offsets = token_offsets(ids, decode(tokenizer))
    assert {place for start, end in offsets for place in range(start, end)} == set(range(len(whole)))
    for one, (start, end) in zip(ids, offsets, strict=True):
        said = tokenizer.id_to_token(one).replace("▁", " ")
        if not said.startswith("<0x") and said != "<unk>":
            assert whole[start:end] == (said if start else said.removeprefix(" ")) or whole[start:end] == said


def test_special_tokens_have_an_empty_place():
    tokenizer = byte_level()
    end = tokenizer.token_to_id(END)
    ids = [end, *tokenizer.encode("First 🤒").ids, end, end, *tokenizer.encode(" dose").ids, end]
    for special in ([], [end]):  # those that are not named are found out, too
        offsets = token_offsets(ids, decode(tokenizer), special=special)
        assert [offsets[place] for place, one in enumerate(ids) if one == end] == [(0, 0), (7, 7), (7, 7), (12, 12)]
    shown = token_offsets(ids, lambda some: tokenizer.decode(some, skip_special_tokens=False))
    assert shown[0] == (0, len(END))


def test_added_tokens_that_are_shown_have_their_text():
    tokenizer = Tokenizer.from_str(byte_level().to_str())
    tokenizer.add_tokens([AddedToken("<think>", normalized=False)])
    encoded = tokenizer.encode("<think>Fièvre 🤒")
    assert token_offsets(encoded.ids, decode(tokenizer)) == encoded.offsets


def test_a_completion_cut_within_a_character_is_read_to_its_end():
    tokenizer = byte_level()
    ids = tokenizer.encode("Dose 👩").ids[:-1]
    whole = tokenizer.decode(ids)
    assert whole.endswith("\ufffd")
    assert token_offsets(ids, decode(tokenizer), text=whole)[-1] == (5, 6)


def test_another_text_than_the_judged_one_is_refused_with_its_place():
    tokenizer = byte_level()
    with pytest.raises(ValueError, match="from character 5 on: decode them in the same way"):
        token_offsets(tokenizer.encode("Dose A").ids, decode(tokenizer), text="Dose B")


def test_a_decoder_that_takes_back_what_it_said_is_followed_to_its_end():
    said = {1: "a", 2: "a b", 3: "a-bc"}
    assert token_offsets([7, 7, 7], lambda ids: said.get(len(ids), "")) == [(0, 1), (1, 2), (1, 4)]


def test_long_completions_take_linear_work():
    tokenizer = byte_level()
    ids = tokenizer.encode(TEXT * 60).ids
    asked = 0

    def counting(some):
        nonlocal asked
        asked += len(some)
        return tokenizer.decode(some)

    assert len(token_offsets(ids, counting)) == len(ids)
    assert asked < 20 * len(ids)


def test_turns_end_with_their_marks():
    assert turns_at([1, 9, 2, 2, 9, 3], {9}) == [(0, 2), (2, 5), (5, 6)]
    assert turns_at([1, 9], {9}) == [(0, 2)]
    assert turns_at([], {9}) == []
