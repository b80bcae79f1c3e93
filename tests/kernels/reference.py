"""Slow, obvious namesakes of the kernels; `reference_passes` holds the largest of them."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from workloads.layer import Layer


def distinct_positions(outputs: int, stride: int, taps: int, dilation: int) -> int:
    """Positions that windows touch."""
    return len({i * stride + j * dilation for i in range(outputs) for j in range(taps)})


def touched_positions(
    first: int, outputs: int, stride: int, tap: int, taps: int, dilation: int, padding: int, size: int
) -> int:
    """Positions inside the input that windows touch."""
    found = {i * stride + j * dilation - padding for i in range(first, first + outputs) for j in range(tap, tap + taps)}
    return len([position for position in found if 0 <= position < size])


def inputs_met(layer: Layer, words: NDArray[np.integer]) -> NDArray[np.int64]:
    """(G*C, R, S): nonzero inputs each tap meets."""
    met = np.zeros((layer.G * layer.C, layer.R, layer.S), dtype=np.int64)
    for channel, r, s in np.ndindex(met.shape):
        for n, p, q in product(range(layer.N), range(layer.P), range(layer.Q)):
            h = p * layer.stride[0] + r * layer.dilation[0] - layer.padding[0]
            w = q * layer.stride[1] + s * layer.dilation[1] - layer.padding[1]
            inside = 0 <= h < layer.H and 0 <= w < layer.W
            met[channel, r, s] += inside and words[n, channel, h, w] != 0
    return met


def effectual_macs(layer: Layer, given: NDArray[np.integer], weight: NDArray[np.integer]) -> tuple[int, int, int]:
    """MACs with both factors nonzero, with a nonzero input, with a nonzero weight; padding is zero."""
    both = inputs = weights = 0
    for g, n, k, c, p, q, r, s in np.ndindex(*layer.extents):
        h = p * layer.stride[0] + r * layer.dilation[0] - layer.padding[0]
        w = q * layer.stride[1] + s * layer.dilation[1] - layer.padding[1]
        inside = 0 <= h < layer.H and 0 <= w < layer.W
        a = bool(inside and given[n, g * layer.C + c, h, w] != 0)
        b = bool(weight[g * layer.K + k, c, r, s] != 0)
        both, inputs, weights = both + (a and b), inputs + a, weights + b
    return both, inputs, weights


def run_length_pairs(words: list[int], longest: int) -> list[tuple[int, int]]:
    """(zeros, value that ends them), the last value standing for the tail when the words end in zeros."""
    pairs, run = [], 0
    for word in words:
        if word == 0 and run < longest:
            run += 1
        else:
            pairs.append((run, word))
            run = 0
    return [*pairs, (run - 1, 0)] if run else pairs
