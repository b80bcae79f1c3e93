"""Operators that move elements (Reshape, Transpose, Concat, Slice, Split, Pad, ...) and those that do nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import helper

from workloads.onnx_import.call import Call, Operator
from workloads.onnx_import.view import PendingPadding, View


def _same(call: Call) -> tuple[View, ...]:
    return (call.view(),)


def _cast(call: Call) -> tuple[View, ...]:
    kind = helper.tensor_dtype_to_np_dtype(call.node.attribute("to"))
    if kind.kind != "f":
        raise call.node.error(f"casts an activation to {kind}: only floating-point types are followed")
    return (call.view(),)


def _dropout(call: Call) -> tuple[View, ...]:
    if call.has(2) and bool(call.required(2)):
        raise call.node.error("is in training mode: export it for inference")
    return (call.view(),)


def _reshape(call: Call) -> tuple[View, ...]:
    """Reshape, Flatten, Squeeze, Unsqueeze: the inferred shape says it all."""
    x = call.unpadded(call.view())
    seen = x.reshaped(call.shape)
    if seen is not None:
        return (seen,)
    assembly = call.assembly
    # Straight from the node where the layout is only unit axes: one reshape, not two.
    ordered = [axis for axis in x.axes if axis is not None and x.base[axis] > 1]
    source = x.node if ordered == sorted(ordered) else assembly.in_memory(x)
    if call.node.op == "Flatten" and len(call.shape) == 2 and call.shape[0] == assembly.builder.shape(source)[0]:
        return (assembly.view(assembly.builder.flatten(call.name(), source)),)
    return (assembly.view(assembly.builder.reshape(call.name(), source, call.shape)),)


def _transpose(call: Call) -> tuple[View, ...]:
    x = call.view()
    rank = len(x.axes)
    return (x.transposed(call.node.integers("perm", tuple(range(rank))[::-1])),)


def _concat(call: Call) -> tuple[View, ...]:
    node, assembly = call.node, call.assembly
    parts = [call.unpadded(call.view(i)) for i in range(len(node.inputs))]
    axis = node.axis(node.attribute("axis", 1), len(parts[0].axes))
    layout = parts[0]
    along = layout.axes[axis]
    if along is None or not all(_joins(layout, part, along) for part in parts):
        parts, layout, along = [assembly.plain(part) for part in parts], View.of("", call.shape), axis
    name = assembly.builder.concat(call.name(), *(part.node for part in parts), axis=along)
    return (layout.on(name, assembly.builder.shape(name)),)


def _joins(first: View, part: View, along: int) -> bool:
    """Whether both have one layout and agree on every axis but the joined one."""
    if first.axes != part.axes or len(first.base) != len(part.base):
        return False
    return all(a == b for i, (a, b) in enumerate(zip(first.base, part.base, strict=True)) if i != along)


def cut(call: Call, x: View, slices: tuple[slice, ...], suffix: str = "") -> View:
    """The elements of `x` under one slice an axis."""
    x = call.unpadded(x)
    ranges = [range(*part.indices(extent)) for part, extent in zip(slices, x.shape, strict=True)]
    if [len(taken) for taken in ranges] == list(x.shape) and all(taken.step == 1 for taken in ranges):
        return x
    shape, starts, steps = list(x.base), [0] * len(x.base), [1] * len(x.base)
    for axis, taken in zip(x.axes, ranges, strict=True):
        if axis is not None:
            shape[axis], starts[axis], steps[axis] = len(taken), taken.start, taken.step
    attributes = {"starts": tuple(starts), "steps": tuple(steps)}
    return x.on(call.assembly.node(call.node.label + suffix, "slice", (x.node,), shape, attributes), tuple(shape))


def _slice(call: Call) -> tuple[View, ...]:
    x = call.view()
    starts, ends = call.parameter(1, "starts"), call.parameter(2, "ends")
    if starts is None or ends is None:
        raise call.node.error("has no starts or no ends: needs both")
    axes, steps = call.parameter(3, "axes"), call.parameter(4, "steps")
    return (cut(call, x, call.node.python_slices(x.shape, starts, ends, axes, steps)),)


def _split(call: Call) -> tuple[View, ...]:
    x = call.unpadded(call.view())
    axis = call.node.axis(call.node.attribute("axis", 0), len(x.axes))
    parts: list[View] = []
    start = 0
    for output in call.node.outputs:
        extent = call.shapes[output][axis]
        slices = [slice(None)] * len(x.axes)
        slices[axis] = slice(start, start + extent)
        parts.append(cut(call, x, tuple(slices), f".{len(parts)}"))
        start += extent
    return tuple(parts)


def _gather(call: Call) -> tuple[View, ...]:
    x, indices = call.unpadded(call.view()), call.required(1)
    if indices.size != 1:
        raise call.node.error(f"takes {indices.size} indices of an activation: only one can be taken")
    axis = call.node.axis(call.node.attribute("axis", 0), len(x.axes))
    index = int(indices.reshape(())) % x.shape[axis]
    slices = [slice(None)] * len(x.axes)
    slices[axis] = slice(index, index + 1)
    taken = cut(call, x, tuple(slices))
    seen = taken.reshaped(call.shape)
    if seen is None:
        raise call.node.error(f"index of shape {list(indices.shape)} is not supported: take a single index")
    return (seen,)


def _pad(call: Call) -> tuple[View, ...]:
    node = call.node
    x = call.unpadded(call.view())
    mode = node.attribute("mode", "constant")
    if mode not in ("constant", "edge", "reflect"):
        raise node.error(f'mode = "{mode}": must be constant, edge or reflect')
    pads = call.parameter(1, "pads")
    if pads is None:
        raise node.error("has no pads: needs them as an attribute or a constant input")
    rank = len(x.axes)
    axes = call.parameter(3, "axes") if call.has(3) else np.arange(rank)
    assert axes is not None
    amounts = [(0, 0)] * rank
    for i, axis in enumerate(axes):
        amounts[node.axis(int(axis), rank)] = (int(pads[i]), int(pads[i + len(axes)]))
    if any(amount < 0 for pair in amounts for amount in pair):
        raise node.error(f"pads = {pads.tolist()}: negative padding is not supported, use Slice")
    if not any(map(any, amounts)):
        return (x,)
    value = call.parameter(2, "value") if mode == "constant" else None
    padding = PendingPadding(tuple(amounts), mode, 0.0 if value is None else float(value[0]))
    return (replace(x, padding=padding),)


OPERATORS: dict[str, Operator] = {
    "Cast": _cast,
    "Concat": _concat,
    "Dropout": _dropout,
    "Flatten": _reshape,
    "Gather": _gather,
    "Identity": _same,
    "Pad": _pad,
    "Reshape": _reshape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _reshape,
    "Transpose": _transpose,
    "Unsqueeze": _reshape,
}
