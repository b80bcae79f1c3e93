"""The network in float64: the reference that quantised runs are measured against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.execute import functions
from workloads.execute.convolve import convolve
from workloads.execute.movement import MOVING_OPS, move, pad
from workloads.execute.quantised import require_finite
from workloads.execute.weights import WITH_PARAMETERS, node_parameters
from workloads.execute.windows import max_pool, window_counts, window_sums
from workloads.execute.wiring import Inputs, layer_input, layer_weight, network_inputs, node_output
from workloads.network import Network, Node, Parameters

Real = NDArray[np.float64]


@np.errstate(all="ignore")  # what is not finite is an error that names its node, not a warning
def float_forward(network: Network, inputs: Inputs, *, seed: int = 0) -> dict[str, Real]:
    """Every input's and node's value, the result last.

    Parameters the network lacks are drawn as `execute` draws them with the same seed. Raises InputError for inputs that
    do not fit, operations without known meaning, and a result that is not finite.
    """
    values: dict[str, Real] = dict(network_inputs(network, inputs))
    for node in network.nodes:
        y = _value(network, node, [values[name] for name in node.inputs], seed)
        require_finite(y, f"result of node {node.name}")
        if node.activation is not None:
            y = functions.ACTIVATION_FUNCTIONS[node.activation](y)
            require_finite(y, f"result of node {node.name}")
        values[node.name] = y
    return values


def _value(network: Network, node: Node, xs: Sequence[Real], seed: int) -> Real:
    if node.layer is not None:
        return _layer(network, node, xs, seed)
    if node.op in WITH_PARAMETERS:
        return with_parameters(node, xs[0], node_parameters(network, node, seed))
    return vector_value(node, xs)


def _layer(network: Network, node: Node, xs: Sequence[Real], seed: int) -> Real:
    layer = node.layer
    assert layer is not None
    x = layer_input(node, layer, xs[0])
    if layer.weight_is_activation:
        return node_output(node, layer, convolve(layer, x, layer_weight(node, layer, xs[1]), np.float64))
    parameters = node_parameters(network, node, seed)
    sums = convolve(layer, x, parameters.weight, np.float64)
    if parameters.bias is not None:
        sums += parameters.bias.reshape(1, -1, 1, 1)
    return node_output(node, layer, sums)


def with_parameters(node: Node, x: Real, parameters: Parameters) -> Real:
    """The output of a node of WITH_PARAMETERS, before its fused activation."""
    if node.op == "prelu":
        return functions.prelu(x, parameters)
    if node.op == "layer_norm":
        x = functions.layer_norm(node, x)
    scale, shift = affine_arrays(node, parameters)
    return np.asarray(x * scale + shift)


def affine_arrays(node: Node, parameters: Parameters) -> tuple[Real, Real]:
    """Scale and shift of a batch norm, layer norm or affine node, broadcasting against its input."""
    scale = np.asarray(parameters.weight, np.float64)
    shift = np.zeros(1) if parameters.bias is None else np.asarray(parameters.bias, np.float64)
    if node.op == "batch_norm":
        channels = (1, -1) + (1,) * (len(node.shape) - 2)
        return scale.reshape(channels), np.broadcast_to(shift, scale.shape).reshape(channels)
    return scale, shift


def vector_value(node: Node, xs: Sequence[Real]) -> Real:
    """The output of a node that is neither a layer nor has parameters, before its fused activation."""
    x = xs[0]
    match node.op:
        case "add":
            return np.asarray(sum(xs[1:], start=x))
        case "subtract":
            return np.asarray(x - xs[1])
        case "multiply":
            return np.asarray(np.prod(np.broadcast_arrays(*xs), axis=0))
        case "divide":
            return functions.divide(xs)
        case "concat":
            return np.concatenate(xs, node.attributes["axis"])
        case "max_pool":
            return max_pool(node, x)
        case "average_pool":
            return np.asarray(window_sums(node, x) / window_counts(node, *x.shape[2:]))
        case "global_average_pool":
            return np.asarray(x.mean(axis=(2, 3), keepdims=True))
        case "mean":
            return np.asarray(x.mean(axis=node.attributes["axes"], keepdims=True))
        case "lrn":
            return functions.lrn(node, x)
        case "softmax":
            return functions.softmax(node, x)
        case "leaky_relu":
            return functions.leaky_relu(node, x)
        case "clip":
            return functions.clip(node, x)
        case "power":
            return functions.power(node, x)
        case "pad":
            return pad(node, x, node.attributes["value"])
    if node.op in functions.ACTIVATION_FUNCTIONS:
        return functions.ACTIVATION_FUNCTIONS[node.op](x)
    if node.op in MOVING_OPS:
        return move(node, x)
    raise InputError(f'operation "{node.op}" cannot be executed on values', source=f"node {node.name}")
