"""Layers computed independently of any mapping: windows gathered to columns, then one matrix product a group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.layer import Layer

CHUNK_WORDS = 1 << 22
"""Words of gathered windows, and of converted weights, at a time (32 MB of float64)."""
EXACT_FLOAT32, EXACT_FLOAT64, EXACT_INT64 = 1 << 24, 1 << 53, 1 << 63
"""Below these magnitudes every partial sum is exact, whatever the order of summation."""


def convolve_integers(layer: Layer) -> NDArray[np.int64]:
    """Accumulators (N, G*K, P, Q) of a layer with tensors, exact.

    Uses BLAS in float32 or float64 where no partial sum can leave their exact integers, else int64. Raises InputError
    when the layer has no tensors or a sum could overflow 64 bits.
    """
    if layer.tensors is None:
        raise InputError("has no tensors: needs real operands", source=f"layer {layer.name}")
    x, weight = layer.tensors.input, layer.tensors.weight
    bound = _largest(x) * _largest_row_sum(weight)
    if bound >= EXACT_INT64:
        raise InputError(f"sums up to {bound} overflow 64 bits: use narrower operands", source=f"layer {layer.name}")
    dtype = np.float32 if bound < EXACT_FLOAT32 else np.float64 if bound < EXACT_FLOAT64 else np.int64
    return convolve(layer, x, weight, dtype).astype(np.int64)


def convolve(layer: Layer, x: NDArray[Any], weight: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """The layer's sums (N, G*K, P, Q), computed in `dtype`; `x` may have rows and columns no window reaches."""
    g, n, k, c, p, q, r, s = layer.extents
    top, left, bottom, right = layer.padding
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = _windows(padded, layer).reshape(n, g, c, p, q, r, s)
    flat = weight.reshape(g, k, c * r * s)
    out = np.empty((n, g, k, p, q), dtype)
    rows, filters = max(1, CHUNK_WORDS // (g * c * r * s * q)), max(1, CHUNK_WORDS // (g * c * r * s))
    for first in range(0, k, filters):
        w = flat[:, first : first + filters].astype(dtype, copy=False)
        for image in range(n):
            for start in range(0, p, rows):
                part = windows[image, :, :, start : start + rows]
                columns = part.transpose(0, 1, 4, 5, 2, 3).reshape(g, c * r * s, -1).astype(dtype, copy=False)
                sums = (w @ columns).reshape(g, -1, columns.shape[2] // q, q)
                out[image, :, first : first + filters, start : start + rows] = sums
    return out.reshape(layer.output_shape)


def macs_on_zero(layer: Layer) -> int:
    """MACs of a layer with tensors whose activation is a zero of the input itself, not of its padding."""
    if layer.tensors is None:
        raise InputError("has no tensors: needs real operands", source=f"layer {layer.name}")
    zeros = (layer.tensors.input == 0).sum(axis=1, dtype=np.int64)[:, None]
    total = sum(int(tap.sum()) for tap in _taps(zeros, layer))
    # Channels were summed over all groups: each reaches the K filters of its own.
    return total * layer.K


def macs_on_padding(layer: Layer) -> int:
    """MACs of a layer that read padding."""
    rows, columns = (_inside(layer, axis) for axis in (0, 1))
    return layer.macs - layer.G * layer.N * layer.K * layer.C * rows * columns


def _inside(layer: Layer, axis: int) -> int:
    """(output, tap) pairs along an axis that read the input itself."""
    size = (layer.H, layer.W)[axis]
    outputs, taps = ((layer.P, layer.R), (layer.Q, layer.S))[axis]
    at = np.add.outer(np.arange(outputs) * layer.stride[axis], np.arange(taps) * layer.dilation[axis])
    at -= layer.padding[axis]
    return int(np.count_nonzero((at >= 0) & (at < size)))


def _taps(x: NDArray[Any], layer: Layer) -> Iterator[NDArray[Any]]:
    top, left, bottom, right = layer.padding
    windows = _windows(np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right))), layer)
    for r in range(layer.R):
        for s in range(layer.S):
            yield windows[..., r, s]


def _windows(padded: NDArray[Any], layer: Layer) -> NDArray[Any]:
    """(N, channels, P, Q, R, S), a view."""
    (dr, ds), (sr, ss) = layer.dilation, layer.stride
    span = ((layer.R - 1) * dr + 1, (layer.S - 1) * ds + 1)
    windows = sliding_window_view(padded, span, axis=(2, 3))
    return windows[:, :, ::sr, ::ss, ::dr, ::ds][:, :, : layer.P, : layer.Q]


def _largest(x: NDArray[Any]) -> int:
    return max(int(x.max()), -int(x.min())) if x.size else 0


def _largest_row_sum(weight: NDArray[Any]) -> int:
    flat = weight.reshape(weight.shape[0], -1)
    # int8 has no |-128|; summing the two signs apart needs no wider copy.
    positive = np.sum(flat, axis=1, dtype=np.int64, where=flat > 0)
    negative = np.sum(flat, axis=1, dtype=np.int64, where=flat < 0)
    return int((positive - negative).max(initial=0))
