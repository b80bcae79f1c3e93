"""A network as a graph: compute layers, vector operations and address operations in topological order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.fields import whole
from workloads.layer import Layer, Operand

COMPUTE_OPS = frozenset({"conv", "matmul"})
"""Run on the PE array."""
ADDRESS_OPS = frozenset({"concat", "split", "slice", "reshape", "flatten", "transpose", "identity", "shuffle"})
"""Change where elements lie, not what they are: no work."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. `inputs` name the producing nodes (or a network input); `shape` is the output's, batch first.

    `layer` is set for conv and matmul alone. `activation` is fused into the output path: "relu", "relu6", ...
    `attributes` hold what the operation needs: kernel, stride, padding of a pool; axis of a concat; ...
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    layer: Layer | None = None
    activation: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_compute(self) -> bool:
        return self.op in COMPUTE_OPS

    @property
    def is_address(self) -> bool:
        return self.op in ADDRESS_OPS

    @property
    def words(self) -> int:
        """Elements of the output."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """Real-valued parameters of a compute node: weight in (G*K, C, R, S), bias in (G*K,) or None."""

    weight: NDArray[np.floating]
    bias: NDArray[np.floating] | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """Nodes in topological order over named inputs; the last node is the result.

    `inputs` maps each network input to its shape, batch first. `parameters` maps compute nodes to trained values
    where there are any. Raises InputError when a node reads something no earlier node or input produces.
    """

    name: str
    inputs: Mapping[str, tuple[int, ...]]
    nodes: tuple[Node, ...]
    citation: str = ""
    parameters: Mapping[str, Parameters] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        known = dict(self.inputs)
        for node in self.nodes:
            for source in node.inputs:
                if source not in known:
                    raise InputError(
                        f'node {node.name} reads "{source}", which nothing before it makes', source=self.name
                    )
            if node.name in known:
                raise InputError(f'two nodes are called "{node.name}"', source=self.name)
            known[node.name] = node.shape

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The compute layers in order."""
        return tuple(node.layer for node in self.nodes if node.layer is not None)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def weights(self) -> int:
        """Weight elements of all compute layers, biases not counted."""
        return sum(layer.words(Operand.WEIGHT) for layer in self.layers if not layer.weight_is_activation)

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Shape of a node's output or of a network input."""
        if name in self.inputs:
            return self.inputs[name]
        return next(node.shape for node in self.nodes if node.name == name)

    def node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    def consumers(self, name: str) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if name in node.inputs)

    def map_layers(self, change: Any) -> Network:
        """The same graph with `change(layer) -> Layer` applied to every compute layer."""
        nodes = tuple(node if node.layer is None else replace(node, layer=change(node.layer)) for node in self.nodes)
        return replace(self, nodes=nodes)

    def with_batch(self, batch: int) -> Network:
        """The network for `batch` inputs at once. A product of two activations grows in groups, all else in N.

        Raises InputError for what is no whole number from 1 up.
        """
        batch = whole(batch, "batch")

        def grow(shape: tuple[int, ...]) -> tuple[int, ...]:
            return (shape[0] * batch, *shape[1:])

        def grow_layer(layer: Layer) -> Layer:
            if layer.weight_is_activation:
                return replace(layer, G=layer.G * batch)
            return replace(layer, N=layer.N * batch)

        nodes = tuple(
            replace(node, shape=grow(node.shape), layer=None if node.layer is None else grow_layer(node.layer))
            for node in self.nodes
        )
        return replace(self, inputs={name: grow(shape) for name, shape in self.inputs.items()}, nodes=nodes)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(node.name)}</td><td>{escape(node.op)}</td><td>{node.shape}</td>"
            f"<td>{node.layer.macs if node.layer else ''}</td></tr>"
            for node in self.nodes
        )
        head = "<tr><th>node</th><th>op</th><th>output</th><th>MACs</th></tr>"
        return f"<p><b>{escape(self.name)}</b>: {self.macs} MACs, {self.weights} weights</p><table>{head}{rows}</table>"
