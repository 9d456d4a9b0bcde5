"""What one caller may take: the priority ceiling and the largest request."""

import pytest

from judge_server.core.caller import Allowance
from judge_server.core.errors import Forbidden


def test_without_limits_everything_is_allowed():
    assert Allowance().priority("training", "batch") == "training"
    assert Allowance().largest_request is None


@pytest.mark.parametrize(("ceiling", "default", "judged_in"), [
    ("interactive", "training", "interactive"),
    ("batch", "interactive", "batch"),
    ("interactive", "batch", "batch"),
    ("audit", "training", "audit"),
])  # fmt: skip
def test_a_default_is_lowered_to_the_ceiling(ceiling, default, judged_in):
    assert Allowance(most_urgent=ceiling).priority(None, default) == judged_in


def test_asking_for_more_than_the_ceiling_is_refused_and_names_what_is_allowed():
    with pytest.raises(Forbidden, match="training") as refused:
        Allowance(most_urgent="batch").priority("training", "interactive")
    assert "batch or audit" in refused.value.remedy


def test_the_largest_request_is_what_both_limits_let_in():
    assert Allowance(submissions_under_way=10, submissions_per_request=64).largest_request == 10
    assert Allowance(submissions_per_request=64).largest_request == 64
