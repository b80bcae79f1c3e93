"""NumPy evaluation of nodes whose inputs are all known: shape arithmetic, weights made by ConstantOfShape, ..."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from workloads.errors import InputError
from workloads.onnx_import.source import OnnxNode

Array = NDArray[Any]
Inputs = Sequence[Array | None]

MOST_ELEMENTS = 1 << 31
"""A constant larger than this is taken for damage, not for weights."""
NOT_FINITE: dict[str, Any] = {"divide": "raise", "over": "raise", "invalid": "raise"}
"""For `numpy.errstate`: arithmetic on numbers that makes infinity or NaN raises FloatingPointError."""


def evaluate(node: OnnxNode, inputs: Inputs) -> tuple[Array, ...]:
    """The node's outputs. Raises InputError when the values make no sense together, or a result is not finite."""
    try:
        with np.errstate(**NOT_FINITE):
            result = EVALUATORS[node.op](node, inputs)
    except InputError:
        raise
    except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as error:
        raise node.error(f"its constant inputs cannot be evaluated: {error}") from error
    return result if isinstance(result, tuple) else (np.asarray(result),)


def parameter(node: OnnxNode, inputs: Inputs, index: int, name: str) -> Array | None:
    """What newer opsets give as input `index` and older ones as attribute `name`."""
    if index < len(inputs) and inputs[index] is not None:
        return np.atleast_1d(np.asarray(inputs[index]))
    value = node.attribute(name)
    return None if value is None else np.atleast_1d(np.asarray(value))


def _constant(node: OnnxNode, inputs: Inputs) -> Array:
    for name in ("value_float", "value_floats"):
        if node.has(name):
            return np.asarray(node.attribute(name), np.float32)
    for name in ("value_int", "value_ints"):
        if node.has(name):
            return np.asarray(node.attribute(name), np.int64)
    if not node.has("value"):
        raise node.error("needs a value that is a tensor, a number or numbers")
    return np.asarray(numpy_helper.to_array(node.attribute("value")))


def _constant_of_shape(node: OnnxNode, inputs: Inputs) -> Array:
    shape = tuple(int(extent) for extent in np.asarray(inputs[0]))
    if any(extent < 0 for extent in shape) or np.prod(shape, dtype=float) > MOST_ELEMENTS:
        raise node.error(f"shape {shape}: needs extents from 0 up and at most {MOST_ELEMENTS} elements")
    value = numpy_helper.to_array(node.attribute("value")) if node.has("value") else np.zeros(1, np.float32)
    # One element seen under every index: the weights of a whole VGG-19 take four bytes.
    return np.broadcast_to(value.reshape(-1)[:1].reshape((1,) * len(shape)), shape)


def _unsqueeze(node: OnnxNode, inputs: Inputs) -> Array:
    axes = parameter(node, inputs, 1, "axes")
    assert axes is not None
    return np.expand_dims(np.asarray(inputs[0]), tuple(int(axis) for axis in axes))


def _squeeze(node: OnnxNode, inputs: Inputs) -> Array:
    axes = parameter(node, inputs, 1, "axes")
    return np.squeeze(np.asarray(inputs[0]), None if axes is None else tuple(int(axis) for axis in axes))


def reshape_target(node: OnnxNode, shape: tuple[int, ...], wanted: Array) -> tuple[int, ...]:
    """Extents a Reshape asks for; 0 copies the input's extent unless `allowzero`, -1 is left to NumPy."""
    keep = not node.attribute("allowzero", 0)
    return tuple(shape[i] if extent == 0 and keep else int(extent) for i, extent in enumerate(wanted))


def _reshape(node: OnnxNode, inputs: Inputs) -> Array:
    data, wanted = np.asarray(inputs[0]), parameter(node, inputs, 1, "shape")
    assert wanted is not None
    return data.reshape(reshape_target(node, data.shape, wanted))


def _flatten(node: OnnxNode, inputs: Inputs) -> Array:
    data = np.asarray(inputs[0])
    axis = node.attribute("axis", 1)
    return data.reshape(int(np.prod(data.shape[:axis])), -1)


def _transpose(node: OnnxNode, inputs: Inputs) -> Array:
    return np.transpose(np.asarray(inputs[0]), node.attribute("perm"))


def _cast(node: OnnxNode, inputs: Inputs) -> Array:
    return np.asarray(inputs[0]).astype(helper.tensor_dtype_to_np_dtype(node.attribute("to")))


def _concat(node: OnnxNode, inputs: Inputs) -> Array:
    return np.concatenate([np.asarray(part) for part in inputs], node.attribute("axis", 1))


def _gather(node: OnnxNode, inputs: Inputs) -> Array:
    return np.take(np.asarray(inputs[0]), np.asarray(inputs[1]), axis=node.attribute("axis", 0))


def _slice(node: OnnxNode, inputs: Inputs) -> Array:
    data = np.asarray(inputs[0])
    starts, ends = parameter(node, inputs, 1, "starts"), parameter(node, inputs, 2, "ends")
    axes, steps = parameter(node, inputs, 3, "axes"), parameter(node, inputs, 4, "steps")
    assert starts is not None
    assert ends is not None
    return data[node.python_slices(data.shape, starts, ends, axes, steps)]


def _divide(node: OnnxNode, inputs: Inputs) -> Array:
    a, b = np.asarray(inputs[0]), np.asarray(inputs[1])
    # Integer division truncates towards zero (C), NumPy's floors.
    return np.asarray(np.trunc(a / b).astype(a.dtype) if a.dtype.kind in "iu" else a / b)


def _expand(node: OnnxNode, inputs: Inputs) -> Array:
    data = np.asarray(inputs[0])
    wanted = tuple(int(extent) for extent in np.asarray(inputs[1]))
    return np.broadcast_to(data, np.broadcast_shapes(data.shape, wanted))


def _reduce_product(node: OnnxNode, inputs: Inputs) -> Array:
    data = np.asarray(inputs[0])
    over = node.reduced_axes(parameter(node, inputs, 1, "axes"), data.ndim)
    return np.asarray(np.prod(data, axis=over, keepdims=bool(node.attribute("keepdims", 1))))


def _split(node: OnnxNode, inputs: Inputs) -> tuple[Array, ...]:
    data, axis = np.asarray(inputs[0]), node.attribute("axis", 0)
    sizes = parameter(node, inputs, 1, "split")
    parts = len(node.outputs) if sizes is None else np.cumsum(sizes)[:-1]
    return tuple(np.split(data, parts, axis))


def _elementwise(function: Callable[..., Any]) -> Callable[[OnnxNode, Inputs], Array]:
    def apply(node: OnnxNode, inputs: Inputs) -> Array:
        return np.asarray(function(*(np.asarray(part) for part in inputs)))

    return apply


EVALUATORS: dict[str, Callable[[OnnxNode, Inputs], Array | tuple[Array, ...]]] = {
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Identity": _elementwise(lambda a: a),
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Cast": _cast,
    "Concat": _concat,
    "Gather": _gather,
    "Slice": _slice,
    "Split": _split,
    "Expand": _expand,
    "Add": _elementwise(np.add),
    "Sub": _elementwise(np.subtract),
    "Mul": _elementwise(np.multiply),
    "Div": _divide,
    "Pow": _elementwise(lambda a, b: np.power(a, b).astype(a.dtype)),
    "Mod": _elementwise(np.mod),
    "Neg": _elementwise(np.negative),
    "Abs": _elementwise(np.abs),
    "Sqrt": _elementwise(np.sqrt),
    "Reciprocal": _elementwise(np.reciprocal),
    "Floor": _elementwise(np.floor),
    "Ceil": _elementwise(np.ceil),
    "Min": _elementwise(lambda *parts: np.min(np.broadcast_arrays(*parts), axis=0)),
    "Max": _elementwise(lambda *parts: np.max(np.broadcast_arrays(*parts), axis=0)),
    "Equal": _elementwise(np.equal),
    "Less": _elementwise(np.less),
    "Greater": _elementwise(np.greater),
    "Not": _elementwise(np.logical_not),
    "Where": _elementwise(np.where),
    "Range": _elementwise(np.arange),
    "ReduceProd": _reduce_product,
}
"""Operators that are computed when every input is a constant."""
