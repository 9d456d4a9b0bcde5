"""Two versions of a judge with every label that people gave counted alike, and when one may be called better."""

from judge_server.core.model import Frozen
from judge_server.util.wording import p_value


class BalancedTest(Frozen):
    """The share of agreement ``before`` and ``after`` with every label that people gave counted alike, on each
    criterion. ``p``: of the exact sign-flip test by prompt with these weights; None if no prompt favours either
    side."""

    before: float
    after: float
    p: float | None = None

    def __str__(self) -> str:
        told = "nothing to test" if self.p is None else p_value(self.p)
        return f"every label counted alike, {self.after:.1%} instead of {self.before:.1%} ({told})"


def claim(fixed: int, broken: int, p: float | None, balanced: BalancedTest | None) -> float | None:
    """The p-value of what may be claimed. That one version agrees better than the other must hold rating by rating
    (``p``) and with every label counted alike, so the larger p counts (Berger 1982, Technometrics 24:295), and 1 if the
    two point in different directions. None if nothing can be tested."""
    if p is None or balanced is None:
        return p
    if balanced.p is None or (balanced.after - balanced.before) * (fixed - broken) <= 0:
        return 1.0
    return max(p, balanced.p)
