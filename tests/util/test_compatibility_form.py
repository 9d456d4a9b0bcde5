import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.guard.marks import normalize
from judge_server.judging.checks.text import normalized
from judge_server.util.compatibility_form import JOINER, MOST_MARKS, compatibility_form
from tests.yardstick import work_within

_ORDERED_LAST = "\u05b0\u0591"  # of different classes, in the order that normalization has to change


@given(st.text())
def test_it_is_nfkc_for_text_as_people_write_it(text):
    assert compatibility_form(text) == unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize("count", [1, MOST_MARKS // 2])
def test_runs_of_up_to_30_marks_are_left_whole(count):
    text = "e" + _ORDERED_LAST * count + "x"
    assert compatibility_form(text) == unicodedata.normalize("NFKC", text)
    assert JOINER in compatibility_form("e" + _ORDERED_LAST * (MOST_MARKS // 2 + 1))


def test_no_mark_is_missed():
    beyond = [c for c in map(chr, range(0x1F000, sys.maxunicode + 1)) if unicodedata.combining(c)]
    before = [c for c in map(chr, range(0x300)) if unicodedata.combining(c)]
    assert not beyond
    assert not before


@pytest.mark.parametrize("normalizing", [compatibility_form, normalize, normalized])
@pytest.mark.parametrize("marks", [_ORDERED_LAST, "\u0f73\u0f71", "\uff9e\u05b0", "\u0345\u0301"])
def test_long_runs_of_marks_take_time_linear_in_their_length(normalizing, marks):
    text = "\uff21" + marks * 150_000
    with work_within(1):  # 60 s with a sort of every run
        normalizing(text)
