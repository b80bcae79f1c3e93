"""The layer itself, in exact integers: every pass of a mapping multiplies and adds its own block of the loop nest."""

from __future__ import annotations

import numpy as np
from numba import prange

from accel.kernels.options import kernel, parallel_kernel

# Dimensions in the order of `sizes`.
G, N, K, C, P, Q, R, S = range(8)


@kernel
def _multiply_block(  # type: ignore[no-untyped-def]
    start, extent, axis_of, sizes, stride, dilation, words, weights, outputs
):
    """Add the products of one pass to `outputs`. `axis_of` maps each dimension to its axis of start and extent."""
    flat_pixels = axis_of[P] == axis_of[Q] and axis_of[Q] == axis_of[N]
    flat_taps = axis_of[C] == axis_of[S] and axis_of[R] == axis_of[S]
    # Pixels as runs along q within one image row: (n, p, first q, count).
    if flat_pixels:
        first, count = start[axis_of[Q]], extent[axis_of[Q]]
        rows = (first + count - 1) // sizes[Q] - first // sizes[Q] + 1
        runs = np.empty((rows, 4), dtype=np.int64)
        for row in range(rows):
            line = first // sizes[Q] + row
            low = max(first, line * sizes[Q])
            high = min(first + count, (line + 1) * sizes[Q])
            runs[row] = (line // sizes[P], line % sizes[P], low - line * sizes[Q], high - low)
    else:
        images, lines = extent[axis_of[N]], extent[axis_of[P]]
        runs = np.empty((images * lines, 4), dtype=np.int64)
        for image in range(images):
            for line in range(lines):
                runs[image * lines + line] = (
                    start[axis_of[N]] + image, start[axis_of[P]] + line, start[axis_of[Q]], extent[axis_of[Q]],
                )  # fmt: skip
    if flat_taps:
        taps = np.empty((extent[axis_of[S]], 3), dtype=np.int64)
        for tap in range(len(taps)):
            rest = start[axis_of[S]] + tap
            taps[tap] = (rest // (sizes[R] * sizes[S]), rest // sizes[S] % sizes[R], rest % sizes[S])
    else:
        depth, high, wide = extent[axis_of[C]], extent[axis_of[R]], extent[axis_of[S]]
        taps = np.empty((depth * high * wide, 3), dtype=np.int64)
        for tap in range(len(taps)):
            taps[tap] = (
                start[axis_of[C]] + tap // (high * wide),
                start[axis_of[R]] + tap // wide % high,
                start[axis_of[S]] + tap % wide,
            )
    flat_filters = axis_of[G] == axis_of[K]
    filters = extent[axis_of[K]] if flat_filters else extent[axis_of[G]] * extent[axis_of[K]]
    step = stride[1]
    for index in range(filters):
        if flat_filters:
            chosen = start[axis_of[K]] + index
        else:
            group_index, k = index // extent[axis_of[K]], index % extent[axis_of[K]]
            chosen = (start[axis_of[G]] + group_index) * sizes[K] + start[axis_of[K]] + k
        channel = chosen // sizes[K] * sizes[C]
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
def multiply(  # type: ignore[no-untyped-def]
    starts, extents, groups, axis_of, sizes, stride, dilation, words, weights, outputs
):
    """Run the passes starts/extents (passes, axes); `groups` bounds those that share outputs, which run in turn.

    words: (N, G*C, H, W) int64 with its padding written out. weights: (G*K, C, R, S). outputs: (N, G*K, P, Q) int64, added to.
    """
    for group in prange(len(groups) - 1):
        for one in range(groups[group], groups[group + 1]):
            _multiply_block(starts[one], extents[one], axis_of, sizes, stride, dilation, words, weights, outputs)
