"""The outputs of a layer on real operands, computed by walking the passes of its mapping."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from accel.kernels.dense import multiply
from mappings import Mapping, axis_relevant
from mappings.passes import pass_blocks
from workloads import InputError, Layer, Operand, Tensors
from workloads.layer import DIMS


def compute(layer: Layer, mapping: Mapping) -> NDArray[np.int64]:
    """Exact accumulators (N, G*K, P, Q) of a layer with tensors.

    A mapping that skips or repeats a block computes something else. Raises InputError when there are no tensors, or
    when sums could pass 63 bits.
    """
    if layer.tensors is None:
        raise InputError("no tensors to compute with: draw operands first", source=f"layer {layer.name}")
    require_room(layer, layer.tensors)
    words, weights = layer.tensors.input, layer.tensors.weight
    axes = mapping.axes()
    starts, extents = pass_blocks(layer, mapping)
    by_output = [column for column, axis in enumerate(axes) if axis_relevant(axis, Operand.OUTPUT)]
    order = np.lexsort(starts[:, by_output].T[::-1]) if by_output else np.arange(len(starts))
    starts, extents = np.ascontiguousarray(starts[order]), np.ascontiguousarray(extents[order])
    fresh = np.r_[True, (starts[1:, by_output] != starts[:-1, by_output]).any(axis=1), True]
    outputs = np.zeros(layer.output_shape, dtype=np.int64)
    multiply(
        starts,
        extents,
        np.flatnonzero(fresh),
        np.array([next(i for i, axis in enumerate(axes) if dim in axis) for dim in DIMS], dtype=np.int64),
        np.array([_spanned(layer, axes, dim) for dim in DIMS], dtype=np.int64),
        np.array(layer.extents, dtype=np.int64),
        layer.stride,
        layer.dilation,
        np.pad(words.astype(np.int64), ((0, 0), (0, 0), layer.padding[0::2], layer.padding[1::2])),
        np.ascontiguousarray(weights, dtype=np.int16 if np.can_cast(weights.dtype, np.int16) else np.int64),
        outputs,
    )
    return outputs


def _spanned(layer: Layer, axes: tuple[str, ...], dim: str) -> int:
    """Indices of the axis that pass before the dimension's own index moves."""
    axis = next(axis for axis in axes if dim in axis)
    return prod(getattr(layer, inner) for inner in axis[axis.index(dim) + 1 :])


def require_room(layer: Layer, operands: Tensors) -> None:
    """Raise InputError when the layer's sums on these operands could pass 63 bits."""

    def largest(values: NDArray[np.integer]) -> int:
        return max(abs(int(values.min())), abs(int(values.max()))) if values.size else 0

    bound = largest(operands.input) * largest(operands.weight) * layer.C * layer.R * layer.S
    if bound >= 1 << 63:
        raise InputError("sums could pass 63 bits: use narrower operands", source=f"layer {layer.name}")
