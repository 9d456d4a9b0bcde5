import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.agreement.contingency import as_coincidences, pair_table, rating_coincidences
from judge_server.agreement.krippendorff import (
    MEASURED_ALPHA,
    MOMENT_ALPHA,
    krippendorff_metrics,
    measured_ratings,
)
from judge_server.agreement.moment import moments
from judge_server.agreement.scale import LabelScale
from tests.agreement.textbook import KRIPPENDORFF, KRIPPENDORFF_COUNTS, estimates, values

FIVE = LabelScale.of([1, 2, 3, 4, 5])
ratings = st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=2, max_size=15)


def counted(rows):
    return np.array([[row.count(label) for label in range(1, 6)] for row in rows], dtype=float)


def alphas(counts):
    return values(rating_coincidences(counts, np.arange(len(counts))), krippendorff_metrics(FIVE))


def by_definition(rows, level):
    """α from all pairs of ratings, without a coincidence matrix; 0 is a gap."""
    units = [[label for label in row if label] for row in rows]
    units = [unit for unit in units if len(unit) >= 2]
    pooled = [label for unit in units for label in unit]
    usage = [pooled.count(label) for label in range(6)]

    def distance(one, other):
        low, high = min(one, other), max(one, other)
        return {
            "nominal": float(one != other),
            "ordinal": (sum(usage[low : high + 1]) - (usage[low] + usage[high]) / 2) ** 2 if low != high else 0,
            "interval": (one - other) ** 2,
            "ratio": ((one - other) / (one + other)) ** 2,
        }[level]

    observed = sum(sum(distance(a, b) for a in unit for b in unit) / (len(unit) - 1) for unit in units) / len(pooled)
    expected = sum(distance(a, b) for a in pooled for b in pooled) / (len(pooled) * (len(pooled) - 1))
    return 1 - observed / expected


def test_alpha_of_the_canonical_data_at_four_levels():
    expected = {"nominal": 0.7434, "ordinal": 0.8154, "interval": 0.8491, "ratio": 0.7974}
    found = alphas(KRIPPENDORFF_COUNTS)
    assert found == pytest.approx({f"krippendorff_alpha_{level}": value for level, value in expected.items()}, abs=5e-5)


@given(ratings)
def test_alpha_is_its_definition_over_all_pairs(rows):
    found = alphas(counted(rows))
    paired = {label for row in rows if sum(map(bool, row)) >= 2 for label in row if label}
    for level in ("nominal", "ordinal", "interval", "ratio"):
        value = found[f"krippendorff_alpha_{level}"]
        if len(paired) < 2:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(by_definition(rows, level))


@given(ratings, st.randoms(use_true_random=False))
def test_alpha_ignores_the_order_of_items_and_of_raters(rows, random):
    shuffled = [random.sample(row, len(row)) for row in random.sample(rows, len(rows))]
    assert alphas(counted(shuffled)) == pytest.approx(alphas(counted(rows)), nan_ok=True)


def test_alpha_of_two_raters_reads_their_table():
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 5, (2, 40))
    table = pair_table(first, second, np.arange(40), 5)
    counts = np.eye(5)[first] + np.eye(5)[second]
    assert as_coincidences(table.total()) == pytest.approx(rating_coincidences(counts, np.arange(40)).total())


def test_measurements_have_the_interval_alpha_of_their_table():
    observer, unit = np.nonzero(KRIPPENDORFF)
    value = KRIPPENDORFF[observer, unit].astype(float)
    found = values(measured_ratings(value, unit, np.arange(12)), [MEASURED_ALPHA])
    assert found["krippendorff_alpha_interval"] == pytest.approx(0.8491, abs=5e-5)


def test_two_columns_of_numbers_have_the_interval_alpha_of_their_table():
    rng = np.random.default_rng(5)
    first, second = rng.integers(1, 6, (2, 30))
    counts = np.eye(5)[first - 1] + np.eye(5)[second - 1]
    found = values(moments(first.astype(float), second.astype(float), np.arange(30)), [MOMENT_ALPHA])
    assert found["krippendorff_alpha_interval"] == pytest.approx(alphas(counts)["krippendorff_alpha_interval"])


def test_one_label_everywhere_has_no_alpha_and_says_why():
    constant = estimates(
        rating_coincidences(np.tile([0.0, 3, 0, 0, 0], (40, 1)), np.arange(40)), krippendorff_metrics(FIVE)
    )
    assert {found.value for found in constant.values()} == {None}
    assert all("same label" in found.note for found in constant.values())


def test_values_below_zero_have_no_ratio_alpha():
    names = [metric.name for metric in krippendorff_metrics(LabelScale.of([-1, 0, 1]))]
    assert "krippendorff_alpha_ratio" not in names
    assert "krippendorff_alpha_interval" in names
