"""Placeholders are read once, and nothing else in a text is syntax."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.placeholder import BadTemplate, Placeholder, pieces_of
from tests.yardstick import work_within


@pytest.mark.parametrize(
    ("template", "pieces"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("{{item.a}}", (Placeholder("item", ("a",)),)),
        ("Q: {{ item.question }}!", ("Q: ", Placeholder("item", ("question",)), "!")),
        ("{{item.rows[2].name}}", (Placeholder("item", ("rows", 2, "name")),)),
        ("{{item['two words']}}", (Placeholder("item", ("two words",)),)),
        ('{{item["a.b"][0]}}', (Placeholder("item", ("a.b", 0)),)),
        ("{{sample.output_json.answer}}", (Placeholder("sample", ("output_json", "answer")),)),
        ("{ {item.a} } {item.a}", ("{ {item.a} } {item.a}",)),
        ("an open {{item.a", ("an open {{item.a",)),
    ],
)
def test_a_template_is_its_texts_and_its_placeholders(template, pieces):
    assert pieces_of(template) == pieces


@pytest.mark.parametrize(
    "template",
    [
        "{{}}", "{{ x }}", "{{item}}", "{{sample}}", "{{item.}}", "{{item..a}}", "{{item.a | upper}}", "{{1+1}}",
        "{{item.__class__ + 1}}", "{{sample.secret}}", "{{config.items}}", "{{item[a]}}", "{{item[-1]}}",
    ],
)  # fmt: skip
def test_what_names_nothing_a_grader_has_is_refused_with_the_placeholder(template):
    with pytest.raises(BadTemplate, match=r"\{\{"):
        pieces_of(template)


def test_the_number_of_placeholders_is_bounded():
    with pytest.raises(BadTemplate, match="100 placeholders"):
        pieces_of("{{item.a}}" * 101)


@pytest.mark.parametrize("text", ["{" * 100_000, "{{a" * 50_000, "{{item" + ".a" * 50_000, "}}{{" * 50_000 + "x"])
def test_hostile_texts_take_linear_time(text):
    with work_within(3.0), suppress(BadTemplate):
        pieces_of(text)


@given(st.text(alphabet="{}item.sample_output text[]'\""))
def test_reading_never_fails_otherwise_and_keeps_every_character_outside_placeholders(text):
    try:
        pieces = pieces_of(text)
    except BadTemplate:
        return
    kept = "".join(piece for piece in pieces if isinstance(piece, str))
    assert all(piece in text for piece in pieces if isinstance(piece, str))
    assert len(kept) <= len(text)
