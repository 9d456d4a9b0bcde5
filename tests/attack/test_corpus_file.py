import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.attack import corpus_file
from judge_server.attack.attack import Attack
from judge_server.attack.corpus_file import read_corpus
from judge_server.core.errors import BadInput

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
        read_corpus(written(tmp_path, b"x" * (corpus_file.LONGEST_LINE + 2)))


def test_a_file_without_attacks_or_no_file_at_all_is_told(tmp_path):
    with pytest.raises(BadInput, match="no attack is in this file"):
        read_corpus(written(tmp_path, b"\n\n"))
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_corpus(tmp_path / "absent.jsonl")
    with pytest.raises(BadInput, match="cannot be read: Is a directory"):
        read_corpus(tmp_path)


def test_too_many_attacks_are_refused(tmp_path):
    lines = [{"id": f"own/n{number}", "text": "x"} for number in range(corpus_file.MOST_ATTACKS + 1)]
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
