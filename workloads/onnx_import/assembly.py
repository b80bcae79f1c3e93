"""What the import has built so far: nodes, real-valued parameters, and the affine maps folded into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.builder import NetworkBuilder
from workloads.errors import InputError
from workloads.network import Network, Node, Parameters
from workloads.onnx_import.constants import NOT_FINITE
from workloads.onnx_import.view import View

Floats = NDArray[np.floating]


@dataclass(slots=True)
class Channelwise:
    """Parameters of a node that ends in a scale and a shift a channel: `scale * (weight . x + bias) + shift`.

    `axis` is the channel axis of the node's output. For a batch norm alone `weight` is None: `scale * x + shift`.
    """

    axis: int
    channels: int
    weight: Floats | None = None
    bias: Floats | None = None
    scale: Floats | None = None
    shift: Floats | None = None

    def fold(self, scale: Floats, shift: Floats) -> None:
        """Another `scale * y + shift` after what is there."""
        offset = np.zeros(self.channels) if self.shift is None else self.shift
        self.shift = offset * scale + shift
        if self.scale is not None or np.any(scale != 1.0):
            self.scale = scale if self.scale is None else self.scale * scale

    def parameters(self) -> Parameters:
        """The folded parameters; float32 weights stay float32 (the products are taken in float64)."""
        scale = np.ones(self.channels) if self.scale is None else self.scale
        shift = np.zeros(self.channels) if self.shift is None else self.shift
        if self.weight is None:
            return Parameters(scale, shift)
        bias = self.bias if self.shift is None else shift if self.bias is None else self.bias * scale + shift
        weight = self.weight
        if self.scale is not None:
            weight = (weight * scale.reshape(-1, 1, 1, 1)).astype(weight.dtype)
        return Parameters(weight, bias)


class Assembly:
    """A NetworkBuilder with layouts (View) for tensors and late folding of parameters."""

    def __init__(self, name: str, path: Path) -> None:
        self.builder = NetworkBuilder(name)
        self.path = path
        self.channelwise: dict[str, Channelwise] = {}
        self.other: dict[str, Parameters] = {}
        self._names: set[str] = set()
        self._in_memory: dict[View, str] = {}

    def unique(self, wanted: str) -> str:
        """`wanted`, numbered when it is taken."""
        name, count = wanted, 1
        while name in self._names:
            count += 1
            name = f"{wanted}.{count}"
        self._names.add(name)
        return name

    def view(self, node: str) -> View:
        """A node's output as it is."""
        return View.of(node, self.builder.shape(node))

    def in_memory(self, view: View) -> str:
        """The node whose output is the view itself: the view's own, or a transpose, reshape and padding after it."""
        if view.is_plain:
            return view.node
        key = replace(view, exclusive=True)
        if key not in self._in_memory:
            self._in_memory[key] = self._lay_out(view)
        return self._in_memory[key]

    def plain(self, view: View) -> View:
        """The same tensor as a node's output; a tensor that had no layout to lose keeps its exclusiveness."""
        return view if view.is_plain else self.view(self.in_memory(view))

    def node(
        self,
        name: str,
        op: str,
        inputs: Sequence[str],
        shape: Sequence[int],
        attributes: dict[str, Any] | None = None,
        parameters: Parameters | None = None,
    ) -> str:
        """A node of any operation under a unique name."""
        made = self.builder.node(self.unique(name), op, inputs, shape, attributes=attributes)
        if parameters is not None:
            self.other[made] = parameters
        return made

    def finish(self) -> Network:
        """The network, activations fused into their producers and parameters folded.

        Raises InputError naming a node whose folded parameters are not finite.
        """
        network = self.builder.build()
        parameters = self.other | {name: self._folded(name) for name in self.channelwise}
        return replace(
            network,
            nodes=tuple(_with_bias(node, parameters.get(node.name)) for node in network.nodes),
            parameters=parameters,
        )

    def _folded(self, name: str) -> Parameters:
        try:
            with np.errstate(**NOT_FINITE):
                return self.channelwise[name].parameters()
        except FloatingPointError as error:
            problem = f'node "{name}": its weights cannot take the scales and shifts after it: {error}'
            raise InputError(problem, source=self.path) from error

    def _lay_out(self, view: View) -> str:
        name, shape = view.node, view.base
        moving = [axis for axis in view.order if view.base[axis] > 1]
        if moving != sorted(moving):
            shape = tuple(view.base[axis] for axis in view.order)
            name = self.builder.transpose(self.unique(f"{view.node}.transpose"), name, view.order)
        if shape != view.unpadded:
            name = self.builder.reshape(self.unique(f"{view.node}.reshape"), name, view.unpadded)
        if view.padding is not None:
            padding = view.padding
            attributes = {"amounts": padding.amounts, "mode": padding.mode, "value": padding.value}
            name = self.node(f"{view.node}.pad", "pad", (name,), view.shape, attributes)
        return name


def _with_bias(node: Node, parameters: Parameters | None) -> Node:
    if node.layer is None or parameters is None:
        return node
    return replace(node, attributes=MappingProxyType({**node.attributes, "bias": parameters.bias is not None}))
