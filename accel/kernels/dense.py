"""The layer itself, in exact integers: every pass of a mapping multiplies and adds its own block of the loop nest."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from accel.kernels.options import kernel, parallel_kernel

Ints = NDArray[np.int64]

# Dimensions in the order of `sizes`.
G, N, K, C, P, Q, R, S = range(8)


@kernel
def _points(start: Ints, extent: Ints, axis_of: Ints, inner: Ints, sizes: Ints, dims: Ints) -> Ints:
    """(points, dims) every index of a block along some dimensions, which share no axis with the others."""
    total = 1
    for position in range(len(dims)):
        if _first_on_axis(axis_of, dims, position):
            total *= extent[axis_of[dims[position]]]
    points = np.empty((total, len(dims)), dtype=np.int64)
    for point in range(total):
        rest = point
        for position in range(len(dims) - 1, -1, -1):
            if _first_on_axis(axis_of, dims, position):
                axis = axis_of[dims[position]]
                flat = start[axis] + rest % extent[axis]
                rest //= extent[axis]
                for other in range(len(dims)):
                    if axis_of[dims[other]] == axis:
                        points[point, other] = flat // inner[dims[other]] % sizes[dims[other]]
    return points


@kernel
def _first_on_axis(axis_of: Ints, dims: Ints, position: int) -> bool:
    first = True
    for before in range(position):
        first = first and axis_of[dims[before]] != axis_of[dims[position]]
    return first


@kernel
def _runs(points: Ints) -> Ints:
    """(runs, 4): image, row, first column and number of columns of pixels (n, p, q) that follow each other."""
    runs = np.empty((len(points), 4), dtype=np.int64)
    count = 0
    for point in range(len(points)):
        n, p, q = points[point]
        if count:
            last = runs[count - 1]
            if last[0] == n and last[1] == p and last[2] + last[3] == q:
                last[3] += 1
                continue
        runs[count] = (n, p, q, 1)
        count += 1
    return runs[:count]


@kernel
def _multiply_block(
    start: Ints, extent: Ints, axis_of: Ints, inner: Ints, sizes: Ints, stride: tuple[int, int],
    dilation: tuple[int, int], words: Ints, weights: NDArray[np.integer], outputs: Ints,
) -> None:  # fmt: skip
    """Add the products of one pass to `outputs`."""
    runs = _runs(_points(start, extent, axis_of, inner, sizes, np.array([N, P, Q])))
    taps = _points(start, extent, axis_of, inner, sizes, np.array([C, R, S]))
    filters = _points(start, extent, axis_of, inner, sizes, np.array([G, K]))
    step = stride[1]
    for index in range(len(filters)):
        chosen = filters[index, 0] * sizes[K] + filters[index, 1]
        channel = filters[index, 0] * sizes[C]
        for run in range(len(runs)):
            n, p, q, count = runs[run]
            target = outputs[n, chosen, p, q : q + count]
            image = words[n]
            top, left = p * stride[0], q * step
            # Four taps at a time: the row of outputs is read and written once for all of them.
            for tap in range(0, len(taps) - 3, 4):
                c0, r0, s0 = taps[tap]
                c1, r1, s1 = taps[tap + 1]
                c2, r2, s2 = taps[tap + 2]
                c3, r3, s3 = taps[tap + 3]
                w0, w1 = np.int64(weights[chosen, c0, r0, s0]), np.int64(weights[chosen, c1, r1, s1])
                w2, w3 = np.int64(weights[chosen, c2, r2, s2]), np.int64(weights[chosen, c3, r3, s3])
                x0 = image[channel + c0, top + r0 * dilation[0], left + s0 * dilation[1] :]
                x1 = image[channel + c1, top + r1 * dilation[0], left + s1 * dilation[1] :]
                x2 = image[channel + c2, top + r2 * dilation[0], left + s2 * dilation[1] :]
                x3 = image[channel + c3, top + r3 * dilation[0], left + s3 * dilation[1] :]
                if step == 1:
                    for column in range(count):
                        target[column] += w0 * x0[column] + w1 * x1[column] + w2 * x2[column] + w3 * x3[column]
                else:
                    for column in range(count):
                        at = column * step
                        target[column] += w0 * x0[at] + w1 * x1[at] + w2 * x2[at] + w3 * x3[at]
            for tap in range(len(taps) // 4 * 4, len(taps)):
                c0, r0, s0 = taps[tap]
                w0 = np.int64(weights[chosen, c0, r0, s0])
                x0 = image[channel + c0, top + r0 * dilation[0], left + s0 * dilation[1] :]
                for column in range(count):
                    target[column] += w0 * x0[column * step]


@parallel_kernel
def multiply(
    starts: Ints, extents: Ints, groups: Ints, axis_of: Ints, inner: Ints, sizes: Ints, stride: tuple[int, int],
    dilation: tuple[int, int], words: Ints, weights: NDArray[np.integer], outputs: Ints,
) -> None:  # fmt: skip
    """Run the passes starts/extents (passes, axes); `groups` bounds those that share outputs, which run in turn.

    axis_of: (8,) axis of each dimension; inner: (8,) how many indices of a flattened axis one index of it spans.
    words: (N, G*C, H, W) int64 with its padding written out. weights: (G*K, C, R, S). outputs: (N, G*K, P, Q) int64,
    added to.
    """
    for group in prange(len(groups) - 1):
        for one in range(groups[group], groups[group + 1]):
            _multiply_block(starts[one], extents[one], axis_of, inner, sizes, stride, dilation, words, weights, outputs)
