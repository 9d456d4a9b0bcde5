"""Data sets that textbooks and papers print, and the plainest possible way to read a metric off them."""

import numpy as np

from judge_server.agreement.interval import estimate
from judge_server.agreement.resampling import Resampling

# Fleiss' κ as computed on Wikipedia: 10 items, 14 raters, 5 labels
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ],
    dtype=float,
)  # fmt: skip

# Krippendorff (2011): 4 observers, 12 units, gaps; 0 stands for a gap
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)  # fmt: skip
KRIPPENDORFF_COUNTS = np.stack([(label == KRIPPENDORFF).sum(axis=0) for label in range(1, 6)], axis=1).astype(float)

# Shrout & Fleiss (1979), table 2: 6 targets, 4 judges
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)

EVERYTHING = Resampling(min_clusters=2, min_items=2)


def values(evidence, metrics):
    """Every metric's plain value by name, nan where undefined."""
    total = evidence.total()
    return {metric.name: float(metric.value(total)[0]) for metric in metrics}


def estimates(evidence, metrics, resampling=EVERYTHING):
    return estimate(evidence, metrics, resampling)
