"""Normalisations: BatchNormalization, LayerNormalization, LRN, Softmax."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from workloads.network import Parameters
from workloads.onnx_import.call import Call, Operator
from workloads.onnx_import.elementwise import affine
from workloads.onnx_import.view import View

SOFTMAX_PER_AXIS = 13
"""From this opset on Softmax works along one axis; before, over all axes from `axis` on taken together."""


def _batch_norm(call: Call) -> tuple[View, ...]:
    node = call.node
    if node.attribute("training_mode", 0) or not node.attribute("spatial", 1):
        raise node.error("is in training mode or not spatial: export it for inference")
    scale, bias, mean, variance = (call.required(i).astype(np.float64) for i in range(1, 5))
    if np.any(variance + node.attribute("epsilon", 1e-5) <= 0.0):
        raise node.error("has a variance that is not positive: needs positive ones")
    factor = scale / np.sqrt(variance + node.attribute("epsilon", 1e-5))
    x = call.view()
    channel = (-1,) + (1,) * (len(x.axes) - 2)
    return (affine(call, x, factor.reshape(channel), (bias - mean * factor).reshape(channel)),)


def _layer_norm(call: Call) -> tuple[View, ...]:
    node, x = call.node, call.unpadded(call.view())
    first = node.axis(node.attribute("axis", -1), len(x.axes))
    if all(axis is None for axis in x.axes[first:]):
        x = call.assembly.plain(x)
    over = tuple(sorted(axis for axis in x.axes[first:] if axis is not None))
    parts = [_over_axes(call, x, over, i) for i in (1, 2) if call.has(i)]
    epsilon = float(node.attribute("epsilon", 1e-5))
    name = call.assembly.builder.layer_norm(call.name(), x.node, over, epsilon, bias=len(parts) == 2)
    call.assembly.other[name] = Parameters(*parts)
    return (x.on(name),)


def _over_axes(call: Call, x: View, over: tuple[int, ...], index: int) -> NDArray[np.float64]:
    """A constant input laid out to broadcast against the base, one value for each place in the axes `over`."""
    given = call.required(index)
    laid = x.in_base(given)
    if laid is None or any(extent > 1 for axis, extent in enumerate(laid.shape) if axis not in over):
        raise call.node.error(
            f"input {index} of shape {list(given.shape)} does not fit {list(x.shape)}: needs the axes from `axis` on"
        )
    extents = [extent if axis in over else 1 for axis, extent in enumerate(x.base)]
    return np.broadcast_to(laid.astype(np.float64), extents)


def _lrn(call: Call) -> tuple[View, ...]:
    node, assembly = call.node, call.assembly
    x = assembly.in_memory(call.view())
    alpha, beta, bias = node.attribute("alpha", 1e-4), node.attribute("beta", 0.75), node.attribute("bias", 1.0)
    return (assembly.view(assembly.builder.lrn(call.name(), x, int(node.attribute("size")), alpha, beta, bias)),)


def _softmax(call: Call) -> tuple[View, ...]:
    node, builder = call.node, call.assembly.builder
    x = call.unpadded(call.view())
    per_axis = node.opset >= SOFTMAX_PER_AXIS
    axis = node.axis(node.attribute("axis", -1 if per_axis else 1), len(x.axes))
    after = x.shape[axis + 1 :]
    if per_axis or prod(after) == 1:
        base = x.axes[axis]
        if base is None:
            x = call.assembly.plain(x)
            base = axis
        return (x.on(builder.softmax(call.name(), x.node, base)),)
    source = call.assembly.in_memory(x)
    flat = builder.reshape(call.name(".flat"), source, (prod(x.shape[:axis]), prod(x.shape[axis:])))
    name = builder.reshape(call.name(".shape"), builder.softmax(call.name(), flat, 1), x.shape)
    return (call.assembly.view(name),)


OPERATORS: dict[str, Operator] = {
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "LRN": _lrn,
    "Softmax": _softmax,
}
