"""Operators over windows and whole maps: MaxPool, AveragePool, GlobalAveragePool, ReduceMean."""

from __future__ import annotations

from dataclasses import replace

from workloads.onnx_import.call import Call, Operator
from workloads.onnx_import.compute import as_line, as_map
from workloads.onnx_import.view import View


def _pool(call: Call, op: str) -> tuple[View, ...]:
    node, assembly = call.node, call.assembly
    kernel = node.integers("kernel_shape", ())
    if len(kernel) not in (1, 2):
        raise node.error(f"kernel_shape = {list(kernel)}: needs one or two extents")
    ones = (1,) * len(kernel)
    stride, dilation = node.integers("strides", ones), node.integers("dilations", ones)
    if op == "average_pool" and dilation != ones:
        raise node.error(f"dilations = {list(dilation)}: an average pool must not be dilated")
    x = call.view()
    count_padding = bool(node.attribute("count_include_pad", 0))
    pads = node.pads_for(x.shape[2:], kernel, stride, dilation)
    if x.padding is not None and _edges_change_nothing(op, x, kernel) and not any(pads):
        sides = x.padding.amounts[2:]
        pads = (*(near for near, _ in sides), *(far for _, far in sides))
        x = replace(x, padding=None)
    source = assembly.in_memory(as_map(call.unpadded(x)))
    shape = call.shape
    if len(kernel) == 1:
        kernel, stride, dilation, pads = (1, *kernel), (1, *stride), (1, *dilation), (0, pads[0], 0, pads[1])
        shape = (*shape[:2], 1, shape[2])
    attributes = {
        "kernel": kernel,
        "stride": stride,
        "padding": pads,
        "ceil_mode": bool(node.attribute("ceil_mode", 0)),
    }
    attributes |= {"count_padding": count_padding} if op == "average_pool" else {"dilation": dilation}
    result = assembly.view(assembly.node(node.label, op, (source,), shape, attributes))
    return (as_line(result) if len(call.shape) == 3 else result,)


def _edges_change_nothing(op: str, x: View, kernel: tuple[int, ...]) -> bool:
    """Edge values repeated around a map never win a maximum that the edge itself is part of."""
    padding = x.padding
    if op != "max_pool" or padding is None or padding.mode != "edge" or any(map(any, padding.amounts[:2])):
        return False
    return all(max(side) < taps for side, taps in zip(padding.amounts[2:], kernel, strict=True))


def _global_average_pool(call: Call) -> tuple[View, ...]:
    x = call.assembly.in_memory(as_map(call.unpadded(call.view())))
    result = call.assembly.view(call.assembly.builder.global_average_pool(call.name(), x))
    return (as_line(result) if len(call.shape) == 3 else result,)


def _reduce_mean(call: Call) -> tuple[View, ...]:
    node = call.node
    x = call.unpadded(call.view())
    over = node.reduced_axes(call.parameter(1, "axes"), len(x.axes))
    if not over:
        return (x,)
    bases = {axis for axis in (x.axes[i] for i in over) if axis is not None}
    if len(x.base) == 4 and bases == {2, 3}:
        name = call.assembly.builder.global_average_pool(call.name(), x.node)
    else:
        shape = tuple(1 if axis in bases else extent for axis, extent in enumerate(x.base))
        name = call.assembly.node(node.label, "mean", (x.node,), shape, {"axes": tuple(sorted(bases))})
    mean = x.on(name, call.assembly.builder.shape(name))
    if node.attribute("keepdims", 1):
        return (mean,)
    return (replace(mean, axes=tuple(axis for i, axis in enumerate(mean.axes) if i not in over)),)


OPERATORS: dict[str, Operator] = {
    "MaxPool": lambda call: _pool(call, "max_pool"),
    "AveragePool": lambda call: _pool(call, "average_pool"),
    "GlobalAveragePool": _global_average_pool,
    "ReduceMean": _reduce_mean,
}
