"""The network in integers: layers on quantised operands, requantised from node to node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workloads.codebook import shared
from workloads.errors import InputError
from workloads.execute.convolve import convolve_integers, macs_on_padding, macs_on_zero
from workloads.execute.execution import Execution, LayerRun
from workloads.execute.quantised import Quantised, quantise, quantise_by_channel
from workloads.execute.requantise import narrowed
from workloads.execute.vector import Accumulated, finish, vector_output
from workloads.execute.weights import WITH_PARAMETERS, node_parameters
from workloads.execute.wiring import Inputs, layer_input, layer_weight, network_inputs, node_output
from workloads.layer import Layer, Tensors
from workloads.network import Network, Node

BIAS_GUARD_BITS, BIAS_MOST_BITS = 14, 40
"""A bias in accumulator units has at most the bits of both operands and these more, 40 in all: the scale of a nearly
dead channel gives way to its bias. So 8 by 8 bits keep to 32 bits (Jacob et al., CVPR 2018, section 2.4)."""
RunLayer = Callable[[Layer], NDArray[np.int64]]
"""Computes a layer on its tensors: accumulators (N, G*K, P, Q) without bias."""
Finished = Callable[[Node, Quantised, LayerRun | None], None]
"""Told of each node in turn, as soon as it is computed: its output, and its run if it is a layer."""


def execute(
    network: Network,
    inputs: Inputs,
    bits_input: int = 8,
    bits_weight: int = 8,
    *,
    run_layer: RunLayer = convolve_integers,
    seed: int = 0,
    keep_activations: bool = False,
    codebook_bits: int = 0,
    finished: Finished | None = None,
) -> Execution:
    """Runs the network on real inputs in integers.

    Activations have one scale a tensor, weights one an output channel, both symmetric and signed; the network's inputs
    are scaled by their largest magnitude. Biases are added to the accumulators. Every node's output scale is calibrated
    from its own accumulators in this run. A layer's own `bits` win over the arguments. ReLU, ReLU6, clips, maxima and
    moves are exact on integers; sums, means, joins and products align scales by integer multipliers; softmax, layer
    norm, LRN, powers and the smooth functions work on real values and requantise. Parameters the network lacks are
    drawn with `seed`. With `codebook_bits`, or those of a layer's own patterns, the weights of a layer share so many
    values.

    Raises InputError for inputs that do not fit, an operation without known meaning, a result that is not finite, or
    one of `run_layer` that has the wrong shape.
    """
    tensors = {name: quantise(real, bits_input) for name, real in network_inputs(network, inputs).items()}
    run = _Run(network, bits_input, bits_weight, run_layer, seed, codebook_bits)
    runs: dict[str, LayerRun] = {}
    last_use = {name: i for i, node in enumerate(network.nodes) for name in node.inputs}
    outputs: dict[str, NDArray[np.float64]] = {}
    for i, node in enumerate(network.nodes):
        xs = [tensors[name] for name in node.inputs]
        if node.layer is not None:
            tensors[node.name], runs[node.name] = run.layer(node, node.layer, xs)
        else:
            parameters = node_parameters(network, node, seed) if node.op in WITH_PARAMETERS else None
            tensors[node.name] = vector_output(node, xs, parameters, bits_input)
        if finished is not None:
            finished(node, tensors[node.name], runs.get(node.name))
        if node.name not in last_use:
            outputs[node.name] = tensors[node.name].real
        if not keep_activations:
            for name in set(node.inputs):
                if last_use[name] == i:
                    del tensors[name]
    return Execution(outputs, runs, tensors if keep_activations else {})


@dataclass(frozen=True, slots=True)
class _Run:
    network: Network
    bits_input: int
    bits_weight: int
    run_layer: RunLayer
    seed: int
    codebook_bits: int

    def layer(self, node: Node, layer: Layer, xs: Sequence[Quantised]) -> tuple[Quantised, LayerRun]:
        x = narrowed(xs[0], layer.bits.input or self.bits_input)
        weight, scales, bias = self._weight(node, layer, xs, x.scale)
        layer = layer.with_tensors(Tensors(layer_input(node, layer, x.values), weight))
        worth = (x.scale * scales).reshape(1, -1, 1, 1)
        sums = np.asarray(self.run_layer(layer), np.int64)
        if sums.shape != layer.output_shape:
            raise InputError(
                f"run_layer gave accumulators of shape {sums.shape}: needs {layer.output_shape}",
                source=f"layer {layer.name}",
            )
        if bias is not None:
            sums = sums + np.rint(bias.reshape(1, -1, 1, 1) / worth).astype(np.int64)
        done = finish(node, Accumulated(sums, worth), self.bits_input)
        run = LayerRun(
            layer,
            x.scale,
            scales,
            done.scale,
            int(sums.min()),
            int(sums.max()),
            macs_on_zero(layer),
            macs_on_padding(layer),
        )
        return Quantised(node_output(node, layer, done.values), done.scale, done.bits), run

    def _weight(
        self, node: Node, layer: Layer, xs: Sequence[Quantised], input_scale: float
    ) -> tuple[NDArray[np.signedinteger], NDArray[np.float64], NDArray[np.floating] | None]:
        bits = layer.bits.weight or self.bits_weight
        if layer.weight_is_activation:
            second = narrowed(xs[1], bits)
            return np.ascontiguousarray(layer_weight(node, layer, second.values)), np.array([second.scale]), None
        parameters = node_parameters(self.network, node, self.seed)
        if parameters.weight.shape != layer.weight_shape:
            raise InputError(
                f"weights have shape {parameters.weight.shape}: needs {layer.weight_shape}", source=f"node {node.name}"
            )
        least = None
        if parameters.bias is not None:
            limit = 1 << min(self.bits_input + bits + BIAS_GUARD_BITS, BIAS_MOST_BITS)
            least = np.abs(parameters.bias) / (input_scale * limit)
        values, scales = quantise_by_channel(parameters.weight, bits, least, source=f"weights of node {node.name}")
        codebook_bits = layer.patterns.codebook_bits or self.codebook_bits
        return shared(values, codebook_bits) if codebook_bits else values, scales, parameters.bias
