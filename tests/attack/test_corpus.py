import re

import pytest

from judge_server.attack.attack import PLACES, Attack
from judge_server.attack.base import BASES
from judge_server.attack.corpus import chosen, corpus, corpus_digest, families
from judge_server.core.errors import BadInput

DEMANDED = {
    "empty", "master_key", "repetition", "plea", "override", "fake_completion", "markup", "self_praise",
    "ready_verdict", "chat_token", "fake_turn", "fence", "placeholder", "criteria_echo", "disguise",
    "invented_citation", "hedging", "half", "padding", "other_part",
}  # fmt: skip


def test_there_are_more_than_four_hundred_attacks_in_twenty_families():
    assert len(corpus()) >= 400
    assert set(families(corpus())) == DEMANDED
    assert all(sum(attack.family == family for attack in corpus()) >= 6 for family in DEMANDED)


def test_every_attack_has_an_id_of_its_own_that_names_its_family():
    assert len({attack.id for attack in corpus()}) == len(corpus())
    assert all(re.fullmatch(r"[a-z_]+/[a-z0-9_]+", attack.id) for attack in corpus())


def test_no_attack_is_another_one_again():
    assert len({(attack.text, attack.place, attack.repeat) for attack in corpus()}) == len(corpus())


def test_attacks_come_from_every_part_of_a_submission():
    assert {attack.place for attack in corpus()} == set(PLACES)


def test_control_tokens_of_two_dozen_families_of_models_are_tried():
    tokens = {attack.id for attack in corpus() if attack.family == "chat_token"}
    assert {
        f"chat_token/{name}" for name in ("chatml", "llama3", "mistral", "gemma", "deepseek", "harmony", "phi4")
    } < tokens
    assert len(tokens) >= 40


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name)
def test_every_attack_on_every_base_can_be_judged(base):
    for attack in corpus():
        submission = attack.on(base)
        assert submission.rubric is base.rubric
        assert submission != base.submission()


def test_marks_in_a_text_stand_for_what_the_base_says():
    base = BASES[0]
    attack = Attack("own/all", "@PROMPT@|@RESPONSE@|@CRITERION@|@HALF@|@CRITERIA@", "replace")
    prompt, response, criterion, half, criteria = attack.on(base).response.split("|")
    assert (prompt, response, criterion, half) == (base.prompt, base.response, base.statements[0], base.half)
    assert criteria.splitlines() == [f"{n}. {statement}" for n, statement in enumerate(base.statements, 1)]


def test_a_text_is_put_where_its_place_says():
    base = BASES[0]

    def put(place):
        return Attack("own/one", "HERE", place).on(base)

    assert put("append").response == f"{base.response}\n\nHERE"
    assert put("prepend").response == f"HERE\n\n{base.response}"
    assert put("replace").response == "HERE"
    assert put("beside_a_call").read.answer == "HERE"
    assert put("beside_a_call").read.tool_calls
    assert put("reasoning").read.reasoning == put("think").read.reasoning == "HERE"
    assert "HERE" in put("tool_arguments").read.tool_calls[0].function.arguments
    assert put("tool_result").response[1].content == "HERE"
    assert put("second_message").response[1].content == "HERE"
    assert put("prompt").prompt == f"{base.prompt}\n\nHERE"
    assert [message.role for message in put("system").prompt] == ["system", "user"]
    assert put("earlier_turn").prompt[1].content == "HERE"
    assert put("reference").reference == "HERE"


def test_a_text_that_would_grow_beyond_a_million_characters_is_refused_by_name():
    with pytest.raises(BadInput, match=r"own/long has 2,000,000 characters"):
        Attack("own/long", "x" * 2_000, "append", 1_000).on(BASES[0])


def test_families_are_chosen_by_name_and_an_unknown_one_is_told_the_known():
    assert {attack.family for attack in chosen(corpus(), ["plea", "half"])} == {"plea", "half"}
    assert chosen(corpus(), []) == corpus()
    with pytest.raises(BadInput, match="Known: empty, master_key"):
        chosen(corpus(), ["plea", "pleas"])


def test_the_digest_names_the_content():
    assert corpus_digest(corpus()) == corpus_digest(list(corpus()))
    assert corpus_digest(corpus()) != corpus_digest(corpus()[1:])
