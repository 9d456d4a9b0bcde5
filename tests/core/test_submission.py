import pytest
from pydantic import ValidationError

from judge_server.core.coordinates import Coordinates
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission

CALL = {"function": {"name": "search", "arguments": '{"q": "secret"}'}}


def submission(**fields):
    return Submission.model_validate({"prompt": "What is 2+2?", "response": "4"} | fields)


def test_a_prompt_given_as_text_is_one_user_turn():
    assert [(turn.role, turn.content) for turn in submission().conversation] == [("user", "What is 2+2?")]


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "  \n",
        [],
        [{"role": "user", "content": " "}],
        [{"role": "system"}, {"role": "user", "content": None}],
        None,
        5,
    ],
)
def test_an_empty_prompt_is_refused(prompt):
    with pytest.raises(ValidationError):
        submission(prompt=prompt)


def test_an_empty_response_is_a_bad_response_but_a_submission():
    assert submission(response="").read.answer == ""
    with pytest.raises(ValidationError):
        submission(response=[])


@pytest.mark.parametrize("role", ["user", "system", "developer"])
def test_a_response_comes_from_the_assistant_or_a_tool(role):
    with pytest.raises(ValidationError, match=f"response messages come from assistant or tool, not {role}"):
        submission(response=[{"role": "assistant", "content": "a"}, {"role": role, "content": "b"}])
    assert submission(response=[{"role": "assistant", "content": "a"}, {"role": "tool", "content": "b"}])


@pytest.mark.parametrize("field", ["responses", "judge_url", "completion", "temperature"])
def test_unknown_fields_are_refused(field):
    with pytest.raises(ValidationError, match="Extra inputs"):
        submission(**{field: "x"})


@pytest.mark.parametrize("missing", ["prompt", "response"])
def test_prompt_and_response_are_needed(missing):
    given = {"prompt": "a", "response": "b"}
    del given[missing]
    with pytest.raises(ValidationError, match="Field required"):
        Submission.model_validate(given)


def test_a_rubric_is_a_name_or_a_whole_rubric():
    inline = {"id": "a", "version": "1.0.0", "title": "t", "criteria": [{"id": "x", "statement": "Says x."}]}
    assert submission(rubric="medical/consultation@1.0.0").rubric == "medical/consultation@1.0.0"
    assert isinstance(submission(rubric=inline).rubric, Rubric)
    with pytest.raises(ValidationError, match="statement"):
        submission(rubric=inline | {"criteria": [{"id": "x"}]})


@pytest.mark.parametrize(
    "facts",
    [{"a": float("nan")}, {"a": object()}, {"a": [{1}]}, {"a": {1: 2}}, {"a": 2**70}, {"a": "\ud800"}, [], "x", {1: 2}],
    ids=range(9),
)
def test_facts_are_what_json_can_hold(facts):
    with pytest.raises(ValidationError):
        submission(facts=facts)


@pytest.mark.parametrize("field", ["prompt", "response", "reference"])
def test_a_text_with_half_a_surrogate_pair_is_refused(field):
    with pytest.raises(ValidationError, match="not valid Unicode"):
        submission(**{field: "a\ud800"})


def test_the_digest_is_of_what_is_judged():
    first = submission().digest
    same = [
        submission(id="7", group="g", step=3, policy="p", judge="j", explain=True, rubric="a"),
        submission(prompt=[{"role": "user", "content": "What is 2+2?"}]),
        submission(prompt=[{"role": "user", "content": [{"type": "text", "text": "What is 2+2?"}]}]),
    ]
    assert {other.digest for other in same} == {first}
    different = [
        submission(prompt="What is 2+3?"),
        submission(response="5"),
        submission(reference="4"),
        submission(facts={"a": 1}),
        submission(facts={"a": True}),
        submission(prompt=[{"role": "system", "content": "What is 2+2?"}]),
    ]
    assert len({first, *(other.digest for other in different)}) == len(different) + 1
    assert submission(facts={"a": 1, "b": 2}).digest == submission(facts={"b": 2, "a": 1}).digest


def test_the_digest_of_a_written_submission_is_a_contract():
    assert submission(reference="four", facts={"audience": "child"}).digest == (
        "sha256:d5aa685390e6400aa78294d50e57f51f83acce5028f93380cc39ccde7ed523d3"
    )


def test_coordinates_tell_where_it_stands_in_training():
    assert submission(id="7", group="g", step=3, policy="p").coordinates == Coordinates(
        id="7", group="g", step=3, policy="p"
    )
    with pytest.raises(ValidationError):
        submission(step=-1)


def test_every_text_from_outside_is_among_the_texts():
    given = submission(
        prompt=[
            {"role": "user", "content": "asked"},
            {"role": "assistant", "content": "spoken", "reasoning": "thought", "tool_calls": [CALL]},
        ],
        response=[{"role": "assistant", "content": "answered", "tool_calls": [CALL]}],
        reference="expected",
    )
    everything = "\n".join(given.texts())
    for text in ("asked", "spoken", "thought", "secret", "answered", "expected"):
        assert text in everything


def test_a_submission_survives_its_own_json():
    first = submission(response=[{"role": "assistant", "content": "a", "tool_calls": [CALL]}], facts={"a": [1, None]})
    again = Submission.model_validate_json(first.model_dump_json())
    assert (again, again.digest) == (first, first.digest)


def test_trainers_may_number_their_samples():
    numbered = Submission.model_validate({"prompt": "Why?", "response": "So.", "id": 7, "group": 0})
    assert (numbered.id, numbered.group) == ("7", "0")


def test_true_is_no_number_of_a_sample():
    with pytest.raises(ValidationError):
        Submission.model_validate({"prompt": "Why?", "response": "So.", "id": True})


def test_a_response_that_is_a_text_is_not_parsed_to_know_its_text():
    """It takes milliseconds of the event loop for megabytes."""
    submission = Submission(prompt="p", response="<think>why</think> because")
    assert submission.response_text == "<think>why</think> because"
    assert "read" not in submission.__dict__
    messages = Submission(prompt="p", response=[{"role": "assistant", "content": "because"}])
    assert messages.response_text == messages.read.text == "because"


def said(times):
    return [{"role": "assistant", "content": "x"}] * times


def test_messages_calls_and_facts_count_as_text_because_reading_them_takes_time():
    assert submission().characters < 100
    assert submission(response=said(2_000)).characters > 20_000
    calls = [{"function": {"name": "f", "arguments": ""}}] * 2_000
    assert submission(response=[{"role": "assistant", "tool_calls": calls}]).characters > 20_000
    assert submission(facts={f"f{number}": number for number in range(1_000)}).characters > 20_000
    assert submission(facts={"f": ["x" * 30_000]}).characters > 20_000


def test_a_message_weighs_more_in_memory_than_its_text():
    assert submission(response=said(2_000)).weight > 400_000


@pytest.mark.parametrize(
    "facts",
    [
        {"x" * 100_000: {f"f{number}": 1 for number in range(100)}},
        {"x" * 30_000: {"y" * 30_000: {f"f{number}": {} for number in range(50)}}},
    ],
)
def test_names_of_facts_that_stand_above_many_others_are_bounded(facts):
    with pytest.raises(ValidationError, match="1,000,000 characters"):
        submission(facts=facts)


def test_another_response_to_a_known_prompt_is_the_same_as_one_read_from_its_own_data():
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2+2?"}]
    for prompt in ("What is 2+2?", messages):
        first = submission(prompt=prompt)
        other = submission(prompt="?", response="5", id="b").asked_as(first)
        read = submission(prompt=prompt, response="5", id="b")
        assert other == read
        assert (other.digest, other.prompt_key) == (read.digest, read.prompt_key)
        assert other.model_dump() == read.model_dump()
        assert other.prompt is first.prompt
