"""A process of our own that does work for another one."""

import math

from judge_server.util import helper_process
from judge_server.util.low_priority import Politeness
from tests.served import until


def test_a_closed_process_ends_and_is_forgotten_when_it_has():
    """However long it starves: a process that nobody waited for is no fault of whoever closed it."""
    one = helper_process.HelperProcess(Politeness.LOW)
    assert one.call(math.factorial, (5,)) == 120
    process = one._process
    one.close()
    until(lambda: process.poll() is not None)
    helper_process._let_go()
    assert process not in helper_process._ending
