"""The strings of the served model's own tokenizer: from its files, and from a server that reports them."""

import json

import pytest

from judge_server.core.errors import BadConfiguration
from judge_server.models.control_strings import strings_in, strings_of_files
from judge_server.models.litellm_provider import LiteLLMOptions, LiteLLMProvider
from tests.models.openai_model import request, started
from tests.stub_judge import StubJudge

CONFIG = {
    "added_tokens_decoder": {"7": {"content": "<go>", "special": True}, "8": {"content": " \n"}},
    "bos_token": "~b~",
}
TEXT = "a <b>bold</b> word, <go> and ~b~ and ¤mine¤"


def shown(judge):
    return judge.bodies[-1]["messages"][-1]["content"]


@pytest.fixture
def folder(tmp_path):
    backend = {"added_tokens": [{"id": 7, "content": "<go>"}, {"id": 9, "content": "<stop>"}], "model": {"vocab": {}}}
    for name, content in {
        "tokenizer.json": backend,
        "tokenizer_config.json": CONFIG,
        "added_tokens.json": {"<extra>": 12},
        "special_tokens_map.json": {"eos_token": {"content": "~e~"}, "additional_special_tokens": ["<more>"]},
    }.items():
        (tmp_path / name).write_text(json.dumps(content), "utf-8")
    return tmp_path


def test_every_file_of_a_tokenizer_adds_its_strings(folder):
    assert strings_of_files(folder) == {"<go>", "<stop>", "~b~", "<extra>", "~e~", "<more>"}
    assert strings_of_files(folder / "tokenizer.json") == {"<go>", "<stop>"}


@pytest.mark.parametrize("content", [None, [], {}, {"chat_template": "x"}, {"added_tokens_decoder": {"1": 5}}])
def test_a_report_without_tokens_lists_none(content):
    assert strings_in(content) == set()


@pytest.mark.parametrize("content", ["", "{}", "[", "[1]"])
def test_a_file_that_lists_no_tokens_is_refused(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content, "utf-8")
    for path in (tmp_path, tmp_path / "tokenizer.json"):
        with pytest.raises(BadConfiguration, match="tokenizer"):
            strings_of_files(path)


async def test_a_server_of_which_nothing_is_known_gets_every_tag_broken():
    with StubJudge() as judge:
        async with started(judge) as model:
            await model.complete(request(TEXT))
            assert shown(judge) == "a < b>bold< /b> word, < go> and ~b~ and ¤mine¤"
            assert "strings" not in model.revision


async def test_what_a_server_reports_of_its_tokenizer_is_broken_and_nothing_else():
    info = CONFIG | {"added_tokens_decoder": {"7": "<go>"}, "tokenizer_class": "X"}  # as vLLM writes it
    with StubJudge(tokenizer_info=info) as judge:
        async with started(judge) as model:
            await model.complete(request(TEXT))
            assert shown(judge) == "a <b>bold</b> word, < go> and ~ b~ and ¤mine¤"
            assert "strings" in model.revision


async def test_strings_of_the_operator_are_broken_too(folder):
    with StubJudge() as judge:
        async with started(judge, tokenizer=str(folder), control_strings=["¤mine¤"]) as model:
            await model.complete(request(TEXT))
            assert shown(judge) == "a <b>bold</b> word, < go> and ~ b~ and ¤ mine¤"
        async with started(judge, control_strings=["¤mine¤"]) as model:
            await model.complete(request(TEXT))
            assert shown(judge) == "a < b>bold< /b> word, < go> and ~b~ and ¤ mine¤"


async def test_a_tokenizer_of_another_model_is_refused(folder):
    with StubJudge(tokens={"<go>": 7}) as judge, pytest.raises(BadConfiguration, match="one token"):
        async with started(judge, tokenizer=str(folder)):
            pass
    with StubJudge(tokens=dict.fromkeys(strings_of_files(folder), 7)) as judge:
        async with started(judge, tokenizer=str(folder)):
            pass


async def test_a_hosted_model_breaks_the_strings_of_its_options(folder):
    plain, told = (
        LiteLLMProvider("openai/x", LiteLLMOptions(**options))
        for options in ({}, {"tokenizer": folder, "control_strings": ["¤mine¤"]})
    )
    assert plain.revision == ""
    assert told.revision.startswith("strings ")
    with pytest.raises(BadConfiguration, match="tokenizer"):
        LiteLLMProvider("openai/x", LiteLLMOptions(tokenizer=folder / "missing"))
