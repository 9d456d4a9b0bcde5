"""regex, contains, length, exact_match, tags, citations, repetition."""

import pytest

from judge_server.judging.checks import words
from judge_server.judging.checks.text import normalized
from tests.judging.checks.deciding import decided, value


def test_a_pattern_must_be_found_once_by_default():
    spec = {"kind": "regex", "pattern": "(?s)<answer>.+</answer>"}
    assert value(spec, "So <answer>\n4\n</answer>") == 1
    assert value(spec, "So 4") == 0


@pytest.mark.parametrize(("text", "met"), [("a", 0), ("a a", 1), ("A a a", 1), ("a a a a", 0)])
def test_matches_are_counted_within_bounds(text, met):
    assert (
        value({"kind": "regex", "pattern": "a", "flags": ["ignore_case"], "count": {"min": 2, "max": 3}}, text) == met
    )


def test_a_count_with_only_a_maximum_needs_no_match():
    assert value({"kind": "regex", "pattern": "x", "count": {"max": 0}}, "a") == 1
    assert value({"kind": "regex", "pattern": "x", "count": {"max": 0}}, "x") == 0


def test_flags_reach_the_pattern():
    assert value({"kind": "regex", "pattern": "^b$", "flags": ["multiline"]}, "a\nb\nc") == 1
    assert value({"kind": "regex", "pattern": "^b$"}, "a\nb\nc") == 0


def test_contains_asks_for_any_all_and_none_together():
    spec = {"kind": "contains", "any": ["red", "blue"], "all": ["sky"], "none": ["green"]}
    assert value(spec, "The SKY is Blue") == 1
    assert decided(spec, "The sky is grey").reason == "none of 2 texts was found, “red” among them"
    assert decided(spec, "It is blue").reason == "“sky” is missing"
    assert decided(spec, "The sky is blue and green").reason == "“green” is in the text and should not be"


def test_contains_keeps_case_where_asked():
    assert value({"kind": "contains", "any": ["SKY"], "ignore_case": False}, "sky") == 0


@pytest.mark.parametrize(
    ("unit", "length"),
    [("words", 13), ("tokens", 17), ("characters", 59), ("sentences", 4), ("paragraphs", 2), ("lines", 3)],
)
def test_each_unit_of_length_has_its_count(unit, length):
    text = "Dr. Ng's dose is 3.5 mg.\nIs that\n\nreally right? I doubt it!"
    assert value({"kind": "length", "unit": unit, "min": length, "max": length}, text) == 1, len(text)


def test_a_chinese_character_is_a_word_and_its_full_stop_ends_a_sentence():
    assert words.words("我们喝tea。好！") == ["我", "们", "喝", "tea", "好"]
    assert len(words.sentences("我们喝tea。好！")) == 2


def test_abbreviations_and_initials_do_not_end_a_sentence():
    assert len(words.sentences("E.g. Dr. J. Smith, i.e. the author, agrees. She left.")) == 2


@pytest.mark.parametrize(
    ("length", "grade"), [(0, 0), (5, 0), (8, 0.6), (10, 1), (20, 1), (25, 0.75), (40, 0), (60, 0)]
)
def test_a_graded_length_falls_to_nothing_at_half_and_at_twice(length, grade):
    spec = {"kind": "length", "unit": "words", "min": 10, "max": 20, "graded": True}
    assert value(spec, "w " * length or " ") == pytest.approx(grade)


def test_a_length_says_what_was_found():
    assert decided({"kind": "length", "max": 2}, "one two three").reason == "3 of at most 2 words"


@pytest.mark.parametrize("given", ["The Eiffel Tower!", "eiffel  tower", "ＥＩＦＦＥＬ TOWER."])
def test_a_normalised_match_overlooks_case_articles_punctuation_and_width(given):
    assert value({"kind": "exact_match"}, given, "Eiffel Tower") == 1


def test_an_exact_match_that_is_not_normalised_overlooks_only_white_space_around():
    assert value({"kind": "exact_match", "normalize": False}, " Paris\n", "Paris") == 1
    assert value({"kind": "exact_match", "normalize": False}, "paris", "Paris") == 0


def test_a_text_of_nothing_but_an_article_or_signs_still_differs_from_others():
    assert normalized("A") == "a"
    assert value({"kind": "exact_match"}, "A", "the") == 0
    assert value({"kind": "exact_match"}, "+", "-") == 0


def test_the_last_extraction_is_matched_against_any_accepted_text():
    spec = {"kind": "exact_match", "extract": r"Answer: (\w)", "against": ["B", "C"]}
    assert value(spec, "Answer: A. No wait. Answer: C") == 1
    assert decided(spec, "C").reason == "the extraction pattern was not found"


TAGS = {"kind": "tags", "required": ["think", "answer"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think>a</think><answer>b</answer>", None),
        ("<think>a</think> so <answer>b</answer>", None),
        ("<answer>b</answer>", "<think> is missing"),
        ("<answer>b</answer><think>a</think>", "the elements are in another order: <answer>, <think>"),
        ("<think>a</think><answer>b</answer><answer>c</answer>", "<answer> occurs 2 times"),
        ("<think>a</think><answer>b", "<answer> is not closed"),
        ("<think>a<answer>b</answer></think>", "<answer> is misplaced"),
        ("a</think><answer>b</answer>", "</think> is misplaced"),
    ],
)
def test_tags_stand_closed_in_order_and_once(text, said):
    verdict = decided(TAGS, text)
    assert verdict.value == (1 if said is None else 0)
    if said:
        assert verdict.reason == said


def test_exclusive_tags_leave_no_text_outside():
    spec = TAGS | {"exclusive": True}
    assert value(spec, " <think>a</think>\n<answer>b</answer> ") == 1
    assert decided(spec, "Hi <think>a</think><answer>b</answer>").reason == "there is text outside the elements"


@pytest.mark.parametrize(
    ("style", "text", "number"),
    [
        ("bracket", "As shown [1], and later [2, 3; 5-7] and [^9], twice [1].", 7),
        ("bracket", "An item [x] of list[1234] and [link](http://a.b)", 0),
        ("author_year", "(Smith, 2020) and Doe et al. (2019a); again (Smith, 2020).", 2),
        ("author_year", "(Kim & Lee 2018; O'Neil, 2021)", 2),
        ("author_year", "In March 2020, since 2019 (May 2021)", 0),
        ("url", "https://a.org/x. and http://b.org, and https://a.org/x", 2),
        ("doi", "doi:10.1000/xyz123. and https://doi.org/10.1000/XYZ123", 1),
        ("any", "See [1] and [2] and https://a.org", 2),
    ],
)
def test_different_sources_are_counted(style, text, number):
    assert value({"kind": "citations", "style": style, "min": number, "max": number}, text) == 1


def test_a_citation_limit_says_how_many_there_are():
    assert decided({"kind": "citations", "max": 2}, "[1] [2] [3]").reason == "3 of at most 2 citations"


def test_repetition_is_the_share_of_repeated_ngrams():
    spec = {"kind": "repetition", "n": 2, "max_ngram_share": 0.4}
    assert value(spec, "one two three four") == 1
    assert decided(spec, "a b a b a b").reason == "60% of the 2-grams are repeated, at most 40% wanted"
    assert value(spec, "word") == 1
