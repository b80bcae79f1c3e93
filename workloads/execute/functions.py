"""Functions of real values: what the vector unit looks up or computes where no integer form is exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import erf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.network import Node, Parameters

Real = NDArray[np.float64]

_erf = np.vectorize(erf, otypes=[np.float64])


def _sigmoid(x: Real) -> Real:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


ACTIVATION_FUNCTIONS: dict[str, Callable[[Real], Real]] = {
    "relu": lambda x: np.maximum(x, 0.0),
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "sigmoid": _sigmoid,
    "tanh": lambda x: np.asarray(np.tanh(x)),
    "hard_sigmoid": lambda x: np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    "hard_swish": lambda x: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    "silu": lambda x: x * _sigmoid(x),
    "gelu": lambda x: 0.5 * x * (1.0 + np.asarray(_erf(x / np.sqrt(2.0)))),
    "gelu_tanh": lambda x: 0.5 * x * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3))),
    "sqrt": lambda x: np.asarray(np.sqrt(x)),
    "erf": lambda x: np.asarray(_erf(x)),
}
"""One for each of the builder's activations."""


def softmax(node: Node, x: Real) -> Real:
    axis = node.attributes["axis"]
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def layer_norm(node: Node, x: Real) -> Real:
    """Mean 0 and variance 1 over the node's axes (Ba et al., arXiv 1607.06450), without scale and bias."""
    axes, epsilon = node.attributes["axes"], node.attributes["epsilon"]
    centred = x - x.mean(axis=axes, keepdims=True)
    return np.asarray(centred / np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + epsilon))


def lrn(node: Node, x: Real) -> Real:
    """Local response normalisation over the channels (Krizhevsky et al., NIPS 2012, section 3.3)."""
    size, channels = node.attributes["size"], x.shape[1]
    before = (size - 1) // 2
    squares = np.pad(x * x, ((0, 0), (before, size - 1 - before), (0, 0), (0, 0)))
    sums = sum(squares[:, i : i + channels] for i in range(size))
    base = node.attributes["bias"] + node.attributes["alpha"] / size * np.asarray(sums)
    return np.asarray(x / base ** node.attributes["beta"])


def leaky_relu(node: Node, x: Real) -> Real:
    return np.where(x < 0.0, node.attributes["alpha"] * x, x)


def prelu(x: Real, parameters: Parameters) -> Real:
    return np.where(x < 0.0, parameters.weight * x, x)


def clip(node: Node, x: Real) -> Real:
    return np.asarray(np.clip(x, node.attributes["min"], node.attributes["max"]))


def power(node: Node, x: Real) -> Real:
    return np.asarray(np.power(x, node.attributes["exponent"]))


def divide(xs: Sequence[NDArray[Any]]) -> Real:
    return np.asarray(xs[0] / xs[1])
