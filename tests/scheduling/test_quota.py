"""How much one caller may have under way."""

import pytest

from judge_server.core.caller import Allowance, Caller, current_caller
from judge_server.core.errors import AllowanceSpent, TooLarge
from judge_server.scheduling.admission import Admission


@pytest.fixture
def bounded():
    """The current caller may have three submissions under way."""
    before = current_caller.set(Caller("bounded", frozenset({"score"}), Allowance(submissions_under_way=3)))
    yield
    current_caller.reset(before)


@pytest.mark.usefixtures("bounded")
async def test_a_caller_waits_for_its_own_submissions_only():
    admission = Admission(100)
    with admission.enter(2):
        admission.require_room(1)
        with pytest.raises(AllowanceSpent, match="2 submissions under way, and may have 3") as spent:
            admission.require_room(2)
        other = current_caller.set(Caller("other", frozenset({"score"}), Allowance(submissions_under_way=3)))
        admission.require_room(3)
        current_caller.reset(other)
    admission.require_room(3)
    assert spent.value.retry_after_seconds > 0


@pytest.mark.usefixtures("bounded")
async def test_a_request_that_can_never_be_let_in_is_not_sent_away_to_wait():
    with pytest.raises(TooLarge) as refused:
        Admission(100).require_room(4)
    assert refused.value.extensions == {"max_items": 3}


async def test_callers_without_a_limit_share_the_servers_alone():
    admission = Admission(10)
    with admission.enter(9):
        admission.require_room(500)
