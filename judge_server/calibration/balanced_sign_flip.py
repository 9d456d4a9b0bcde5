"""The exact test by prompt of two versions of a judge, with every label that people gave counted alike."""

from judge_server.agreement.array import Floats, Ints
from judge_server.agreement.marginal import sign_flip
from judge_server.calibration.balanced_test import BalancedTest


def balanced_sign_flip(old: Ints, new: Ints, cluster: Ints, weight: Floats) -> BalancedTest:
    """``old``, ``new``: (ratings,), 1 where a version agrees with people; ``weight``: of ``label_weights``."""
    return BalancedTest(before=float(weight @ old), after=float(weight @ new), p=sign_flip(new, old, cluster, weight).p)
