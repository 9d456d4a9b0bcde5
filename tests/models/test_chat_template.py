from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.errors import BadConfiguration
from judge_server.models.chat_template import ChatTemplate
from judge_server.models.protocol import Prompt, Segment, Turn
from judge_server.models.tokenizing import PartTokenizer
from tests.models.families import DEEPSEEK, FAMILIES, GEMMA, HARMONY, LLAMA, MISTRAL, QWEN, Family

family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def ours(text: str) -> Segment:
    return Segment(text, "instructions", trusted=True)


def theirs(text: str) -> Segment:
    return Segment(text, "response", trusted=False)


def judging(response: str) -> Prompt:
    user = (ours("[BEGIN RESPONSE 0a]\n"), theirs(response), ours("\n[END RESPONSE 0a]\nIs the criterion met?"))
    return Prompt((Turn("system", (ours("You grade one response."),)), Turn("user", user)))


@cache
def opened(family: Family) -> tuple[ChatTemplate, PartTokenizer]:
    tokenizer = family.tokenizer()
    parts = PartTokenizer(tokenizer)
    return ChatTemplate(tokenizer, parts), parts


def shown(family: Family, prompt: Prompt, *, thinking: bool = False) -> str:
    template, parts = opened(family)
    return parts.decode_all(template.encode(prompt, thinking=thinking))


@family
@given(text=st.lists(st.sampled_from([*sorted({t for f in FAMILIES for t in f.control}), "a", "\n"]), max_size=8))
def test_a_response_adds_no_control_token_to_the_prompt(family, text):
    template, parts = opened(family)

    def control(response: str) -> Counter[int]:
        return Counter(token_id for token_id in template.encode(judging(response)) if token_id in parts.control_ids)

    assert control("".join(text)) == control("water")


@pytest.mark.parametrize("family", [QWEN, LLAMA], ids=lambda family: family.name)
def test_a_prompt_of_our_own_text_is_what_the_template_renders(family):
    turns = (
        Turn("system", (ours("You grade one response."),)),
        Turn("user", (ours("Is the "), ours("criterion met?"))),
    )
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    tokenizer = family.tokenizer()
    rendered = tokenizer.apply_chat_template(
        messages, tokenize=False, enable_thinking=False, strftime_now=lambda _: "01 Jan 2025"
    )
    assert opened(family)[0].encode(Prompt(turns)) == tokenizer.encode(rendered, add_special_tokens=False)


def test_a_template_that_trims_takes_nothing_away():
    assert "\n[BEGIN RESPONSE 0a]\n  water \n" in shown(LLAMA, judging("  water ")).replace("<|end_header_id|>\n", "")


def test_a_template_without_a_system_turn_shows_the_instructions_to_the_user():
    text = shown(GEMMA, judging("water"))
    assert "<start_of_turn>user\nYou grade one response.\n\n[BEGIN RESPONSE 0a]\nwater" in text


def test_a_template_that_drops_the_system_turn_shows_it_all_the_same():
    assert "You grade one response.\n\n[BEGIN RESPONSE 0a]\nwater\n" in shown(MISTRAL, judging("water"))


def test_a_template_that_reads_only_lists_of_parts_is_given_lists():
    source = "{% for m in messages %}<|im_start|>{{ m.content[0].text }}<|im_end|>{% endfor %}"
    text = shown(Family("parts", source, QWEN.special), judging("water"))
    assert text.startswith("<|im_start|>You grade one response.<|im_end|><|im_start|>[BEGIN RESPONSE 0a]\nwater\n")


def test_a_template_that_shows_no_message_is_refused():
    with pytest.raises(BadConfiguration, match="cannot render a system and a user turn"):
        shown(Family("mute", "hello", QWEN.special), judging("water"))


def test_a_model_without_a_chat_template_is_refused():
    tokenizer = QWEN.tokenizer()
    tokenizer.chat_template = None
    with pytest.raises(BadConfiguration, match="no chat template"):
        ChatTemplate(tokenizer, PartTokenizer(tokenizer))


def test_the_same_prompt_is_the_same_prompt_tomorrow():
    assert "Today: 01 Jan 2025" in shown(LLAMA, judging("water"))
    assert "Date: 2025-01-01" in shown(HARMONY, judging("water"))


@pytest.mark.parametrize(
    ("family", "ending"),
    [
        (QWEN, "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        (DEEPSEEK, "<｜Assistant｜><think>\n</think>\n\n"),
        (HARMONY, "<|start|>assistant<|channel|>final<|message|>"),
        (LLAMA, "<|start_header_id|>assistant<|end_header_id|>\n\n"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_without_thinking_the_answer_comes_next(family, ending):
    assert shown(family, judging("water")).endswith(ending)


@pytest.mark.parametrize(
    ("family", "ending"),
    [
        (QWEN, "<|im_start|>assistant\n<think>\n"),
        (DEEPSEEK, "<｜Assistant｜><think>\n"),
        (HARMONY, "<|start|>assistant<|channel|>analysis<|message|>"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_with_thinking_the_thinking_comes_next(family, ending):
    assert shown(family, judging("water"), thinking=True).endswith(ending)


def test_a_family_is_known_by_its_control_tokens():
    assert {family.name: bool(opened(family)[0].thinking) for family in FAMILIES} == {
        "qwen": True,
        "llama": False,
        "mistral": False,
        "gemma": False,
        "harmony": True,
        "deepseek": True,
    }
