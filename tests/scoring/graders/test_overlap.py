"""Against NLTK's own implementations, which know the same papers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.gleu_score import sentence_gleu
from nltk.translate.meteor_score import single_meteor_score

from judge_server.scoring.graders import overlap

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
        return overlap._stem(word)


def reference_meteor(mine: list[str], theirs: list[str]) -> float:
    return single_meteor_score(theirs, mine, stemmer=_Stems(), wordnet=_NoSynonyms())


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_gleu_and_meteor_are_nltks(mine, theirs):
    mine, theirs = mine.split(), theirs.split()
    assert overlap.gleu(mine, theirs) == pytest.approx(sentence_gleu([theirs], mine))
    assert overlap.meteor(mine, theirs) == pytest.approx(reference_meteor(mine, theirs))


@settings(max_examples=100, deadline=None)
@given(WORDS, WORDS)
def test_they_are_nltks_for_any_words(mine, theirs):
    assert overlap.gleu(mine, theirs) == pytest.approx(sentence_gleu([theirs], mine))
    assert overlap.meteor(mine, theirs) == pytest.approx(reference_meteor(mine, theirs))


@given(WORDS, WORDS)
def test_cosine_is_symmetric_and_within_bounds(mine, theirs):
    assert overlap.cosine(mine, theirs) == pytest.approx(overlap.cosine(theirs, mine))
    assert 0 <= overlap.cosine(mine, theirs) <= 1 + 1e-12
    assert overlap.cosine(mine, mine) == pytest.approx(1)


def test_cosine_of_counted_words():
    assert overlap.cosine(["a", "a", "b"], ["a", "c"]) == pytest.approx(2 / (5 * 2) ** 0.5)


@pytest.mark.parametrize("metric", [overlap.cosine, overlap.gleu, overlap.meteor])
def test_nothing_is_like_nothing(metric):
    assert metric([], []) == metric(["a"], []) == metric([], ["a"]) == 0
