"""What the process for long texts keeps of what it was sent."""

import operator

import pytest

from judge_server.core.model import Frozen
from judge_server.util.loans import FORGOTTEN_SECONDS, LENT_SECONDS, Borrower, Lender, Lost


class Text(Frozen):
    text: str


class Ends:
    """A sender and a receiver; ``sent``: bytes of the last request."""

    def __init__(self) -> None:
        self.now = 0.0
        self._lender, self._borrower = Lender(lambda: self.now), Borrower()

    def takes(self, *arguments: object) -> tuple[object, ...]:
        request = b"".join(self._lender.request(operator.eq, arguments))
        self.sent = len(request)
        work, taken = self._borrower.take(request)
        self._lender.answered()
        assert work is operator.eq
        return taken

    def rest(self, seconds: float) -> None:
        """No request comes."""
        self.now += seconds
        if seconds > FORGOTTEN_SECONDS:
            self._borrower.forget()

    @property
    def kept(self) -> int:
        return len(self._borrower)


def test_a_long_model_is_sent_once_for_all_that_is_done_with_it():
    ends, long = Ends(), Text(text="a" * 1_000_000)
    assert ends.takes(long, 1) == (long, 1)
    assert ends.sent > 1_000_000
    assert ends.takes(2, long) == (2, long)
    assert ends.sent < 1_000


def test_two_models_of_one_request_do_not_change_places():
    ends, one, other = Ends(), Text(text="a" * 100_000), Text(text="b" * 100_000)
    assert ends.takes(one, other) == (one, other)
    assert ends.takes(other, one) == (other, one)


def test_a_model_that_is_gone_is_forgotten_whoever_has_its_place_in_memory():
    ends = Ends()
    for number in range(50):
        long = Text(text=str(number) * 100_000)
        assert ends.takes(long) == (long,)
        del long
        assert ends.kept <= 2


def test_what_is_kept_is_bounded_in_number_and_size():
    ends, many = Ends(), [Text(text=str(number) * 70_000) for number in range(40)]
    for one in many:
        ends.takes(one)
    assert ends.kept <= 17
    large = [Text(text=str(number) * 7_000_000) for number in range(4)]
    for one in large:
        ends.takes(one)
    assert ends.kept <= 3
    assert ends.takes(large[0], many[0]) == (large[0], many[0])


@pytest.mark.parametrize("argument", [Text(text="short"), "a" * 1_000_000, ["a" * 1_000_000]])
def test_short_models_and_what_may_change_are_sent_each_time(argument):
    ends = Ends()
    for _ in range(2):
        assert ends.takes(argument) == (argument,)
        assert ends.kept == 0


def test_what_cannot_be_pickled_leaves_what_is_kept_as_it_was():
    lender, borrower, long = Lender(), Borrower(), Text(text="a" * 100_000)
    with pytest.raises((AttributeError, TypeError)):
        lender.request(lambda: None, (long,))
    assert borrower.take(b"".join(lender.request(operator.eq, (long,))))[1] == (long,)


def test_a_receiver_that_does_not_have_what_it_should_says_so():
    lender, long = Lender(), Text(text="a" * 100_000)
    lender.request(operator.eq, (long,))
    with pytest.raises(Lost):
        Borrower().take(b"".join(lender.request(operator.eq, (long,))))


@pytest.mark.parametrize("seconds", [LENT_SECONDS + 0.1, FORGOTTEN_SECONDS + 0.1])
def test_after_a_rest_a_model_is_sent_again_and_the_one_before_is_not_kept_beside_it(seconds: float):
    ends, long = Ends(), Text(text="a" * 100_000)
    ends.takes(long)
    ends.rest(seconds)
    assert ends.takes(long) == (long,)
    assert ends.sent > 100_000
    assert ends.kept == 1


def test_a_model_that_is_asked_for_in_time_is_not_sent_again():
    ends, long = Ends(), Text(text="a" * 100_000)
    ends.takes(long)
    for _ in range(5):
        ends.rest(LENT_SECONDS - 0.1)
        assert ends.takes(long) == (long,)
        assert ends.sent < 1_000
