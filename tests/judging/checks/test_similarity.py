"""similarity and language."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rapidfuzz import fuzz
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF

from judge_server.core.errors import BadRubric
from judge_server.judging import checks
from judge_server.judging.checks.similarity import rouge_n, similarity
from judge_server.judging.checks.words import plain_words
from tests.judging.checks.deciding import decided, rubric, value

GIVEN = "The cat sat on the mat, and the dog lay by the door all night."
WANTED = "A cat was sitting on the mat while the dog lay near the door."
METRICS = ["ratio", "token_set", "rouge_1", "rouge_2", "rouge_l", "bleu", "chrf"]


@pytest.mark.parametrize("metric", METRICS)
def test_equal_texts_are_wholly_similar_and_strange_ones_hardly(metric):
    assert similarity(metric, GIVEN, GIVEN) == pytest.approx(1)
    assert similarity(metric, "zzz qqq", GIVEN) < 0.2
    assert similarity(metric, "", GIVEN) == 0


def test_edit_metrics_are_rapidfuzz_s():
    assert similarity("ratio", GIVEN, WANTED) == pytest.approx(fuzz.ratio(GIVEN, WANTED) / 100)
    assert similarity("token_set", GIVEN, WANTED) == pytest.approx(
        fuzz.token_set_ratio(GIVEN.lower(), WANTED.lower()) / 100
    )


@pytest.mark.parametrize(("metric", "theirs"), [("rouge_1", "rouge1"), ("rouge_2", "rouge2"), ("rouge_l", "rougeL")])
def test_rouge_is_rouge_score_s_on_english(metric, theirs):
    wanted = RougeScorer([theirs]).score(WANTED, GIVEN)[theirs].fmeasure
    assert similarity(metric, GIVEN, WANTED) == pytest.approx(wanted)


def test_rouge_counts_words_that_are_not_english():
    assert similarity("rouge_1", "我们喝茶", "我们喝水") == pytest.approx(0.75)


def test_bleu_is_sacrebleu_s():
    assert similarity("bleu", GIVEN, WANTED) == pytest.approx(
        BLEU(effective_order=True).sentence_score(GIVEN, [WANTED]).score / 100
    )


TEXTS = some.one_of(some.text(alphabet="ab cd\n", max_size=40), some.text(max_size=20))


@given(TEXTS, TEXTS)
def test_chrf_is_sacrebleu_s(given, wanted):
    given, wanted = given.strip(), wanted.strip()
    theirs = CHRF().sentence_score(given, [wanted]).score / 100
    assert similarity("chrf", given, wanted) == pytest.approx(theirs)


@given(TEXTS, TEXTS, some.integers(1, 5))
def test_rouge_n_is_rouge_score_s(given, wanted, order):
    name = f"rouge{order}"
    theirs = RougeScorer([name], tokenizer=PlainWords()).score(wanted, given)[name].fmeasure
    assert rouge_n(given, wanted, order) == pytest.approx(theirs)


class PlainWords:
    def tokenize(self, text):
        return plain_words(text)


def test_a_minimum_makes_it_pass_or_fail():
    assert 0 < value({"kind": "similarity", "metric": "ratio"}, GIVEN, WANTED) < 1
    assert value({"kind": "similarity", "metric": "ratio", "min": 0.5}, GIVEN, WANTED) == 1
    assert value({"kind": "similarity", "metric": "ratio", "min": 0.95}, GIVEN, WANTED) == 0


def test_long_texts_are_compared_at_their_beginning_and_the_reason_says_so():
    reason = decided({"kind": "similarity", "metric": "rouge_l"}, "a b " * 20_000, "a b").reason
    assert reason is not None
    assert "first 20000 characters" in reason


ENGLISH = "The patient should drink enough water and rest for a few days before going back to work. "
GERMAN = "Der Patient sollte genug Wasser trinken und sich einige Tage ausruhen, bevor er wieder arbeitet. "


def test_the_language_of_most_letters_decides():
    assert value({"kind": "language", "any": ["en"]}, ENGLISH * 3) == 1
    assert value({"kind": "language", "any": ["en"]}, GERMAN * 3) == 0
    assert value({"kind": "language", "any": ["en"]}, ENGLISH * 3 + GERMAN) == 0
    assert value({"kind": "language", "any": ["en"], "min_share": 0.6}, ENGLISH * 3 + GERMAN) == 1
    assert value({"kind": "language", "any": ["en", "de"]}, ENGLISH + GERMAN) == 1
    assert value({"kind": "language", "any": ["zh"]}, "患者应该多喝水，休息几天，然后再回去工作。") == 1


def test_code_and_addresses_have_no_language():
    text = ENGLISH + "\n```python\nfor wert in liste: drucke(wert)\n```\nhttps://beispiel.example/seite"
    assert value({"kind": "language", "any": ["en"]}, text) == 1


def test_a_text_without_letters_has_no_language_and_that_is_no_zero():
    verdict = decided({"kind": "language", "any": ["en"]}, "42 + 1")
    assert verdict.value is None
    assert verdict.error is not None
    assert verdict.error.type == "check_failed"


def test_a_language_that_cannot_be_told_is_refused_with_the_known_ones():
    with pytest.raises(BadRubric, match=r"language xx cannot be distinguished.*known: .*en"):
        checks.prepare(rubric({"kind": "language", "any": ["xx"]}))
