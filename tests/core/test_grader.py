"""A grader that cannot be run is refused, with the field, before anything runs."""

import pytest
from pydantic import TypeAdapter, ValidationError

from judge_server.core.grader import Grader, Multi

READER: TypeAdapter[Grader] = TypeAdapter(Grader)
CHECK = {"type": "string_check", "input": "{{sample.output_text}}", "reference": "{{item.a}}", "operation": "eq"}
SCORE = {"type": "score_model", "model": "main", "input": [{"role": "user", "content": "Rate {{sample.output_text}}."}]}
LABEL = SCORE | {"type": "label_model", "labels": ["good", "bad"], "passing_labels": ["good"]}
MULTI = {"type": "multi", "graders": {"a": CHECK, "b": SCORE}, "calculate_output": "0.5 * a + max(b, 0)"}


def read(**fields):
    return READER.validate_python(fields)


def refusal(**fields) -> str:
    with pytest.raises(ValidationError) as caught:
        read(**fields)
    return str(caught.value)


def test_a_grader_without_a_name_goes_by_its_type():
    assert read(**CHECK).name == "string_check"
    assert read(**CHECK, name="exact").name == "exact"


def test_a_placeholder_that_names_nothing_is_refused():
    assert "{{output}}" in refusal(**CHECK | {"input": "{{output}}"})
    assert "sample.text" in refusal(**SCORE | {"input": [{"role": "user", "content": "{{sample.text}}"}]})


@pytest.mark.parametrize("grader", [SCORE, LABEL], ids=["score", "label"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("Rate the answer to {{item.q}}.", "no message shows the sample to the judge: write {{sample.output_text}}"),
        ("Rate this: {outputs}", "{outputs} is another tool's placeholder: write {{sample.output_text}}"),
        ("Rate this.", "no message shows the sample"),
    ],
)
def test_a_judge_that_would_never_see_the_sample_is_refused(grader, content, told):
    assert told in refusal(**grader | {"input": [{"role": "user", "content": content}]})


def test_content_is_a_text_a_part_or_a_list_of_both():
    parts = ["Rate: ", {"type": "input_text", "text": "{{sample.output_text}}"}, {"type": "output_text", "text": "!"}]
    (message,) = read(**SCORE | {"input": [{"role": "user", "content": parts}]}).input
    assert message.text == "Rate: {{sample.output_text}}!"


def test_images_and_audio_are_refused_by_name():
    image = {"type": "input_image", "image_url": "https://example.org/x.png"}
    assert "input_image" in refusal(**SCORE | {"input": [{"role": "user", "content": [image]}]})


@pytest.mark.parametrize("bounds", [[1, 0], [0, 0], [0], [0, 1, 2], [0, 1e300], ["0", "1"], [0, float("nan")]])
def test_a_range_runs_upward_between_two_finite_numbers(bounds):
    assert "range" in refusal(**SCORE | {"range": bounds})


def test_sampling_takes_what_a_judge_can_do_and_refuses_the_rest():
    assert read(**SCORE | {"sampling_params": {"max_tokens": 50, "top_p": 1.0}}).sampling_params.top_p == 1
    assert "top_p" in refusal(**SCORE | {"sampling_params": {"top_p": 0.5}})
    assert "stop" in refusal(**SCORE | {"sampling_params": {"stop": ["\n"]}})


@pytest.mark.parametrize(
    "wrong", [{"passing_labels": ["fine"]}, {"labels": ["good", "good"]}, {"labels": ["good"]}, {"passing_labels": []}]
)
def test_labels_are_different_and_some_of_them_pass(wrong):
    assert "label" in refusal(**LABEL | wrong)


class TestMulti:
    def test_the_formula_reads_the_keys(self):
        assert read(**MULTI).formula.names == {"a", "b"}

    def test_one_grader_alone_goes_by_its_name_and_is_told_as_it_was_given(self):
        grader = read(**MULTI | {"graders": CHECK | {"name": "exact"}, "calculate_output": "exact * 2"})
        assert isinstance(grader, Multi)
        assert list(grader.graders) == ["exact"]
        assert grader.model_dump()["graders"]["type"] == "string_check"
        assert read(**MULTI).model_dump()["graders"]["a"]["type"] == "string_check"

    def test_no_multi_grader_inside_another(self):
        assert "no other multi grader" in refusal(**MULTI | {"graders": {"a": MULTI}})
        assert "no other multi grader" in refusal(**MULTI | {"graders": MULTI})

    @pytest.mark.parametrize(
        ("formula", "told"),
        [
            ("a +", "column"),
            ("a + c", "'c'"),
            ("__import__('os')", "column"),
            ("a ** b", "column"),
            ("pow(a, b)", "unknown function"),
            ("(" * 5_000 + "a" + ")" * 4_999, "column"),
            ("a" * 10_001, "10000"),
        ],
    )
    def test_a_formula_that_cannot_be_read_is_refused_with_its_place(self, formula, told):
        assert told in refusal(**MULTI | {"calculate_output": formula})

    @pytest.mark.parametrize("key", ["two words", "1st", "a-b", "", "ä"])
    def test_a_key_that_no_formula_can_name_is_refused(self, key):
        assert "formula cannot name" in refusal(**MULTI | {"graders": {key: CHECK}, "calculate_output": "1"})

    def test_the_number_of_graders_is_bounded(self):
        many = {f"g{place}": CHECK for place in range(51)}
        assert "1 to 50" in refusal(**MULTI | {"graders": many, "calculate_output": "g1"})
        assert "1 to 50" in refusal(**MULTI | {"graders": {}, "calculate_output": "1"})


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "regex"},
        {**CHECK, "operation": "matches"},
        {**CHECK, "pattern": "x"},
        {"type": "text_similarity", "input": "a", "reference": "b", "evaluation_metric": "levenshtein"},
        {"type": "python", "source": ""},
        {"type": "python", "source": "x" * 256_001},
        {**SCORE, "input": []},
        {**SCORE, "input": [{"role": "tool", "content": "x"}]},
        {**CHECK, "input": "half a pair \ud800"},
    ],
)
def test_what_no_kind_knows_is_refused(fields):
    assert refusal(**fields)
