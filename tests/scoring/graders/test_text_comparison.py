"""Graders that compare two texts. GLEU and METEOR are checked against NLTK, which implements the same papers."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.gleu_score import sentence_gleu
from nltk.translate.meteor_score import single_meteor_score

from judge_server.core.grader import Metric, StringCheck, TextSimilarity
from judge_server.scoring.graders import text_comparison
from judge_server.scoring.graders.grader_input import GraderInput
from judge_server.scoring.graders.text_comparison import check_string, measure_similarity, similarity


@pytest.mark.parametrize(
    ("operation", "given", "wanted", "score"),
    [
        ("eq", "Paris", "Paris", 1),
        ("eq", "paris", "Paris", 0),
        ("eq", "Paris ", "Paris", 0),
        ("ne", "London", "Paris", 1),
        ("ne", "Paris", "Paris", 0),
        ("like", "It is Paris.", "Paris", 1),
        ("like", "It is paris.", "Paris", 0),
        ("like", "Paris", "It is Paris.", 0),
        ("ilike", "It is PARIS.", "paris", 1),
        ("ilike", "STRASSE", "straße", 1),
        ("like", "It is Paris.", "%Paris%", 0),
        ("like", "It is Paris.", "P.ris", 0),
    ],
)
def test_operations(operation, given, wanted, score):
    grader = StringCheck(
        type="string_check", input="{{sample.output_text}}", reference="{{item.a}}", operation=operation
    )
    assert check_string(grader, GraderInput(given, {"a": wanted})) == score


METRICS = get_args(Metric)
TEXT = "Rest, drink water, and see a doctor if the pain does not go away within two days."


@pytest.mark.parametrize("metric", METRICS)
def test_equal_texts_are_alike_and_strange_ones_are_not(metric):
    assert similarity(metric, TEXT, TEXT) == pytest.approx(1, abs=0.01)
    assert similarity(metric, "zzz", TEXT) < 0.1
    assert similarity(metric, "", TEXT) == similarity(metric, TEXT, "") == 0


@pytest.mark.parametrize("metric", METRICS)
def test_nearer_texts_are_more_alike(metric):
    near = TEXT.replace("two", "three")
    far = "Rest and drink water now."
    assert similarity(metric, near, TEXT) > similarity(metric, far, TEXT)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("metric", METRICS)
def test_long_hostile_texts_take_bounded_time(metric):
    assert 0 <= similarity(metric, "a b " * 250_000, "b a " * 250_000) <= 1


@pytest.mark.parametrize(("order", "value"), [(1, 5 / 6), (2, 3 / 5), (3, 1 / 4), (4, 0.0), (5, 0.0)])
def test_rouge_counts_runs_of_words(order, value):
    assert similarity(f"rouge_{order}", "the cat sat on the mat", "the cat lay on the mat") == pytest.approx(value)


async def test_templates_are_filled():
    grader = TextSimilarity(
        type="text_similarity", input="{{sample.output_text}}", reference="{{item.a}}", evaluation_metric="rouge_l"
    )
    assert await measure_similarity(grader, GraderInput("one two", {"a": "one two"})) == 1


PAIRS = [
    ("the cat sat on the mat", "the cats sat on a mat"),
    ("it is a guide to action which ensures that the military always obeys", "it is a guide to action that ensures"),
    ("drink water and rest", "rest and drink water"),
    ("one", "one"),
    ("a a a b b", "b b b a a"),
    ("nothing shared", "at all here"),
]
WORDS = st.lists(
    st.sampled_from(["the", "cat", "cats", "sat", "sit", "mat", "running", "run"]), min_size=1, max_size=12
)


class _NoSynonyms:
    """Stands where NLTK would look words up in WordNet."""

    def synsets(self, word):
        return []


class _Stems:
    def stem(self, word):
        return text_comparison._stem(word)


def reference_meteor(mine: list[str], theirs: list[str]) -> float:
    return single_meteor_score(theirs, mine, stemmer=_Stems(), wordnet=_NoSynonyms())


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_gleu_and_meteor_are_nltks(mine, theirs):
    mine, theirs = mine.split(), theirs.split()
    assert text_comparison.gleu(mine, theirs) == pytest.approx(sentence_gleu([theirs], mine))
    assert text_comparison.meteor(mine, theirs) == pytest.approx(reference_meteor(mine, theirs))


@settings(max_examples=100, deadline=None)
@given(WORDS, WORDS)
def test_they_are_nltks_for_any_words(mine, theirs):
    assert text_comparison.gleu(mine, theirs) == pytest.approx(sentence_gleu([theirs], mine))
    assert text_comparison.meteor(mine, theirs) == pytest.approx(reference_meteor(mine, theirs))


@given(WORDS, WORDS)
def test_cosine_is_symmetric_and_within_bounds(mine, theirs):
    assert text_comparison.cosine(mine, theirs) == pytest.approx(text_comparison.cosine(theirs, mine))
    assert 0 <= text_comparison.cosine(mine, theirs) <= 1 + 1e-12
    assert text_comparison.cosine(mine, mine) == pytest.approx(1)


def test_cosine_of_counted_words():
    assert text_comparison.cosine(["a", "a", "b"], ["a", "c"]) == pytest.approx(2 / (5 * 2) ** 0.5)


@pytest.mark.parametrize("metric", [text_comparison.cosine, text_comparison.gleu, text_comparison.meteor])
def test_nothing_is_like_nothing(metric):
    assert metric([], []) == metric(["a"], []) == metric([], ["a"]) == 0
