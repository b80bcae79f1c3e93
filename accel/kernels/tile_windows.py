"""Input positions that tiles of outputs and taps touch, each tile by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.estimate_layout import C, N, Nest, P, Q, R, S
from accel.kernels.options import borrowing_kernel
from accel.kernels.windows import touched_positions

Ints = NDArray[np.int64]


@borrowing_kernel
def covered(low: int, high: int, size: int, span: int) -> tuple[int, int]:
    """(first, number) of the indices of a dimension that low..high - 1 of its axis cover, the axis once around at most.

    An index of the dimension covers `span` of the axis.
    """
    last = high - 1
    if low // (size * span) != last // (size * span):
        return 0, size
    return low // span % size, last // span - low // span + 1


@borrowing_kernel
def _covered_of(dim: int, place: Ints, at: Ints, high: Ints, tile: Ints, nest: Nest) -> tuple[int, int]:
    """`covered` by the tile that begins at `at`; (0, 1) of a dimension that none of the four axes has."""
    four = place[dim]
    if four < 0:
        return 0, 1
    return covered(at[four], min(at[four] + tile[four], high[four]), nest.sizes[dim], nest.spans[dim])


@borrowing_kernel
def window_sums(
    low: Ints, high: Ints, tile: Ints, place: Ints, side: Ints, nest: Nest, at: Ints, classes: Ints
) -> tuple[int, int]:
    """(sum, most) over tiles of images x channels x rows x columns they touch; rows or columns only as `side` says.

    low, high, tile: of up to two axes of outputs and two of taps, absent ones 0, 1, 1. place[dim]: which of the four
    has the dimension, or -1. Tiles of taps that look alike are counted in `classes` first; `at` is room for four.
    """
    found = 0
    for at[2] in range(low[2], high[2], tile[2]):
        for at[3] in range(low[3], high[3], tile[3]):
            # Images go with outputs, channels with taps.
            channels = _covered_of(C, place, at, high, tile, nest)[1] if place[C] >= 2 else 1
            r, taps_r = _covered_of(R, place, at, high, tile, nest) if side[0] else (0, 0)
            s, taps_s = _covered_of(S, place, at, high, tile, nest) if side[1] else (0, 0)
            like = 0
            while like < found and not (
                classes[like, 0] == r
                and classes[like, 1] == taps_r
                and classes[like, 2] == s
                and classes[like, 3] == taps_s
            ):
                like += 1
            if like == found:
                classes[like, 0], classes[like, 1], classes[like, 2], classes[like, 3] = r, taps_r, s, taps_s
                classes[like, 4] = classes[like, 5] = 0
                found += 1
            classes[like, 4] += channels
            classes[like, 5] = max(classes[like, 5], channels)
    strides, padding = nest.strides, nest.padding
    total = most = 0
    for at[0] in range(low[0], high[0], tile[0]):
        for at[1] in range(low[1], high[1], tile[1]):
            images = _covered_of(N, place, at, high, tile, nest)[1] if place[N] < 2 else 1
            p, rows_out = _covered_of(P, place, at, high, tile, nest) if side[0] else (0, 0)
            q, columns_out = _covered_of(Q, place, at, high, tile, nest) if side[1] else (0, 0)
            for like in range(found):
                words = images
                if side[0]:
                    r, taps_r = classes[like, 0], classes[like, 1]
                    words *= touched_positions(p, rows_out, strides[0], r, taps_r, strides[2], padding[0], nest.height)
                if side[1]:
                    s, taps_s = classes[like, 2], classes[like, 3]
                    words *= touched_positions(
                        q, columns_out, strides[1], s, taps_s, strides[3], padding[1], nest.width
                    )
                total += words * classes[like, 4]
                most = max(most, words * classes[like, 5])
    return total, most
