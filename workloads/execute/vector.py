"""Vector operations on quantised tensors: exact on integers where they can be, else aligned by integer multipliers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from workloads.execute import functions
from workloads.execute.float_forward import affine_arrays, vector_value, with_parameters
from workloads.execute.movement import MOVING_OPS, move, pad
from workloads.execute.quantised import Quantised, largest_integer, quantise, require_finite
from workloads.execute.requantise import PRODUCT_BITS, requantise, requantise_to
from workloads.execute.windows import max_pool, window_counts, window_sums
from workloads.network import Node, Parameters

ALIGNMENT_BITS = 20
"""Fraction bits of the multipliers that bring operands of different scales to a common one."""
SHIFT_BITS = 40
"""Most bits of a constant that is added to products: requantisation needs room beside it in 64."""
CLIPS: dict[str, tuple[float, float | None]] = {"relu": (0.0, None), "relu6": (0.0, 6.0)}
"""Activations that are a lower bound of zero and perhaps an upper one: integers stay integers."""


@dataclass(frozen=True, slots=True, eq=False)
class Accumulated:
    """Wide integers worth `scales` each (broadcast)."""

    sums: NDArray[np.int64]
    scales: NDArray[np.float64]


@np.errstate(all="ignore")  # what is not finite is an error that names its node, not a warning
def finish(node: Node, accumulated: Accumulated, bits: int) -> Quantised:
    """The node's activation, on the integers where it is a clip, then requantisation to the range that came out."""
    sums, scales = accumulated.sums, accumulated.scales
    if node.activation is None:
        return requantise(sums, scales, bits)
    if node.activation not in CLIPS:
        return _quantised(node, functions.ACTIVATION_FUNCTIONS[node.activation](sums * scales), bits)
    sums, high = np.maximum(sums, 0), CLIPS[node.activation][1]
    return requantise(sums if high is None else np.minimum(sums, np.rint(high / scales).astype(np.int64)), scales, bits)


@np.errstate(all="ignore")
def vector_output(node: Node, xs: Sequence[Quantised], parameters: Parameters | None, bits: int) -> Quantised:
    """The node's output in at most `bits`, its fused activation applied."""
    exact = _exact(node, xs, bits)
    if exact is not None:
        return exact if node.activation is None else _activated(node, exact, node.activation, bits)
    accumulated = _accumulated(node, xs, parameters)
    if accumulated is not None:
        return finish(node, accumulated, bits)
    real = [x.real for x in xs]
    y = vector_value(node, real) if parameters is None else with_parameters(node, real[0], parameters)
    if node.activation is not None:
        require_finite(y, f"result of node {node.name}")
        y = functions.ACTIVATION_FUNCTIONS[node.activation](y)
    return _quantised(node, y, bits)


def _quantised(node: Node, y: NDArray[np.float64], bits: int) -> Quantised:
    return quantise(y, bits, source=f"result of node {node.name}")


def _exact(node: Node, xs: Sequence[Quantised], bits: int) -> Quantised | None:
    """Operations that only choose among the integers they are given, or None."""
    x = xs[0]
    if node.op in MOVING_OPS:
        return Quantised(move(node, x.values), x.scale, x.bits)
    if node.op in CLIPS:
        return _activated(node, x, node.op, bits)
    match node.op:
        case "concat":
            return _joined(node, xs, bits)
        case "max_pool":
            return Quantised(max_pool(node, x.values), x.scale, x.bits)
        case "pad":
            limit = largest_integer(x.bits)
            fill = int(np.clip(np.rint(node.attributes["value"] / x.scale), -limit, limit))
            return Quantised(pad(node, x.values, fill), x.scale, x.bits)
        case "clip":
            return _clipped(x, node.attributes["min"], node.attributes["max"])
    return None


def _activated(node: Node, x: Quantised, kind: str, bits: int) -> Quantised:
    if kind in CLIPS:
        return _clipped(x, *CLIPS[kind])
    return _quantised(node, functions.ACTIVATION_FUNCTIONS[kind](x.real), bits)


def _clipped(x: Quantised, low: float | None, high: float | None) -> Quantised:
    limit = largest_integer(x.bits)
    least, most = (
        outer if bound is None else int(np.clip(np.rint(bound / x.scale), -limit, limit))
        for bound, outer in ((low, -limit), (high, limit))
    )
    return Quantised(np.clip(x.values, least, most), x.scale, x.bits)


def _joined(node: Node, xs: Sequence[Quantised], bits: int) -> Quantised:
    """All operands on the coarsest of their grids, whose owner stays as it is."""
    scale = max(x.scale for x in xs)
    parts = [
        x.values if x.scale == scale else requantise_to(x.values.astype(np.int64), x.scale, scale, bits).values
        for x in xs
    ]
    return Quantised(np.concatenate(parts, node.attributes["axis"]), scale, max(x.bits for x in xs))


def _accumulated(node: Node, xs: Sequence[Quantised], parameters: Parameters | None) -> Accumulated | None:
    """Operations whose results are sums or products of integers, or None."""
    x = xs[0]
    match node.op:
        case "add":
            return _sum(xs, (1,) * len(xs))
        case "subtract":
            return _sum(xs, (1, -1))
        case "multiply" if sum(factor.bits for factor in xs) <= PRODUCT_BITS:
            factors = np.broadcast_arrays(*(factor.values.astype(np.int64) for factor in xs))
            return Accumulated(np.prod(factors, axis=0), np.asarray(prod(factor.scale for factor in xs)))
        case "average_pool":
            counts = window_counts(node, *x.values.shape[2:])
            return Accumulated(window_sums(node, x.values.astype(np.int64)), x.scale / counts)
        case "global_average_pool":
            return _mean(x, (2, 3))
        case "mean":
            return _mean(x, node.attributes["axes"])
        case "batch_norm" | "affine" if parameters is not None:
            return _affine(node, x, parameters)
    return None


def _sum(xs: Sequence[Quantised], signs: Sequence[int]) -> Accumulated:
    scale = max(x.scale for x in xs) / (1 << ALIGNMENT_BITS)
    total: NDArray[np.int64] | None = None
    for x, sign in zip(xs, signs, strict=True):
        term = x.values.astype(np.int64) * (sign * round(x.scale / scale))
        total = term if total is None else total + term
    assert total is not None
    return Accumulated(total, np.asarray(scale))


def _mean(x: Quantised, axes: tuple[int, ...]) -> Accumulated:
    count = prod(x.values.shape[axis] for axis in axes)
    return Accumulated(x.values.sum(axis=axes, keepdims=True, dtype=np.int64), np.asarray(x.scale / count))


def _affine(node: Node, x: Quantised, parameters: Parameters) -> Accumulated:
    """Scales become integer multipliers of ALIGNMENT_BITS, shifts integers of SHIFT_BITS on the grid of the products.

    That grid gives way to a shift far above all products: an epsilon beside a variance of nearly nothing.
    """
    factor, shift = affine_arrays(node, parameters)
    largest, offset = (float(np.max(np.abs(part), initial=0.0)) for part in (factor, shift))
    step = max((largest or 1.0) / (1 << ALIGNMENT_BITS), offset / (x.scale * (1 << SHIFT_BITS)))
    multiplier = np.rint(factor / step).astype(np.int64)
    scale = x.scale * step
    return Accumulated(x.values * multiplier + np.rint(shift / scale).astype(np.int64), np.asarray(scale))
