"""Do two judges, or two versions of one, give labels at different rates? McNemar and Stuart–Maxwell.

McNemar (1947), Psychometrika 12:153, with Edwards' (1948) continuity correction and the exact binomial test; Stuart
(1955), Biometrika 42:412 and Maxwell (1970), Br. J. Psychiatry 116:651. All treat items as independent; the clustered
version is Obuchowski's (1998, Stat. Med. 17:1495): differences summed within a prompt, squared.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from judge_server.agreement.array import Floats, Ints, floats
from judge_server.agreement.distribution import binomial_two_sided, chi_square_tail
from judge_server.agreement.evidence import renumbered
from judge_server.core.model import Frozen

SMALL = 25  # fewest discordant items for the chi-square approximation
_PARTS = 100  # of the smallest weight
_MOST_PARTS = 200_000  # of all weights together: each prompt that differs costs a pass over so many


class MarginalTest(Frozen):
    """``statistic`` and ``p`` are None if nothing can be tested, with the reason in ``note``."""

    method: Literal["mcnemar", "mcnemar_corrected", "mcnemar_exact", "mcnemar_clustered", "sign_flip", "stuart_maxwell"]
    statistic: float | None = None
    p: float | None = None
    degrees: int | None = None
    discordant: int
    note: str | None = None


def mcnemar(
    first_only: int, second_only: int, method: Literal["mcnemar", "mcnemar_corrected", "mcnemar_exact"] = "mcnemar"
) -> MarginalTest:
    """Test on the two discordant counts; the concordant ones carry no information."""
    discordant = first_only + second_only
    if not discordant:
        return MarginalTest(method=method, discordant=0, note="both sides agree on every item")
    if method == "mcnemar_exact":
        return MarginalTest(
            method=method,
            statistic=float(min(first_only, second_only)),
            p=binomial_two_sided(first_only, discordant),
            discordant=discordant,
        )
    gap = abs(first_only - second_only)
    statistic = max(0, gap - (method == "mcnemar_corrected")) ** 2 / discordant
    note = f"only {discordant} discordant items: prefer the exact test" if discordant < SMALL else None
    return MarginalTest(
        method=method, statistic=statistic, p=chi_square_tail(statistic, 1), degrees=1, discordant=discordant, note=note
    )


def mcnemar_clustered(first: Ints, second: Ints, cluster: Ints) -> MarginalTest:
    """The clustered test on (items,) columns of 0 and 1 (say, correct or not), one for each side."""
    group, groups = renumbered(cluster)
    difference = np.bincount(group, weights=(first - second).astype(np.float64), minlength=groups)
    spread = float((difference**2).sum())
    discordant = int((first != second).sum())
    if not spread:
        return MarginalTest(method="mcnemar_clustered", discordant=discordant, note="no prompt favours either side")
    statistic = float(difference.sum()) ** 2 / spread
    return MarginalTest(
        method="mcnemar_clustered",
        statistic=statistic,
        p=chi_square_tail(statistic, 1),
        degrees=1,
        discordant=discordant,
    )


def sign_flip(first: Ints, second: Ints, cluster: Ints, weight: Floats | None = None) -> MarginalTest:
    """The exact clustered test on (items,) columns of 0 and 1: if neither side is better, each prompt's difference is
    as likely to have the other sign (Fisher 1935, The Design of Experiments, sec. 21). With one item a prompt this is
    the exact McNemar test. ``weight``: what each item counts, by anything but the two sides. It is rounded to whole
    parts of the smallest weight, for which the test is exact."""
    group, groups = renumbered(cluster)
    parts = np.ones(len(first)) if weight is None else _whole(weight)
    difference = np.rint(np.bincount(group, weights=(first - second) * parts, minlength=groups)).astype(np.int64)
    discordant = int((first != second).sum())
    differing = difference[difference != 0]
    if not len(differing):
        return MarginalTest(method="sign_flip", discordant=discordant, note="no prompt favours either side")
    unit = int(np.gcd.reduce(differing))
    steps = np.abs(differing) // unit
    reach, seen = int(steps.sum()), abs(int(differing.sum())) // unit
    chance = np.zeros(reach + 1)  # of each sum of the steps that favour the first side
    chance[0] = 1.0
    for step in steps:
        chance /= 2
        chance[step:] += chance[:-step].copy()
    p = float(chance[np.abs(2 * np.arange(reach + 1) - reach) >= seen].sum())
    return MarginalTest(method="sign_flip", statistic=float(seen * unit), p=min(p, 1.0), discordant=discordant)


def _whole(weight: Floats) -> Floats:
    """Weights as multiples of a hundredth of the smallest, or of a larger part if they would be very many."""
    relative = floats(weight / weight.min())
    return floats(np.rint(relative * min(_PARTS, max(_MOST_PARTS / float(relative.sum()), 1.0))))


def holm_adjusted(p: Sequence[float]) -> list[float]:
    """Adjusted p-values: rejecting those at most α keeps the familywise error rate at α (Holm 1979, Scand. J. Stat.
    6:65)."""
    order = sorted(range(len(p)), key=lambda place: p[place])
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = highest
    return adjusted


def stuart_maxwell(table: Floats) -> MarginalTest:
    """Test of equal label rates from a square (labels, labels) table; labels that neither side gave are left out."""
    counts = floats(table)
    used = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
    counts = counts[np.ix_(used, used)]
    gap = (counts.sum(axis=1) - counts.sum(axis=0))[:-1]
    covariance = np.diag(counts.sum(axis=1) + counts.sum(axis=0)) - counts - counts.T
    kept = covariance[:-1, :-1]
    discordant = int(counts.sum() - np.trace(counts))
    if not len(kept) or np.linalg.matrix_rank(kept) < len(kept):
        return MarginalTest(
            method="stuart_maxwell",
            discordant=discordant,
            note="some labels were never confused, so their rates cannot be compared",
        )
    statistic = float(gap @ np.linalg.solve(kept, gap))
    return MarginalTest(
        method="stuart_maxwell",
        statistic=statistic,
        p=chi_square_tail(statistic, len(kept)),
        degrees=len(kept),
        discordant=discordant,
    )
