"""Which points no other point beats in both costs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_front(first: ArrayLike, second: ArrayLike) -> NDArray[np.bool_]:
    """Whether each point is on the front: none is at most as large in both costs and smaller in one.

    Equal points are on the front together. Costs are to be small; a point that is not finite is never on the front.
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    on_front = np.zeros(len(x), dtype=bool)
    valid = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    order = valid[np.lexsort((y[valid], x[valid]))]
    lowest = np.inf
    start = 0
    while start < len(order):
        # Points of equal x stand together, the lowest first: they are on the front with it when equal to it.
        stop = start
        while stop < len(order) and x[order[stop]] == x[order[start]]:
            stop += 1
        least = y[order[start]]
        if least < lowest:
            group = order[start:stop]
            on_front[group[y[group] == least]] = True
            lowest = least
        start = stop
    return on_front
