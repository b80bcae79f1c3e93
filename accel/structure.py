"""Whether weights have the structure that an array of shared multipliers needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.n_of_m import find_violation
from accel.spec import PEArray


def structured(weights: NDArray[np.integer], array: PEArray) -> bool:
    """Whether an array whose multipliers serve groups of channels finds no more nonzeros in them than it can take.

    Channels have to fill their groups: a short one, as of an image's three channels, may be all nonzeros and yet hold
    no more of them than are kept, and leaves nothing to skip. (Tools that prune for such arrays pass these layers by.)
    """
    matching = array.matching
    if matching.style != "structured" or weights.shape[1] % matching.m:
        return False
    lines = np.ascontiguousarray(np.moveaxis(weights, 1, -1)).reshape(-1, weights.shape[1])
    return find_violation(lines, matching.m, matching.n)[0] < 0


def kept_weights(weights: NDArray[np.integer], array: PEArray) -> NDArray[np.integer]:
    """What such an array holds of structured weights: of every group of channels as many nonzeros as it has places."""
    n, m = array.matching.n, array.matching.m
    filters, channels, *taps = weights.shape
    groups = weights.reshape(filters, channels // m, m, *taps)
    places = np.cumsum(groups != 0, axis=2, dtype=np.int64)
    return np.where(places <= n, groups, 0).astype(weights.dtype).reshape(weights.shape)
