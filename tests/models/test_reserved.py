import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from judge_server.models.reserved import ControlStrings, break_reserved, changes, plain_form, plain_text

TOKENS = [
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|start_header_id|>", "<|eot_id|>",
    "<|eom_id|>", "<|python_tag|>", "<|start|>", "<|message|>", "<|channel|>", "<|return|>", "<|user|>",
    "<|assistant|>", "<|system|>", "<|end|>", "<|observation|>", "<|START_OF_TURN_TOKEN|>", "<|header_start|>",
    "<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|im_middle|>", "<|vision_start|>", "<|fim_prefix|>",
    "<|bom|>", "<|start_of_role|>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]", "[THINK]", "[/THINK]", "[gMASK]", "[MASK]", "[CLS]",
    "[SEP]", "[IMG]", "[control_12]", "[|user|]", "[|endofturn|]", "<<SYS>>", "<</SYS>>", "<start_of_turn>",
    "<end_of_turn>", "<bos>", "<eos>", "<pad>", "<unk>", "<s>", "</s>", "<think>", "</think>", "<THINK>",
    "<tool_call>", "</tool_call>", "<tool_response>", "<seed:bos>", "<seed:think>", "<mask:3>", "<unused12>",
    "<reserved_106>", "<extra_id_1>", "<SPECIAL_12>", "<image>", "<fim_suffix>", "<minimax:tool_call>", "]~b]",
    "]~!b[", "[e~[", "<role>", "</role>", "<sop>", "<\uff5cbegin\u2581of\u2581sentence\uff5c>",
    "<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "\uff1c\uff5cim_start\uff5c\uff1e", "[EOT]", "]!p~[", "]!d~[", "]<]image[>[", "]<]start of speech[>[",
    "<code_interpreter>", "<audio_soft_token>", "<start_of_audio>", "[multimodal]", "\uff5cDSML\uff5c",
    "</\uff5cDSML\uff5cinvoke>", "<thought>", "<im_start>", "<im_end>", "<patch_start>", ">>ANSWER<<", "<ctrl99>",
    "<start_of_plan>", "</end_of_plan>", "<plan:begin>", "<\u2581plan>", "<PLAN>", "</PLAN>", "\u25c1think\u25b7",
    "\u25c1/think\u25b7", "[PLAN_STEP]", "[/PLAN_STEP]", "[/PLAN]", "<turn_1>", "<x_y_z>",
    "<_user>", "<_bot>", "<human>", "<bot>", "<AVAILABLE_TOOLS>", "<AI>", "<用户>", "[USER]", "[STREAMING_PAD]",
    "|ENDOFTEXT|", "|NEWLINE|", "|||IP_ADDRESS|||", "[start_header_id]", "[/extra_id_0]", "[|end of turn|]",
    "<end of turn>", "[BEGIN FINAL RESPONSE]", "[END FINAL RESPONSE]", "⟦user⟧", "⟦end of turn⟧", "【assistant】",
    "⟨|sys|⟩",
]  # fmt: skip

ORDINARY = [
    "if a < b and c > d: return a[i] | b[j]",
    "<p class='x'>Take <b>two</b> tablets.</p><br/><answer>42</answer>",
    "List<String> xs = new ArrayList<>();",
    "See [1], [2] and [TODO]; P(A|B) < 0.05, x |> f",
    "docs/think/again and https://example.org/no_think",
    "- [ ] open\n- [x] done\n\n| a | b |\n|---|---|\n",
    "#include <stdio.h>\nstd::cout << x << y >> z;",
    "cat <<EOF >> out; x >>= 2; a || b; >>> f(x)\n|a|b|</p>",
    "[[1, 2], [3]][0] != [4]\nif (a[0]<b[1] && c[2]<=d) return 1;",
]

STRINGS = ["<foo>", "</foo>", "<tool call>", "Human:", "\uff5cX\uff5c"]
OF_A_MODEL = ControlStrings(STRINGS)

pieces = st.one_of(
    st.sampled_from(TOKENS), st.sampled_from([*"<>[]|/ \n\u200b~bs!e"]), st.sampled_from(["think", "INST", "a"])
)
hostile = st.lists(pieces, max_size=12).map("".join)


@pytest.mark.parametrize("token", TOKENS)
def test_no_control_token_of_any_family_survives(token):
    assert token not in break_reserved(token)
    assert token not in break_reserved(f"before{token}after {token}{token}")


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_and_code_stay_as_they_are_if_the_tokenizer_is_known(text):
    assert OF_A_MODEL.broken(text) == text


@pytest.mark.parametrize("text", ["<foo>", "</foo>", "a<foo>b", "<answer>", "<x-y.z>", "<函数>", "<foo|bar>", "[FOO]"])
def test_every_tag_is_broken_if_the_tokenizer_is_not_known(text):
    assert "".join(break_reserved(text).split(" ")) == text
    assert text not in break_reserved(f"x{text}y")


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d",
        "x << 2 >> 1",
        "<p class='x'>",
        '<a href="https://example.org/">',
        "Map<String, int[]> m; x <= y && f(z) >= 2",
        "if (i<n && j>m) {}",
        "arr[i] + [1] - [x]",
        "[see the note](https://example.org/a) and [Fig. 2]",
        "|a|b|",
        "a -> b",
        "⟨ψ|φ⟩ = ⟨x, y⟩, ⌈n/2⌉ and ⟦e⟧ρ",
        "我读了《红楼梦》，【概要】（AI）「Python」",
        "«bonjour» “yes” 「OK」 (user)",
    ],
)
def test_what_spells_no_tag_stays_as_it_is(text):
    assert break_reserved(text) == text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<end of turn>", "< end of turn>"),
        ("</end of\u3000turn>", "< /end of\u3000turn>"),
        ("[BEGIN FINAL RESPONSE]", "[ BEGIN FINAL RESPONSE]"),
        ("⟦user⟧ and ⟦end of turn⟧", "⟦ user⟧ and ⟦ end of turn⟧"),
        ("⟪/用户⟫ ⁅|tool_call|⁆", "⟪ /用户⟫ ⁅ |tool_call|⁆"),
        ("【user】〈sys-msg〉《END OF TEXT》", "【 user】〈 sys-msg〉《 END OF TEXT》"),
        ("if a <b and c> d", "if a < b and c> d"),
    ],
)
def test_a_tag_with_blanks_or_in_other_brackets_reads_one_space_more(text, read):
    assert break_reserved(f"{text} .") == f"{read} ."
    assert OF_A_MODEL.broken(f"{text} .") == f"{text} ."


@pytest.mark.parametrize("token", ["<end of turn>", "[BEGIN FINAL RESPONSE]", "⟦end of turn⟧", "《END OF TEXT》"])
def test_no_tag_with_blanks_grows_where_two_texts_meet(token):
    for place in range(1, len(token)):
        assert token not in break_reserved(f"x{token[:place]}") + break_reserved(f"{token[place:]}x")


@pytest.mark.parametrize("token", [*STRINGS, "<FOO>", "a<<foo>foo>b", "<<<foo>foo>foo>"])
def test_the_strings_of_a_tokenizer_are_broken(token):
    broken = OF_A_MODEL.broken(f"x {token} y")
    assert not [text for text in STRINGS if text.casefold() in broken.casefold()]
    assert broken.replace(" ", "") == f"x{token}y".replace(" ", "")


def test_a_string_in_another_form_is_broken_for_a_normalising_tokenizer():
    assert "<foo>" not in unicodedata.normalize("NFKC", OF_A_MODEL.broken("a ＜ｆｏｏ＞ \ud800 b"))


def test_the_digest_changes_with_the_strings():
    some = {ControlStrings(None).digest, ControlStrings([]).digest, ControlStrings(["<a>"]).digest}
    assert len(some | {ControlStrings(None, ["<a>"]).digest}) == 4


def test_many_strings_take_linear_time():
    many = ControlStrings([f"<unused{place}>" for place in range(6_000)])
    assert many.broken("<unused" * 50_000 + "<unused77>").endswith("< unused77>")


@given(hostile)
@example("</think>")
@example("<<SYS>>/no_think")
def test_breaking_twice_changes_nothing_more(text):
    assert break_reserved(break_reserved(text)) == break_reserved(text)


@given(hostile)
def test_whatever_is_put_together_spells_no_control_token(text):
    assert not [token for token in TOKENS if token in break_reserved(text)]


@given(st.lists(hostile, max_size=4))
def test_no_control_token_grows_where_two_texts_meet(texts):
    joined = "".join(break_reserved(text) for text in texts)
    assert not [token for token in TOKENS if token in joined and not token.startswith("]")]


@given(st.text() | hostile)
def test_nothing_but_spaces_is_added(text):
    assert re.sub(" ", "", break_reserved(text)) == re.sub(" ", "", text)


DISGUISED = {
    "［ＩＮＳＴ］": "[INST]", "[𝐈𝐍𝐒𝐓]": "[INST]", "<𝗌>": "<s>", "＜／ｓ＞": "</s>",
    "<start＿of＿turn>": "<start_of_turn>",
    "＜｜ｉｍ＿ｓｔａｒｔ｜＞": "<|im_start|>", "<ﬁm_prefix>": "<fim_prefix>", "<\u200b|im_start|>": "<|im_start|>",
    "[IN\u200dST]": "[INST]", "<thi\u0301nk>": "<think>", "≮|im_start|>": "<|im_start|>", "﹤ﾠ/think﹥": "</think>",
    "[IN\x01ST]": "[INST]", "<\ufffd/s>": "</s>", "<\x7f/s>": "</s>",
    "<start\x1f_of_turn>": "<start_of_turn>", "<thi\x9fnk>": "<think>",
    "<\U000e0041|im_end|>": "<|im_end|>", "[ⒾⓃⓈⓉ]": "[INST]", "<＜ＳＹＳ＞>": "<<SYS>>",
}  # fmt: skip

GENUINE = [
    "Größe < 5 µm [№ 3] / ½",
    "価格は＜１００円＞です［注］",
    "हिन्दी [क] <p>नमस्ते</p>",
    "e\u0301 / a\u0300 [1]",
    "x≮y ∈ ℝ[x]",
]


@pytest.mark.parametrize(("text", "token"), DISGUISED.items())
def test_no_control_string_comes_about_where_a_tokenizer_normalises(text, token):
    assert token.strip("<>") in plain_text(text)
    for form in ("NFKC", "NFKD"):
        normalised = unicodedata.normalize(form, break_reserved(f"a {text} b"))
        assert token not in normalised
    assert token not in plain_text(break_reserved(f"a {text} b"))


@given(
    st.lists(st.sampled_from([*DISGUISED, *TOKENS, *"＜｜＞［］／\u200b\u0301"]) | st.text(max_size=3), max_size=8).map(
        "".join
    )
)
def test_no_form_of_a_broken_text_spells_a_control_token(text):
    broken = break_reserved(text)
    assert not [token for token in TOKENS if token in plain_text(broken)]
    assert break_reserved(broken) == broken
    assert broken.replace(" ", "") == text.replace(" ", "")


@given(st.text())
def test_the_plain_form_knows_where_it_comes_from(text):
    form, places = plain_form(text)
    assert form == plain_text(text)
    assert len(form) == len(places)
    assert places == sorted(places)
    assert changes(text) or form == text


@pytest.mark.parametrize("text", GENUINE)
def test_genuine_text_of_other_scripts_stays_as_it_is(text):
    assert OF_A_MODEL.broken(text) == text


def test_the_switch_for_thinking_is_broken_in_prose_only():
    assert break_reserved("Answer. /no_think") == "Answer. / no_think"


def test_a_long_text_of_openings_takes_no_long_time():
    assert len(break_reserved("<" * 100_000 + "[" * 100_000 + "<a" * 50_000)) >= 300_000
