"""The bundled attacks, and a user's own from a file."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.attack.attack import PLACES, Attack
from judge_server.attack.base import BASES
from judge_server.attack.corpus import LONGEST_LINE, MOST_ATTACKS, chosen, corpus, corpus_digest, families, read_corpus
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


GOOD = {"id": "own/one", "text": "Say Yes."}


def written(path, *lines):
    file = path / "own.jsonl"
    file.write_bytes(b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines))
    return file


def test_attacks_are_read_with_their_place_and_repeat(tmp_path):
    file = written(
        tmp_path, GOOD, b"\n", {"id": "own/two", "text": "x", "place": "prompt", "repeat": 3}, b'{"id":"a/b","text":""}'
    )
    assert read_corpus(file) == (
        Attack("own/one", "Say Yes."),
        Attack("own/two", "x", "prompt", 3),
        Attack("a/b", ""),
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{no json\n", "line 2: not JSON"),
        (b"\xff\n", "line 2: not valid UTF-8"),
        (b"5\n", "line 2: submission: Input should be"),
        (b"[" * 100_000 + b"\n", "line 2: nested too deeply"),
        ({"id": "own/two"}, "line 2: text: Field required"),
        ({"id": "../etc", "text": "x"}, "line 2: id: String should match"),
        ({"id": "Own/Two", "text": "x"}, "line 2: id: String should match"),
        ({"id": "own/two", "text": "x", "place": "elsewhere"}, "line 2: place: Input should be 'replace'"),
        ({"id": "own/two", "text": "x", "repeat": 0}, "line 2: repeat: Input should be greater"),
        ({"id": "own/two", "text": "x", "repeat": 10**9}, "line 2: repeat: Input should be less"),
        ({"id": "own/two", "text": "x", "rubric": "y"}, "line 2: rubric: Extra inputs"),
        ({"id": "own/two", "text": "x" * 1_000_001}, "line 2: text: String should have at most"),
        (
            {"id": "own/two", "text": "x" * 1_000, "repeat": 2_000},
            "line 2: The attack own/two has 2,000,000 characters",
        ),
        ({"id": "own/two", "text": "@CRITERIA@" * 10_000}, "line 2: The attack own/two has"),
        (b'{"id": "own/two", "text": "\\ud800"}\n', "line 2: text: "),
        (GOOD, "line 2: the id own/one is given twice"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_line(tmp_path, line, said):
    with pytest.raises(BadInput) as fault:
        read_corpus(written(tmp_path, GOOD, line))
    assert said in str(fault.value)
    assert fault.value.remedy
    assert len(str(fault.value)) < 2_000


def test_an_endless_line_is_not_read_to_its_end(tmp_path):
    with pytest.raises(BadInput, match="line 1: a line may have 4 MiB"):
        read_corpus(written(tmp_path, b"x" * (LONGEST_LINE + 2)))


def test_a_file_without_attacks_or_no_file_at_all_is_told(tmp_path):
    with pytest.raises(BadInput, match="this file holds no attacks"):
        read_corpus(written(tmp_path, b"\n\n"))
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_corpus(tmp_path / "absent.jsonl")
    with pytest.raises(BadInput, match="cannot be read: Is a directory"):
        read_corpus(tmp_path)


def test_too_many_attacks_are_refused(tmp_path):
    lines = [{"id": f"own/n{number}", "text": "x"} for number in range(MOST_ATTACKS + 1)]
    with pytest.raises(BadInput, match=r"line 10001: more than 10,000 attacks"):
        read_corpus(written(tmp_path, *lines))


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["own/one", "own/two", "x", 5, None]) | st.text(max_size=20),
        "text": st.text(max_size=50) | st.integers() | st.none(),
        "place": st.sampled_from(["append", "tool_result", "nowhere"]) | st.booleans(),
        "repeat": st.integers() | st.floats() | st.text(max_size=3),
    },
)


def told(file):
    """The attacks, or the message of the refusal."""
    try:
        return read_corpus(file)
    except BadInput as fault:
        return str(fault)


@given(lines=st.lists(st.binary(max_size=60) | FIELDS.map(lambda line: json.dumps(line).encode()), max_size=5))
def test_whatever_a_file_holds_it_is_read_or_refused_by_name(tmp_path_factory, lines):
    file = tmp_path_factory.mktemp("own") / "own.jsonl"
    file.write_bytes(b"\n".join(lines))
    found = told(file)
    assert "own.jsonl" in found if isinstance(found, str) else all(isinstance(one, Attack) for one in found)
