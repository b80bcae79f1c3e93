"""Elementwise operators: activations, sums and products, constants folded into the layer before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.network import Parameters
from workloads.onnx_import.assembly import Channelwise
from workloads.onnx_import.call import Call, Operator
from workloads.onnx_import.view import View

Array = NDArray[Any]


def affine(call: Call, x: View, scale: Array, shift: Array, suffix: str = "") -> View:
    """`x * scale + shift` with constants that broadcast as in NumPy.

    Folded into the producing layer when that is the only use of its output and the constants depend on the channel
    alone; else a node: "batch_norm" (a scale and a shift for each index of axis 1) or "affine" (any broadcast).
    """
    assembly = call.assembly
    x = call.unpadded(x)
    factor, offset = x.in_base(scale), x.in_base(shift)
    if factor is None or offset is None:
        x = assembly.plain(x)
        shape = np.broadcast_shapes(x.shape, scale.shape, shift.shape)
        parameters = Parameters(scale.astype(np.float64), shift.astype(np.float64))
        return assembly.view(assembly.node(call.node.label + suffix, "affine", (x.node,), shape, None, parameters))
    entry = assembly.channelwise.get(x.node)
    axis = entry.axis if entry is not None else 1
    by_channel = len(x.base) > axis and all(_along(part, axis) for part in (factor, offset))
    if by_channel and entry is not None and x.exclusive:
        entry.fold(_spread(factor, axis, x.base), _spread(offset, axis, x.base))
        return x
    if by_channel and axis == 1:
        name = assembly.builder.batch_norm(assembly.unique(call.node.label + suffix), x.node)
        added = Channelwise(1, x.base[1])
        added.fold(_spread(factor, 1, x.base), _spread(offset, 1, x.base))
        assembly.channelwise[name] = added
        return x.on(name)
    parameters = Parameters(factor.astype(np.float64), offset.astype(np.float64))
    return x.on(assembly.node(call.node.label + suffix, "affine", (x.node,), x.base, None, parameters))


def _along(array: Array, axis: int) -> bool:
    return all(extent == 1 for i, extent in enumerate(array.shape) if i != axis)


def _spread(array: Array, axis: int, base: tuple[int, ...]) -> NDArray[np.float64]:
    return np.broadcast_to(array.reshape(-1).astype(np.float64), (base[axis],))


def combine(call: Call, op: str, parts: Sequence[View], suffix: str = "") -> View:
    """Activations joined elementwise, in their common layout where they share one."""
    assembly = call.assembly
    first = parts[0]
    if not all((part.base, part.axes, part.padding) == (first.base, first.axes, None) for part in parts):
        parts = [assembly.plain(part) for part in parts]
    names = [part.node for part in parts]
    shapes = {part.base for part in parts}
    shape = np.broadcast_shapes(*shapes)
    made = assembly.node(call.node.label + suffix, op, names, shape)
    return parts[0].on(made) if len(shapes) == 1 else assembly.view(made)


def _split(call: Call) -> tuple[list[View], list[Array]]:
    """Activations and constants among the inputs."""
    indices = range(len(call.node.inputs))
    constants = [value for value in map(call.constant, indices) if value is not None]
    return [call.view(i) for i in indices if call.constant(i) is None], constants


def _sum(call: Call) -> tuple[View, ...]:
    views, constants = _split(call)
    total = views[0] if len(views) == 1 else combine(call, "add", views)
    if constants:
        total = affine(call, total, np.asarray(1.0), np.asarray(sum(constants)), ".shift")
    return (total,)


def _multiply(call: Call) -> tuple[View, ...]:
    views, constants = _split(call)
    if constants:
        return (affine(call, views[0], constants[0], np.asarray(0.0)),)
    return (combine(call, "multiply", views),)


def _subtract(call: Call) -> tuple[View, ...]:
    views, constants = _split(call)
    if not constants:
        return (combine(call, "subtract", views),)
    if call.constant(0) is None:
        return (affine(call, views[0], np.asarray(1.0), -constants[0]),)
    return (affine(call, views[0], np.asarray(-1.0), constants[0]),)


def _divide(call: Call) -> tuple[View, ...]:
    views, constants = _split(call)
    if not constants:
        return (combine(call, "divide", views),)
    if call.constant(0) is not None:
        inverse = _power(call, views[0], -1.0, ".inverse")
        if np.all(constants[0] == 1.0) and np.broadcast_shapes(constants[0].shape, inverse.shape) == inverse.shape:
            return (inverse,)
        return (affine(call, inverse, constants[0], np.asarray(0.0)),)
    if not np.all(constants[0]):
        raise call.node.error("divides by zero: needs nonzero constants")
    return (affine(call, views[0], 1.0 / constants[0].astype(np.float64), np.asarray(0.0)),)


def _simple(kind: str) -> Operator:
    return lambda call: (call.activation(call.view(), kind),)


def _parametric(call: Call, op: str, attributes: dict[str, Any], suffix: str = "", x: View | None = None) -> View:
    x = call.unpadded(call.view() if x is None else x)
    return x.on(call.assembly.node(call.node.label + suffix, op, (x.node,), x.base, attributes))


def _power(call: Call, x: View, exponent: float, suffix: str = "") -> View:
    return _parametric(call, "power", {"exponent": exponent}, suffix, x)


def _pow(call: Call) -> tuple[View, ...]:
    exponents = np.unique(call.required(1))
    if exponents.size != 1:
        raise call.node.error(f"has exponents from {exponents[0]} to {exponents[-1]}: needs one for all elements")
    exponent = float(exponents[0])
    return (call.activation(call.view(), "sqrt") if exponent == 0.5 else _power(call, call.view(), exponent),)


def _clip(call: Call) -> tuple[View, ...]:
    bounds = [call.parameter(i, name) for i, name in ((1, "min"), (2, "max"))]
    low, high = (None if bound is None else float(bound[0]) for bound in bounds)
    # Exporters write "no bound" as the largest float.
    low = None if low is not None and low <= np.finfo(np.float32).min else low
    high = None if high is not None and high >= np.finfo(np.float32).max else high
    if low == 0.0 and high in (None, 6.0):
        return (call.activation(call.view(), "relu" if high is None else "relu6"),)
    if low is None and high is None:
        return (call.view(),)
    return (_parametric(call, "clip", {"min": low, "max": high}),)


def _hard_sigmoid(call: Call) -> tuple[View, ...]:
    alpha, beta = call.node.attribute("alpha", 0.2), call.node.attribute("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return (call.activation(call.view(), "hard_sigmoid"),)
    line = affine(call, call.view(), np.asarray(alpha), np.asarray(beta), ".line")
    return (_parametric(call, "clip", {"min": 0.0, "max": 1.0}, x=line),)


def _gelu(call: Call) -> tuple[View, ...]:
    kinds = {"none": "gelu", "tanh": "gelu_tanh"}
    approximate = call.node.attribute("approximate", "none")
    if approximate not in kinds:
        raise call.node.error(f'approximate = "{approximate}": must be {" or ".join(kinds)}')
    return (call.activation(call.view(), kinds[approximate]),)


def _leaky_relu(call: Call) -> tuple[View, ...]:
    return (_parametric(call, "leaky_relu", {"alpha": float(call.node.attribute("alpha", 0.01))}),)


def _prelu(call: Call) -> tuple[View, ...]:
    x, slope = call.unpadded(call.view()), call.required(1)
    laid = x.in_base(slope)
    if laid is None:
        raise call.node.error(f"slope of shape {list(slope.shape)} does not broadcast to its input {list(x.shape)}")
    parameters = Parameters(laid.astype(np.float64))
    return (x.on(call.assembly.node(call.node.label, "prelu", (x.node,), x.base, None, parameters)),)


_SIMPLE = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "HardSwish": "hard_swish",
    "Erf": "erf",
    "Sqrt": "sqrt",
}
_OTHER: dict[str, Callable[[Call], tuple[View, ...]]] = {
    "Add": _sum,
    "Sum": _sum,
    "Mul": _multiply,
    "Sub": _subtract,
    "Div": _divide,
    "Clip": _clip,
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "LeakyRelu": _leaky_relu,
    "Pow": _pow,
    "PRelu": _prelu,
    "Reciprocal": lambda call: (_power(call, call.view(), -1.0),),
}
OPERATORS: dict[str, Operator] = {op: _simple(kind) for op, kind in _SIMPLE.items()} | _OTHER
