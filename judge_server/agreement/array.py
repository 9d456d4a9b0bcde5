"""Array types, and division that gives nan for a zero denominator."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """``numerator / denominator``, nan where the denominator is 0, which marks an undefined metric."""
    above, below = np.broadcast_arrays(floats(numerator), floats(denominator))
    quotient = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient


def where_defined(values: Floats, defined: NDArray[Any]) -> Floats:
    """``values`` with nan where ``defined`` is false."""
    return np.where(defined, values, np.nan)


def numbered(values: Iterable[Hashable], known: Mapping[Any, int] | None = None) -> tuple[Ints, dict[Any, int]]:
    """Each value's code, in order of first appearance after the ``known`` ones, and the mapping of values to codes."""
    numbers: dict[Any, int] = dict(known or {})
    return np.fromiter((numbers.setdefault(value, len(numbers)) for value in values), dtype=np.int64), numbers
