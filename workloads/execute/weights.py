"""Real-valued parameters of a node: trained where the network has them, else drawn with a seed."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from workloads.errors import InputError
from workloads.execute.quantised import require_finite
from workloads.layer import Layer
from workloads.network import Network, Node, Parameters
from workloads.zeros import nonzero_mask

WITH_PARAMETERS = frozenset({"batch_norm", "layer_norm", "affine", "prelu"})
"""Operations of one operand and trained parameters, beside the layers."""


def node_parameters(network: Network, node: Node, seed: int) -> Parameters:
    """The node's parameters.

    Drawn weights are normal with variance 2/fan-in (He et al., "Delving Deep into Rectifiers", ICCV 2015), thinned to
    the layer's weight density; biases are zero; scales and shifts of norms are 1 and 0. Each node has a
    stream of its own, so that the same seed gives the same weights in any order of asking.

    Raises InputError for trained parameters that are not finite, and where an operation needs trained ones.
    """
    known = network.parameters.get(node.name)
    if known is not None:
        for kind, values in (("weights", known.weight), ("bias", known.bias)):
            if values is not None:
                require_finite(values, f"{kind} of node {node.name}")
        return known
    if node.op == "batch_norm":
        return Parameters(np.ones(node.shape[1]), np.zeros(node.shape[1]))
    if node.op == "layer_norm":
        return Parameters(np.ones(1))
    if node.layer is None:
        raise InputError(f'operation "{node.op}" has no parameters: needs trained ones', source=f"node {node.name}")
    return _drawn(node.layer, seed)


def _drawn(layer: Layer, seed: int) -> Parameters:
    if seed < 0:
        raise InputError(f"seed = {seed}: needs a whole number from 0 up")
    generator = np.random.default_rng([seed, crc32(layer.name.encode())])
    weight = generator.standard_normal(layer.weight_shape, dtype=np.float32)
    weight *= np.float32(np.sqrt(2.0 / (layer.C * layer.R * layer.S)))
    pattern = layer.patterns.weight
    weight[~nonzero_mask(generator, "weight", layer.weight_shape, layer.density.weight, pattern)] = 0.0
    return Parameters(weight)
