import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import SquareTable
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from judge_server.agreement.marginal import holm_adjusted, mcnemar, mcnemar_clustered, sign_flip, stuart_maxwell


def test_mcnemar_of_the_textbook_table():
    """794, 86, 150, 570."""
    assert mcnemar(86, 150).statistic == pytest.approx(17.3559, abs=5e-5)
    assert mcnemar(86, 150, "mcnemar_corrected").statistic == pytest.approx(16.8178, abs=5e-5)


@given(st.integers(0, 80), st.integers(0, 80))
def test_mcnemar_is_that_of_statsmodels(first, second):
    if not first + second:
        assert mcnemar(first, second).p is None
        return
    table = [[10, first], [second, 10]]
    for method, exact, correction in (("mcnemar", False, False), ("mcnemar_exact", True, False)):
        expected = statsmodels_mcnemar(table, exact=exact, correction=correction)
        assert mcnemar(first, second, method).p == pytest.approx(expected.pvalue)


def test_few_discordant_items_are_said_to_need_the_exact_test():
    assert "exact" in mcnemar(3, 5).note
    assert mcnemar(30, 50).note is None


def test_no_disagreement_is_no_test():
    assert mcnemar(0, 0).statistic is None
    assert "agree on every item" in mcnemar(0, 0).note


def test_one_item_a_prompt_makes_the_clustered_test_the_plain_one():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 2, (2, 300))
    only = int((first > second).sum()), int((second > first).sum())
    assert mcnemar_clustered(first, second, np.arange(300)).statistic == pytest.approx(mcnemar(*only).statistic)


def test_the_same_rows_ten_times_are_no_ten_times_stronger_evidence():
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 2, (2, 100))
    once = mcnemar_clustered(first, second, np.arange(100))
    copied = mcnemar_clustered(np.tile(first, 10), np.tile(second, 10), np.tile(np.arange(100), 10))
    assert copied.p == pytest.approx(once.p)


@given(st.lists(st.integers(1, 30), min_size=9, max_size=9))
def test_stuart_maxwell_is_that_of_statsmodels(cells):
    table = np.array(cells).reshape(3, 3)
    found, expected = stuart_maxwell(table), SquareTable(table, shift_zeros=False).homogeneity("stuart_maxwell")
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.degrees == 2


def test_stuart_maxwell_of_two_labels_is_mcnemar():
    assert stuart_maxwell(np.array([[794, 86], [150, 570]])).statistic == pytest.approx(17.3559, abs=5e-5)


def test_labels_that_were_never_confused_have_no_test():
    assert stuart_maxwell(np.diag([3, 4, 5])).p is None


def test_the_sign_flip_test_with_one_item_a_prompt_is_the_exact_mcnemar_test():
    for fixed, broken in ((4, 0), (7, 2), (30, 12)):
        first = np.array([1] * fixed + [0] * broken + [1] * 20)
        second = np.array([0] * fixed + [1] * broken + [1] * 20)
        found = sign_flip(first, second, np.arange(len(first)))
        assert found.p == pytest.approx(mcnemar(fixed, broken, "mcnemar_exact").p)
    assert sign_flip(np.array([1] * 4), np.array([0] * 4), np.arange(4)).p == pytest.approx(0.125)


def test_copies_within_a_prompt_prove_nothing_more():
    first, second = np.array([1] * 4 + [0] * 6), np.array([0] * 4 + [0] * 6)
    alone = sign_flip(first, second, np.arange(10))
    copied = sign_flip(np.repeat(first, 5), np.repeat(second, 5), np.repeat(np.arange(10), 5))
    assert copied.p == pytest.approx(alone.p)


@pytest.mark.parametrize("p", [[0.03], [0.01, 0.04, 0.03, 0.005], [0.5, 0.01, 0.01, 1.0, 0.2, 0.0, 0.013]])
def test_holm_is_that_of_statsmodels(p):
    assert holm_adjusted(p) == pytest.approx(list(multipletests(p, method="holm")[1]))


# statsmodels collects garbage in every call, which takes half a second in a large process
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_the_step_down_procedure_rejects(p):
    adjusted = holm_adjusted(p)
    for level in sorted({*p, *adjusted, 0.05}):
        rejected = set()
        for rank, place in enumerate(sorted(range(len(p)), key=p.__getitem__)):
            if p[place] * (len(p) - rank) > level:
                break
            rejected.add(place)
        if level < 1:
            assert {place for place, value in enumerate(adjusted) if value <= level} == rejected


def test_equal_judges_rarely_differ_on_any_of_twelve_criteria():
    random = np.random.default_rng(0)
    claims = 0
    for _ in range(200):
        right = random.random((2, 12, 60)) < 0.8
        p = [sign_flip(*right[:, place].astype(np.int64), np.arange(60) // 2).p or 1.0 for place in range(12)]
        claims += min(holm_adjusted(p)) < 0.05
    assert claims <= 18  # 10 are expected at most
