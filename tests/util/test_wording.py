import pytest

from judge_server.util.wording import beside, capitalized, many, money, p_value, percent, plain


def test_a_noun_agrees_with_its_count():
    assert [many(count, "item") for count in (0, 1, 2, 1_000)] == ["0 items", "1 item", "2 items", "1,000 items"]
    assert (many(1, "criterion", "criteria"), many(2, "criterion", "criteria")) == ("1 criterion", "2 criteria")


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0%"), (0.001, "under 1%"), (0.37, "37%"), (0.999, "over 99%"), (1, "100%")]
)
def test_only_nothing_is_0_percent_and_only_all_is_100(share, said):
    assert percent(share) == said


def test_a_value_is_told_apart_from_its_bound():
    assert (beside(0.5, 0.4), beside(0.3961, 0.4), beside(0.3999, 0.4)) == (".50", ".396", ".3999")
    assert beside(0.4, 0.4) == ".40"


def test_coefficients_and_probabilities_are_written_as_journals_do():
    assert (plain(0.649), plain(-0.02), plain(-0.001), plain(1)) == (".65", "−.02", ".00", "1.00")
    assert (p_value(0.0337), p_value(0.0004)) == ("p = .034", "p < .001")
    assert capitalized("of what people call bad") == "Of what people call bad"


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        *((0, "$0.00"), (0.004, "$0.004"), (0.00031234, "$0.0003123"), (0.0123, "$0.0123"), (0.5, "$0.50")),
        *((8.1, "$8.10"), (9.998, "$9.998"), (10, "$10.00"), (1234.5, "$1,234.50"), (1e-9, "$0.000000001")),
    ],
)
def test_money_is_told_to_the_cent_or_to_four_digits(dollars, said):
    assert money(dollars) == said
