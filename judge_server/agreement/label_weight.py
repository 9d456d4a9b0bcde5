"""Weights of ratings under which every label that people gave counts alike: who says the commoner label of nearly
everything agrees often, and reads nothing.

The weighted agreement is the balanced accuracy (Brodersen, Ong, Stephan & Buhmann 2010, ICPR, 3121), which for two
labels is (1 + Youden's J) / 2 (Youden 1950, Cancer 3:32), averaged over criteria by their ratings:

    sum over criteria c of  n_c / N  *  mean over labels l of  right_cl / n_cl
"""

import numpy as np

from judge_server.agreement.array import Floats, Ints

RARE = 5  # with fewer ratings of a label its share of agreement can hardly be known


def label_weights(people: Ints, criterion: Ints) -> Floats:
    """(ratings,): what each rating counts, 1 in all. ``people``: the label that people gave; ``criterion``: of each
    rating. A criterion's labels with fewer than ``RARE`` ratings count together with its next rarer ones, as long as
    two groups stay."""
    weights = np.zeros(len(people))
    for one in np.unique(criterion):
        own = criterion == one
        group, groups = _grouped(people[own])
        counts = np.bincount(group, minlength=groups)
        weights[own] = own.sum() / len(people) / (groups * counts[group])
    return weights


def _grouped(people: Ints) -> tuple[Ints, int]:
    """The group of each rating's label, and how many groups there are."""
    labels, place = np.unique(people, return_inverse=True)
    counts = np.bincount(place)
    groups: list[list[int]] = [[int(label)] for label in np.argsort(counts, kind="stable")]
    while len(groups) > 2 and counts[groups[0]].sum() < RARE:
        groups = sorted([groups[0] + groups[1], *groups[2:]], key=lambda own: int(counts[own].sum()))
    chart = np.zeros(len(labels), dtype=np.int64)
    for number, own in enumerate(groups):
        chart[own] = number
    return chart[place], len(groups)
