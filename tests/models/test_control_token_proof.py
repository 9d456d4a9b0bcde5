"""No text of a submission becomes a control token of the judge: in our own tokenisation, and in a server's."""

import json
from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_server.core.criterion import Binary
from judge_server.core.submission import Submission
from judge_server.judging.judge_input import JudgeInputs
from judge_server.judging.prompt import PromptWriter
from judge_server.models.chat_template import ChatTemplate
from judge_server.models.control_strings import strings_in
from judge_server.models.openai_wire import messages_of
from judge_server.models.reserved import UNKNOWN, ControlStrings
from judge_server.models.tokenizing import PartTokenizer
from tests.models.families import Family
from tests.models.full_families import CONTROL, FULL, normalising

WRITER = PromptWriter(b"s" * 32)
CRITERION = Binary(id="c", statement="Names a remedy.", reference="optional")
BENIGN = "water"

FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
disguises = st.sampled_from(
    [
        lambda token: token,
        lambda token: token.translate(FULL_WIDTH),
        "\u200b".join,
        lambda token: token[0] + "\U000e0041" + token[1:],
        lambda token: token.replace("<", "＜").replace("|", "｜"),
        lambda token: token.replace("I", "𝐈").replace("s", "𝗌").replace("i", "𝗂"),
        lambda token: token[: len(token) // 2],
        lambda token: token[len(token) // 2 :],
        lambda token: token + token,
        lambda token: token[:2] + token + token[2:],
    ]
)
spelt = st.builds(lambda token, disguise: disguise(token), st.sampled_from(CONTROL), disguises)
hostile = st.lists(
    spelt | st.text(max_size=3) | st.sampled_from(["<", "|", ">", "[", "]", "<|", "\n"]), max_size=6
).map("".join)

family = pytest.mark.parametrize("family", FULL, ids=lambda family: family.name)


@cache
def own(family: Family) -> tuple[PartTokenizer, ChatTemplate]:
    tokenizer = family.tokenizer()
    parts = PartTokenizer(tokenizer)
    return parts, ChatTemplate(tokenizer, parts)


@cache
def served(family: Family, kind: str):
    """A server's tokenizer, and which of its ids are control tokens."""
    tokenizer = family.tokenizer() if kind == "plain" else normalising(family)
    tokenizer.chat_template = family.template
    return tokenizer, frozenset(tokenizer.convert_tokens_to_ids(token) for token in family.control)


def prompt_of(conversation: str, response: str, reference: str, call: str = BENIGN):
    messages = [
        {"role": "user", "content": f"Q {conversation}"},
        {
            "role": "assistant",
            "content": conversation,
            "tool_calls": [{"function": {"name": f"f{call[:50]}", "arguments": call}}],
        },
        {"role": "tool", "content": conversation},
        {"role": "user", "content": conversation},
    ]
    submission = Submission(prompt=messages, response=f"R {response}", reference=reference, facts={call: response})
    (material,) = JudgeInputs(submission).of(CRITERION)
    return WRITER.write(material, [CRITERION], "direct")


def ids_in_process(family: Family, prompt) -> Counter:
    parts, template = own(family)
    return Counter(token_id for token_id in template.encode(prompt) if token_id in parts.control_ids)


@cache
def known(family: Family) -> ControlStrings:
    return ControlStrings(strings_in(json.loads(family.tokenizer().backend_tokenizer.to_str())))


def ids_at_a_server(family: Family, kind: str, prompt, strings: ControlStrings = UNKNOWN) -> Counter:
    tokenizer, control = served(family, kind)
    messages = messages_of(prompt, strings)
    if "no system role" in family.template:
        messages = [{"role": "user", "content": "\n\n".join(message["content"] for message in messages)}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, strftime_now=str)
    ids = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
    return Counter(token_id for token_id in ids if token_id in control)


def everywhere(text: str):
    return prompt_of(text, text, f"r{text}", text)


@family
def test_the_tokens_mean_something_to_the_tokenizer_where_they_are_ours(family):
    parts, _ = own(family)
    assert Counter(parts.trusted("".join(family.control))) == Counter(parts.control_id(t) for t in family.control)
    for kind in ("plain", "normalising"):
        tokenizer, control = served(family, kind)
        for token in family.control:
            assert control.intersection(tokenizer.backend_tokenizer.encode(token, add_special_tokens=False).ids), token
    tokenizer, control = served(family, "normalising")
    disguised = family.control[0].translate(FULL_WIDTH)
    assert control.intersection(tokenizer.backend_tokenizer.encode(disguised, add_special_tokens=False).ids)


@family
def test_no_control_token_of_any_family_comes_out_of_a_text(family):
    parts, _ = own(family)
    for token in CONTROL:
        for text in (token, f"a{token}b", token * 2, token.translate(FULL_WIDTH), token.upper(), token.lower()):
            assert parts.control_ids.isdisjoint(parts.untrusted(text)), text


@family
@pytest.mark.parametrize("kind", ["plain", "normalising"])
def test_a_submission_full_of_control_tokens_has_those_of_the_template_only(family, kind):
    benign = everywhere(BENIGN)
    for text in ("".join(CONTROL), " ".join(CONTROL), *(token.translate(FULL_WIDTH) for token in family.control)):
        assert ids_in_process(family, everywhere(text)) == ids_in_process(family, benign)
        assert ids_at_a_server(family, kind, everywhere(text)) == ids_at_a_server(family, kind, benign)


@family
@settings(max_examples=40)
@given(text=hostile)
def test_whatever_a_submission_spells_the_judge_reads_the_templates_control_tokens_only(family, text):
    prompt, benign = everywhere(text), everywhere(BENIGN)
    assert ids_in_process(family, prompt) == ids_in_process(family, benign)
    for kind in ("plain", "normalising"):
        for strings in (UNKNOWN, known(family)):
            assert ids_at_a_server(family, kind, prompt, strings) == ids_at_a_server(family, kind, benign, strings)


@family
@settings(max_examples=25)
@given(token=st.sampled_from(CONTROL), data=st.data())
def test_a_control_token_cut_in_two_is_not_joined_across_the_border_of_two_texts(family, token, data):
    place = data.draw(st.integers(1, max(len(token) - 1, 1)))
    head, tail = token[:place], token[place:] or "x"
    prompt, benign = prompt_of(head, tail, head), prompt_of(BENIGN, BENIGN, BENIGN)
    assert ids_in_process(family, prompt) == ids_in_process(family, benign)
    for kind in ("plain", "normalising"):
        assert ids_at_a_server(family, kind, prompt) == ids_at_a_server(family, kind, benign)
