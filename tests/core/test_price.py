"""What calls cost."""

import pytest
from pydantic import ValidationError

from judge_server.core.judgment import Usage
from judge_server.core.price import Price

USAGE = Usage(prompt_tokens=1_000_000, cached_tokens=400_000, completion_tokens=10_000, calls=3)


def test_dollars_are_tokens_by_the_price_of_a_million_and_calls_by_theirs():
    price = Price(prompt=2.0, cached=0.5, completion=8.0, call=0.01)

    assert price.of(USAGE) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.01 * 8 + 0.03)
    assert USAGE.charged(price).dollars == pytest.approx(1.51)


def test_cached_tokens_cost_what_others_do_if_nothing_else_is_said():
    assert Price(prompt=2.0).of(USAGE) == pytest.approx(2.0)


def test_costs_add_up():
    some = [Usage(calls=1, dollars=0.25), Usage(calls=1, dollars=0.5)]
    assert Usage.total(some).dollars == pytest.approx(0.75)


@pytest.mark.parametrize("given", [{}, {"prompt": 0}, {"prompt": -1}, {"promt": 1}])
def test_a_price_that_says_nothing_is_refused(given):
    with pytest.raises(ValidationError):
        Price(**given)
