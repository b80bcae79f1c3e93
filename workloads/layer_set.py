"""A network of layers that do not feed each other: all that is known when only shapes are."""

from __future__ import annotations

from collections.abc import Sequence

from workloads.layer import Layer
from workloads.network import Network, Node


def independent_layers(name: str, layers: Sequence[Layer], citation: str = "") -> Network:
    """One node a layer, in order; each reads a network input of its own, "LAYER.input" in (N, G*C, H, W).

    The second activation of a product is "LAYER.weight" in (G*K, C, R, S). Raises InputError for equal names.
    """
    inputs: dict[str, tuple[int, ...]] = {}
    nodes = []
    for layer in layers:
        sources = {f"{layer.name}.input": layer.input_shape}
        if layer.weight_is_activation:
            sources[f"{layer.name}.weight"] = layer.weight_shape
        inputs.update(sources)
        nodes.append(Node(layer.name, layer.op, tuple(sources), layer.output_shape, layer))
    return Network(name, inputs, tuple(nodes), citation)
