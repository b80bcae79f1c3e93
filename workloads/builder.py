"""Builds a network node by node: output shapes computed, far padding cut to what is used, activations fused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import Any

from workloads.errors import InputError
from workloads.fusion import fuse_activations, needed_nodes, require_activation
from workloads.layer import Layer
from workloads.network import Network, Node, Parameters
from workloads.shapes import (
    Pair,
    Sides,
    axis_index,
    broadcast,
    concatenated,
    conv_layer,
    map_shape,
    pair,
    pool_extents,
    reshaped,
    sides,
)


class NetworkBuilder:
    """Every method adds a node and returns its name, to be given as `x` to the next. Maps are (N, C, H, W).

    Errors are InputError and name the node. `input` is the name of the first network input.
    """

    def __init__(self, name: str, input_shape: Sequence[int] | None = None, citation: str = "") -> None:
        self.name = name
        self.citation = citation
        self.input = "input"
        self._inputs: dict[str, tuple[int, ...]] = {}
        self._nodes: dict[str, Node] = {}
        self._parameters: dict[str, Parameters] = {}
        if input_shape is not None:
            self.add_input("input", input_shape)

    def add_input(self, name: str, shape: Sequence[int]) -> str:
        """A further network input, batch first."""
        self._require_new(name)
        if not self._inputs:
            self.input = name
        self._inputs[name] = tuple(int(extent) for extent in shape)
        return name

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a node's output or of a network input."""
        if name in self._nodes:
            return self._nodes[name].shape
        if name in self._inputs:
            return self._inputs[name]
        raise InputError(f'"{name}" is neither a node nor an input so far', source=self.name)

    def node(
        self,
        name: str,
        op: str,
        inputs: Sequence[str],
        shape: Sequence[int],
        *,
        layer: Layer | None = None,
        activation: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        parameters: Parameters | None = None,
    ) -> str:
        """A node of any operation, its output shape given by the caller; the other methods end here."""
        self._require_new(name)
        for source in inputs:
            self.shape(source)
        if activation is not None:
            require_activation(activation, self._where(name))
        extents = tuple(int(extent) for extent in shape)
        if any(extent < 1 for extent in extents):
            raise InputError(f"{op} gives an empty output {extents}: needs a larger input", source=self._where(name))
        frozen = MappingProxyType(dict(attributes or {}))
        self._nodes[name] = Node(name, op, tuple(inputs), extents, layer, activation, frozen)
        if parameters is not None:
            self._parameters[name] = parameters
        return name

    def conv(
        self,
        name: str,
        x: str,
        channels: int,
        kernel: Pair,
        stride: Pair = 1,
        padding: Sides = 0,
        groups: int = 1,
        dilation: Pair = 1,
        activation: str | None = None,
        *,
        bias: bool = True,
        batch_norm: bool = False,
        parameters: Parameters | None = None,
    ) -> str:
        """A convolution. `batch_norm` says that one is folded into it; its shift then stands in for the bias.

        `attributes["padding"]` is the padding asked for; the layer's is the padding used.
        """
        where, shape = self._where(name), self._map_shape(name, x)
        given = sides(padding, where)
        layer = conv_layer(name, shape, channels, kernel, stride, given, groups, dilation, where=where)
        attributes = {"padding": given, "bias": bias and not batch_norm, "batch_norm": batch_norm}
        out = layer.output_shape
        return self.node(
            name, "conv", (x,), out, layer=layer, activation=activation, attributes=attributes, parameters=parameters
        )

    def depthwise(
        self,
        name: str,
        x: str,
        kernel: Pair,
        stride: Pair = 1,
        padding: Sides = 0,
        dilation: Pair = 1,
        activation: str | None = None,
        *,
        bias: bool = True,
        batch_norm: bool = False,
    ) -> str:
        """A convolution of every channel by itself: G = channels, K = C = 1."""
        groups = self._map_shape(name, x)[1]
        return self.conv(
            name, x, groups, kernel, stride, padding, groups, dilation, activation, bias=bias, batch_norm=batch_norm
        )

    def linear(
        self,
        name: str,
        x: str,
        channels: int,
        activation: str | None = None,
        *,
        bias: bool = True,
        parameters: Parameters | None = None,
    ) -> str:
        """A fully connected layer over the last axis of (N, C) or (N, rows..., C); the rows are the layer's P."""
        shape = self.shape(x)
        if len(shape) < 2:
            raise InputError(f"input {x} has shape {shape}: needs (N, ..., C)", source=self._where(name))
        layer = Layer(name, op="matmul", N=shape[0], K=channels, C=shape[-1], P=prod(shape[1:-1]))
        attributes = {"bias": bias, "batch_norm": False}
        out = (*shape[:-1], channels)
        return self.node(
            name, "matmul", (x,), out, layer=layer, activation=activation, attributes=attributes, parameters=parameters
        )

    def matmul(self, name: str, a: str, b: str, activation: str | None = None) -> str:
        """Product of two activations, (batch..., rows, inner) by (batch..., inner, columns).

        The layer has G = batch, P = rows, C = inner, K = columns: its weight (G*K, C, 1, 1) is `b` transposed.
        """
        left, right = self.shape(a), self.shape(b)
        if len(left) < 2 or left[:-2] != right[:-2] or left[-1] != right[-2]:
            problem = f"cannot multiply {left} by {right}: needs equal batch axes and inner extents"
            raise InputError(problem, source=self._where(name))
        rows, inner, columns = left[-2], left[-1], right[-1]
        layer = Layer(name, op="matmul", G=prod(left[:-2]), K=columns, C=inner, P=rows, weight_is_activation=True)
        return self.node(name, "matmul", (a, b), (*left[:-1], columns), layer=layer, activation=activation)

    def max_pool(
        self,
        name: str,
        x: str,
        kernel: Pair,
        stride: Pair | None = None,
        padding: Sides = 0,
        ceil_mode: bool = False,
        dilation: Pair = 1,
    ) -> str:
        """Maxima of windows; `stride` is the kernel unless given. Padding never wins."""
        spread = {"dilation": pair(dilation, self._where(name))}
        return self._pool("max_pool", name, x, kernel, stride, padding, ceil_mode, spread)

    def average_pool(
        self,
        name: str,
        x: str,
        kernel: Pair,
        stride: Pair | None = None,
        padding: Sides = 0,
        ceil_mode: bool = False,
        count_padding: bool = False,
    ) -> str:
        """Means of windows; padding counts among the averaged elements when `count_padding`."""
        return self._pool("average_pool", name, x, kernel, stride, padding, ceil_mode, {"count_padding": count_padding})

    def global_average_pool(self, name: str, x: str) -> str:
        """Mean of each channel, (N, C, 1, 1)."""
        n, c, _, _ = self._map_shape(name, x)
        return self.node(name, "global_average_pool", (x,), (n, c, 1, 1))

    def add(self, name: str, *xs: str, activation: str | None = None) -> str:
        """Elementwise sum, broadcast as in NumPy."""
        shape = broadcast([self.shape(x) for x in xs], self._where(name))
        return self.node(name, "add", xs, shape, activation=activation)

    def multiply(self, name: str, *xs: str, activation: str | None = None) -> str:
        """Elementwise product, broadcast as in NumPy."""
        shape = broadcast([self.shape(x) for x in xs], self._where(name))
        return self.node(name, "multiply", xs, shape, activation=activation)

    def concat(self, name: str, *xs: str, axis: int = 1) -> str:
        """Joins along `axis`; all other extents must agree."""
        shapes = [self.shape(x) for x in xs]
        axis = axis_index(axis, len(shapes[0]), self._where(name))
        return self.node(name, "concat", xs, concatenated(shapes, axis, self._where(name)), attributes={"axis": axis})

    def flatten(self, name: str, x: str) -> str:
        """(N, everything else)."""
        shape = self.shape(x)
        return self.node(name, "flatten", (x,), (shape[0], prod(shape[1:])))

    def reshape(self, name: str, x: str, shape: Sequence[int]) -> str:
        """The same elements in another shape, one of whose extents may be -1."""
        return self.node(name, "reshape", (x,), reshaped(prod(self.shape(x)), shape, self._where(name)))

    def transpose(self, name: str, x: str, axes: Sequence[int]) -> str:
        """Axis i of the output is axis `axes[i]` of the input."""
        shape = self.shape(x)
        if sorted(axes) != list(range(len(shape))):
            problem = f"axes = {list(axes)}: must be a permutation of 0..{len(shape) - 1}"
            raise InputError(problem, source=self._where(name))
        return self.node(name, "transpose", (x,), [shape[axis] for axis in axes], attributes={"axes": tuple(axes)})

    def activation(self, name: str, x: str, kind: str) -> str:
        """An elementwise function. `build` fuses it into `x` when nothing else reads `x`."""
        require_activation(kind, self._where(name))
        return self.node(name, kind, (x,), self.shape(x))

    def lrn(self, name: str, x: str, size: int, alpha: float, beta: float, bias: float = 1.0) -> str:
        """Local response normalisation over `size` channels: x / (bias + alpha/size * sum of squares)**beta."""
        attributes = {"size": size, "alpha": alpha, "beta": beta, "bias": bias}
        return self.node(name, "lrn", (x,), self._map_shape(name, x), attributes=attributes)

    def softmax(self, name: str, x: str, axis: int = -1) -> str:
        shape = self.shape(x)
        attributes = {"axis": axis_index(axis, len(shape), self._where(name))}
        return self.node(name, "softmax", (x,), shape, attributes=attributes)

    def batch_norm(self, name: str, x: str) -> str:
        """A batch norm that no convolution could take: a scale and a shift a channel."""
        return self.node(name, "batch_norm", (x,), self.shape(x))

    def layer_norm(
        self,
        name: str,
        x: str,
        axes: Sequence[int] = (-1,),
        epsilon: float = 1e-5,
        *,
        bias: bool = True,
        parameters: Parameters | None = None,
    ) -> str:
        """Mean 0 and variance 1 over `axes` taken together, `epsilon` added to the variance, then scale and bias.

        These broadcast against `x`; without `parameters` they are 1 and 0.
        """
        shape, where = self.shape(x), self._where(name)
        over = tuple(sorted({axis_index(axis, len(shape), where) for axis in axes}))
        if not over:
            raise InputError("axes = (): needs one at least", source=where)
        given = () if parameters is None else (parameters.weight, parameters.bias)
        for part in given:
            if part is not None and broadcast([shape, part.shape], where) != shape:
                raise InputError(f"scale or bias of shape {part.shape} does not broadcast to {shape}", source=where)
        attributes = {"axes": over, "epsilon": epsilon, "bias": bias}
        return self.node(name, "layer_norm", (x,), shape, attributes=attributes, parameters=parameters)

    def build(self, results: Sequence[str] = ()) -> Network:
        """The network, activations fused into their producers; given `results`, only what they depend on.

        Raises InputError when no node is left.
        """
        nodes = tuple(self._nodes.values())
        nodes = fuse_activations(needed_nodes(nodes, results) if results else nodes, results)
        if not nodes:
            raise InputError("the network has no operation: needs one at least", source=self.name)
        kept = {node.name for node in nodes}
        parameters = {name: values for name, values in self._parameters.items() if name in kept}
        return Network(self.name, dict(self._inputs), nodes, self.citation, parameters)

    def _pool(
        self,
        op: str,
        name: str,
        x: str,
        kernel: Pair,
        stride: Pair | None,
        padding: Sides,
        ceil_mode: bool,
        extra: Mapping[str, Any],
    ) -> str:
        where = self._where(name)
        n, c, *size = self._map_shape(name, x)
        taps, given = pair(kernel, where), sides(padding, where)
        steps = taps if stride is None else pair(stride, where)
        spread = extra.get("dilation", (1, 1))
        out = pool_extents(size, given, taps, steps, spread, ceil_mode=ceil_mode, where=where)
        attributes = {"kernel": taps, "stride": steps, "padding": given, "ceil_mode": ceil_mode, **extra}
        return self.node(name, op, (x,), (n, c, *out), attributes=attributes)

    def _where(self, name: str) -> str:
        return f"{self.name}, node {name}"

    def _map_shape(self, name: str, x: str) -> tuple[int, int, int, int]:
        return map_shape(self.shape(x), x, self._where(name))

    def _require_new(self, name: str) -> None:
        if name in self._nodes or name in self._inputs:
            raise InputError(f'two nodes are called "{name}"', source=self.name)
