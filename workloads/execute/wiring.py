"""How activations become the operands of a layer, and its sums an activation again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.inputs import finite, fit
from workloads.layer import Layer
from workloads.network import Network, Node

Inputs = NDArray[Any] | Mapping[str, NDArray[Any]]


def network_inputs(network: Network, inputs: Inputs) -> dict[str, NDArray[np.float64]]:
    """Every network input as float64 in its shape; one without a batch axis serves the whole batch.

    Raises InputError for a missing or unknown input, a wrong shape (both are named), or values that are not finite.
    """
    where, needed = network.name, ", ".join(network.inputs)
    if not isinstance(inputs, Mapping):
        if len(network.inputs) != 1:
            raise InputError(f"one array for {len(network.inputs)} inputs: needs a mapping with {needed}", source=where)
        inputs = {next(iter(network.inputs)): inputs}
    if unknown := set(inputs) - set(network.inputs):
        raise InputError(f"has no input {', '.join(sorted(unknown))}: needs {needed}", source=where)
    ready = {}
    for name, shape in network.inputs.items():
        if name not in inputs:
            raise InputError(f'input "{name}" is missing: needs an array of shape {shape}', source=where)
        given = np.asarray(inputs[name])
        fitted = fit(given, shape)
        if fitted is None:
            raise InputError(f'input "{name}" has shape {given.shape}: needs {shape}', source=where)
        ready[name] = finite(fitted, f"{where}, input {name}")
    return ready


def layer_input(node: Node, layer: Layer, x: NDArray[Any]) -> NDArray[Any]:
    """An activation as the layer's input (N, G*C, H, W)."""
    if node.op == "conv" or _is_operand(node, layer, x):
        return x
    rows = x.reshape(layer.N, layer.G, layer.P, layer.C)
    return rows.transpose(0, 1, 3, 2).reshape(layer.N, layer.G * layer.C, layer.P, 1)


def layer_weight(node: Node, layer: Layer, x: NDArray[Any]) -> NDArray[Any]:
    """The second activation of a product as the layer's weight (G*K, C, 1, 1)."""
    if x.shape == layer.weight_shape and node.shape == layer.output_shape:
        return x
    return x.reshape(layer.G, layer.C, layer.K).transpose(0, 2, 1).reshape(layer.weight_shape)


def node_output(node: Node, layer: Layer, sums: NDArray[Any]) -> NDArray[Any]:
    """The layer's (N, G*K, P, Q) in the node's shape."""
    if node.shape == sums.shape:
        return sums
    rows = sums.reshape(layer.N, layer.G, layer.K, layer.P)
    return rows.transpose(0, 1, 3, 2).reshape(node.shape)


def _is_operand(node: Node, layer: Layer, x: NDArray[Any]) -> bool:
    """Whether a product is given in the layer's own axes, as in a list of layers that do not feed each other."""
    return x.shape == layer.input_shape and node.shape == layer.output_shape
