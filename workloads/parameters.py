"""Counts a network's parameters the way the reference definitions do."""

from __future__ import annotations

from math import prod

from workloads.layer import Operand
from workloads.network import Network, Node


def node_parameter_count(node: Node) -> int:
    """Weights, plus one bias a channel (`attributes["bias"]`), plus two a channel for a batch norm, folded in or not.

    A batch norm counts its scale and its shift, which are trained; its running mean and variance are not counted. A
    layer norm has a scale and perhaps a bias for each place in the axes it works over.
    """
    if node.op == "batch_norm":
        return 2 * node.shape[1]
    if node.op == "layer_norm":
        places: int = prod(node.shape[axis] for axis in node.attributes["axes"])
        return 2 * places if node.attributes["bias"] else places
    if node.layer is None or node.layer.weight_is_activation:
        return 0
    channels = node.layer.G * node.layer.K
    bias = channels if node.attributes.get("bias", False) else 0
    batch_norm = 2 * channels if node.attributes.get("batch_norm", False) else 0
    return node.layer.words(Operand.WEIGHT) + bias + batch_norm


def parameter_count(network: Network) -> int:
    """Trained parameters of all nodes."""
    return sum(node_parameter_count(node) for node in network.nodes)
