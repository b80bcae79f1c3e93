"""What the closed form has to know to expect how long an array that skips zeros takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels import zero_fields as kernel
from accel.known_zeros import KnownZeros
from accel.spec import Accelerator
from workloads import Layer
from workloads.layer import DIMS

_STYLES = {"inner": kernel.INNER, "structured": kernel.INNER, "column": kernel.COLUMN, "plane": kernel.PLANE}
_BARRIERS = {"pass": kernel.AT_PASS, "window": kernel.AT_WINDOW, "chunk": kernel.AT_CHUNK}


def skipping_vector(layer: Layer, spec: Accelerator, zeros: KnownZeros) -> NDArray[np.float64]:
    """(ZEROS,) as `kernels.skipped_cycles` takes it; of style DENSE for an array that skips nothing."""
    array, matching = spec.pe_array, spec.pe_array.matching
    vector = np.zeros(kernel.ZEROS)
    vector[kernel.KEPT : kernel.KEPT + 2] = zeros.kept
    if not array.skips:
        return vector
    structured, plane = matching.style == "structured", matching.style == "plane"
    inputs = zeros.nonzero[0] if array.zero_handling.input == "skip" and not structured else 1.0
    weights = zeros.nonzero[1] if array.zero_handling.weight == "skip" and not structured else 1.0
    inside = (1.0, 1.0)
    if array.zero_handling.input == "skip" and not (structured or plane):
        inside = _inside(layer)
    if not (plane or structured) and weights > 0 and min(inside) > 0.0:
        # As they meet: zeros of both may lie together.
        inputs = min(1.0, zeros.issued_macs / (layer.macs * weights * inside[0] * inside[1]))
    width = matching.width
    if structured and zeros.issued_macs < layer.macs:
        width = width * matching.m // matching.n
    vector[kernel.STYLE] = _STYLES[matching.style]
    vector[kernel.INPUTS], vector[kernel.WEIGHTS] = inputs, weights
    vector[kernel.INSIDE : kernel.INSIDE + 2] = inside
    vector[kernel.WIDTH] = matching.inputs if plane else width
    vector[kernel.WEIGHT_WIDTH] = matching.weights
    vector[kernel.LEAST], vector[kernel.CHUNK], vector[kernel.SCAN] = matching.least, matching.chunk, matching.scan
    vector[kernel.RUN] = (1 << matching.run_bits) - 1 if matching.run_bits else 0
    vector[kernel.BARRIER] = _BARRIERS[array.barrier]
    vector[kernel.LOCKSTEP], vector[kernel.SLACK] = array.lockstep, array.slack
    vector[kernel.BRICK] = array.distribution.brick if array.distribution.C == "bricks" else 0
    vector[kernel.BALANCED] = array.distribution.K == "balanced"
    runs = [getattr(array.distribution, dim) == "blocked" for dim in DIMS]
    vector[kernel.RUNS : kernel.RUNS + len(DIMS)] = runs
    vector[kernel.BENEATH : kernel.BENEATH + 2] = layer.H / layer.P, layer.W / layer.Q
    for side, span in enumerate((layer.R, layer.S)):
        stride = layer.stride[side]
        before = ((span - 1) * layer.dilation[side] - layer.padding[side]) // stride
        after = (stride - 1 + layer.padding[side]) // stride
        vector[kernel.BEYOND + side] = max(0, before, after)
        vector[kernel.REACH + side] = max(0, before) + max(0, after)
    vector[kernel.HALO] = matching.halo_words_per_cycle
    return vector


def _inside(layer: Layer) -> tuple[float, float]:
    """Shares of the rows and of the columns of all windows that no padding fills."""
    shares = []
    for outputs, taps, size, side in ((layer.P, layer.R, layer.H, 0), (layer.Q, layer.S, layer.W, 1)):
        at = np.arange(outputs)[:, None] * layer.stride[side] + np.arange(taps) * layer.dilation[side]
        place = at - layer.padding[side]
        shares.append(float(np.mean((place >= 0) & (place < size))))
    return shares[0], shares[1]
