"""The true rate behind a judge's rate, from its sensitivity and specificity.

Rogan & Gladen (1978), Am. J. Epidemiol. 107:71; variance by the delta method, as there.
"""

from math import sqrt

from judge_server.agreement.distribution import two_sided
from judge_server.agreement.estimate import Estimate
from judge_server.core.model import Frozen

LEAST_YOUDEN = 0.1  # below it the correction multiplies every error by more than ten


class Share(Frozen):
    """A rate and the number of items it was measured on; without the number, it counts as known exactly."""

    rate: float
    n: int | None = None

    @property
    def variance(self) -> float:
        return 0.0 if self.n is None else self.rate * (1 - self.rate) / self.n


def rogan_gladen(apparent: Share, sensitivity: Share, specificity: Share, confidence: float = 0.95) -> Estimate:
    """(apparent + specificity − 1) / (sensitivity + specificity − 1), kept within [0, 1] with a note where it left
    them.

    Undefined where the judge tells positive from negative too poorly (J < 0.1): there the formula returns noise.
    """
    n = apparent.n or 0
    youden = sensitivity.rate + specificity.rate - 1
    if youden < LEAST_YOUDEN:
        reason = (
            f"sensitivity + specificity − 1 is {youden:.2f}: the judge hardly tells yes from no, so this would be noise"
        )
        return Estimate(n=n, clusters=n, note=reason)
    raw = (apparent.rate + specificity.rate - 1) / youden
    variance = apparent.variance + (raw**2) * sensitivity.variance + ((1 - raw) ** 2) * specificity.variance
    value = min(1.0, max(0.0, raw))
    note = (
        None
        if value == raw
        else f"the formula gives {raw:.3f}, outside [0, 1]: the rates do not fit together, or chance"
    )
    if apparent.n is None:
        return Estimate(value=value, note=note or "no interval: the apparent rate came without its n")
    half = two_sided(confidence) * sqrt(variance) / youden
    low, high = max(0.0, min(1.0, raw - half)), max(0.0, min(1.0, raw + half))
    return Estimate(value=value, low=low, high=high, n=n, clusters=n, note=note)
