"""Whole small networks in integers: close to float64 by what their bits allow, exact where they should be."""

from __future__ import annotations

from math import inf, nan, pi, sqrt, tanh
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import workloads
from workloads.builder import NetworkBuilder
from workloads.errors import InputError
from workloads.execute import convolve_integers, execute, float_forward, signal_to_noise_db
from workloads.execute.functions import ACTIVATION_FUNCTIONS, lrn
from workloads.fusion import ACTIVATIONS
from workloads.layer import Bits, Density, Layer
from workloads.network import Network, Node, Parameters

RANDOM = np.random.default_rng(5)


def noise(*shape: int) -> NDArray[np.float64]:
    return RANDOM.standard_normal(shape)


def everything() -> Network:
    """A network with every operation of the builder."""
    b = NetworkBuilder("everything", (1, 4, 16, 16))
    x = b.conv("conv1", b.input, 8, 3, padding=1, activation="relu")
    x = b.lrn("lrn", x, 5, 1e-2, 0.75)
    x = b.max_pool("pool1", x, 3, 2, ceil_mode=True)
    b.layer_norm("layer_norm", x, (1, 2, 3))  # a result of its own: it would change what all else is given
    left = b.depthwise("depthwise", x, 3, padding=1, activation="relu6")
    right = b.batch_norm("norm", x)
    x = b.activation("relu", b.add("add", left, right), "relu")
    x = b.concat("concat", x, left)
    x = b.average_pool("pool2", x, 2)
    gate = b.activation("gate", b.conv("conv2", x, 16, 1), "hard_sigmoid")
    x = b.multiply("multiply", x, gate)
    x = b.activation("swish", x, "hard_swish")
    rows = b.reshape("rows", x, (1, 16, 16))
    turned = b.transpose("turned", rows, (0, 2, 1))
    x = b.matmul("scores", rows, turned)
    x = b.matmul("mix", b.softmax("softmax", x), rows)
    x = b.reshape("map", x, (1, 16, 4, 4))
    x = b.global_average_pool("mean", x)
    b.linear("head", b.flatten("flat", x), 10)
    return b.build()


@pytest.mark.parametrize(("bits", "least_db"), [(8, 25.0), (12, 48.0), (16, 70.0)])
def test_more_bits_come_closer_to_float(bits: int, least_db: float) -> None:
    network, x = everything(), noise(1, 4, 16, 16)
    run = execute(network, x, bits, bits, keep_activations=True)
    exact = float_forward(network, x)
    for node in network.nodes:
        assert signal_to_noise_db(exact[node.name], run.activations[node.name].real) > least_db, node.name
    assert list(run.runs) == [node.name for node in network.nodes if node.is_compute]
    np.testing.assert_array_equal(run.result, run.activations["head"].real)


def test_layers_carry_the_operands_they_were_computed_on() -> None:
    run = execute(everything(), noise(1, 4, 16, 16), 8, 6)
    for name, done in run.runs.items():
        assert done.layer.tensors is not None
        assert done.layer.tensors.input.dtype == np.int8
        assert np.abs(done.layer.tensors.weight).max() == 31
        if name in ("scores", "mix"):
            sums = convolve_integers(done.layer)
            assert (sums.min(), sums.max()) == (done.accumulator_min, done.accumulator_max)


def test_the_kernel_is_pluggable_and_asked_once_a_layer() -> None:
    asked = []

    def kernel(layer: Layer) -> NDArray[np.int64]:
        asked.append(layer.name)
        return convolve_integers(layer)

    network, x = everything(), noise(1, 4, 16, 16)
    run = execute(network, x, run_layer=kernel)
    assert asked == [layer.name for layer in network.layers]
    np.testing.assert_array_equal(run.result, execute(network, x).result)


def test_a_kernel_with_the_wrong_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"layer conv1: run_layer gave accumulators of shape \(1,\): needs"):
        execute(everything(), noise(1, 4, 16, 16), run_layer=lambda layer: np.zeros(1, np.int64))


def test_whole_numbers_pass_exactly() -> None:
    """Inputs and weights that already are on the integer grid: ReLU, maximum and sums lose nothing."""
    b = NetworkBuilder("exact", (1, 2, 4, 4))
    parameters = Parameters(np.array([[127.0, -1.0], [3.0, 127.0]]).reshape(2, 2, 1, 1), np.array([5.0, -7.0]))
    b.max_pool("pool", b.conv("conv", b.input, 2, 1, activation="relu", parameters=parameters), 2)
    network = b.build()
    x = RANDOM.integers(-127, 128, (1, 2, 4, 4)).astype(float)
    x.flat[0] = 127.0
    run = execute(network, x, 8, 8)
    conv = run.runs["conv"]
    exact = float_forward(network, x)
    sums = np.einsum("kc,nchw->nkhw", parameters.weight[:, :, 0, 0], x) + np.array([5.0, -7.0]).reshape(1, 2, 1, 1)
    assert (conv.accumulator_min, conv.accumulator_max) == (sums.min(), sums.max())
    assert conv.accumulator_bits == max(int(sums.max()).bit_length(), int(-sums.min() - 1).bit_length()) + 1
    assert np.abs(run.result - exact["pool"]).max() <= conv.output_scale / 2 * (1 + 1e-6)


def test_zero_share_counts_each_element_by_its_uses() -> None:
    """A 3x3 convolution with padding of a 4x4 map whose only nonzero element is a corner: used 4 times of 100."""
    b = NetworkBuilder("corner", (1, 1, 4, 4))
    b.conv("conv", b.input, 2, 3, padding=1)
    x = np.zeros((1, 1, 4, 4))
    x[0, 0, 0, 0] = 1.0
    run = execute(b.build(), x)
    # 16 outputs of 9 taps; along one axis 2 + 3 + 3 + 2 = 10 taps lie inside.
    assert run.macs_on_zero == 2 * (10 * 10 - 4)
    assert run.zero_share == pytest.approx(96 / 144)
    assert run.zero_share_inside == pytest.approx(96 / 100)


def test_drawn_weights_are_the_same_again_and_change_with_the_seed() -> None:
    network, x = everything(), noise(1, 4, 16, 16)
    first = execute(network, x, seed=1).result
    np.testing.assert_array_equal(first, execute(network, x, seed=1).result)
    assert not np.array_equal(first, execute(network, x, seed=2).result)
    with pytest.raises(InputError, match="seed = -1"):
        execute(network, x, seed=-1)


def test_drawn_weights_have_the_layers_density() -> None:
    def thin(layer: Layer) -> Layer:
        return Layer("thin", K=layer.K, C=layer.C, P=layer.P, Q=layer.Q, density=Density(weight=0.25))

    b = NetworkBuilder("thin", (1, 64, 4, 4))
    b.conv("thin", b.input, 64, 1)
    run = execute(b.build().map_layers(thin), noise(1, 64, 4, 4))
    (layer,) = run.layers
    assert layer.tensors is not None
    assert np.count_nonzero(layer.tensors.weight) / layer.tensors.weight.size == pytest.approx(0.25, abs=0.04)


def test_widths_of_a_layer_win() -> None:
    def narrow(layer: Layer) -> Layer:
        return Layer("conv", K=layer.K, C=layer.C, P=layer.P, Q=layer.Q, bits=Bits(input=4, weight=3))

    b = NetworkBuilder("narrow", (1, 8, 4, 4))
    b.conv("conv", b.input, 8, 1)
    (layer,) = execute(b.build().map_layers(narrow), noise(1, 8, 4, 4)).layers
    assert layer.tensors is not None
    assert np.abs(layer.tensors.input).max() == 7
    assert np.abs(layer.tensors.weight).max() == 3


def test_a_dead_channel_keeps_its_bias() -> None:
    """A folded batch norm can leave weights of 1e-30 beside an ordinary bias."""
    b = NetworkBuilder("dead", (1, 2, 2, 2))
    parameters = Parameters(np.array([[1e-30, 1e-30], [1.0, 0.0]]).reshape(2, 2, 1, 1), np.array([0.75, 0.0]))
    b.conv("conv", b.input, 2, 1, parameters=parameters)
    result = execute(b.build(), np.ones((1, 2, 2, 2)), 16, 16).result
    np.testing.assert_allclose(result[0, :, 0, 0], [0.75, 1.0], atol=1e-4)


def test_every_activation_of_the_builder_has_values() -> None:
    assert set(ACTIVATION_FUNCTIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("kind", sorted(ACTIVATIONS))
def test_activations_fused_or_alone(kind: str) -> None:
    alone = NetworkBuilder("alone", (1, 300))
    alone.activation("f", alone.input, kind)
    fused = NetworkBuilder("fused", (1, 300))
    one = Parameters(np.eye(300).reshape(300, 300, 1, 1))
    fused.linear("one", fused.input, 300, kind, parameters=one)
    x = np.linspace(1.0 if kind == "sqrt" else -9.0, 9.0, 300)[None]
    for builder in (alone, fused):
        network = builder.build()
        exact = float_forward(network, x)[network.nodes[-1].name]
        np.testing.assert_allclose(exact, ACTIVATION_FUNCTIONS[kind](x))
        assert np.abs(execute(network, x, 12, 12).result - exact).max() < 0.01


def test_gelu_and_its_approximation_by_hand() -> None:
    """Hendrycks and Gimpel, "Gaussian Error Linear Units", arXiv 1606.08415, section 2."""
    for x in (-2.5, -0.3, 0.0, 0.7, 3.0):
        exact = x * NormalDist().cdf(x)
        close = 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))
        assert ACTIVATION_FUNCTIONS["gelu"](np.array([x]))[0] == pytest.approx(exact, abs=1e-15)
        assert ACTIVATION_FUNCTIONS["gelu_tanh"](np.array([x]))[0] == pytest.approx(close, abs=1e-15)
        assert close == pytest.approx(exact, abs=5e-4)


def test_local_response_normalisation_by_hand() -> None:
    """Krizhevsky et al. 2012, section 3.3, with their alpha in front of the plain sum: alpha / size here."""
    x = noise(1, 7, 1, 1)
    attributes = {"size": 5, "alpha": 5e-1, "beta": 0.75, "bias": 2.0}
    found = lrn(Node("n", "lrn", ("x",), x.shape, attributes=attributes), x).reshape(-1)
    a = x.reshape(-1)
    for i in range(7):
        total = sum(a[j] ** 2 for j in range(max(0, i - 2), min(6, i + 2) + 1))
        assert found[i] == pytest.approx(a[i] / (2.0 + 0.1 * total) ** 0.75)


@pytest.mark.parametrize("axes", [(-1,), (1,), (1, 2)])
def test_layer_normalisation_has_the_moments_it_is_given(axes: tuple[int, ...]) -> None:
    """Mean and standard deviation over the axes are bias and scale, however the input is shifted and scaled."""
    b = NetworkBuilder("norm", (2, 12, 20))
    scale, bias = 3.0, -0.5
    b.layer_norm("norm", b.input, axes, 0.0, parameters=Parameters(np.array([scale]), np.array([bias])))
    network, x = b.build(), noise(2, 12, 20)
    y = float_forward(network, 40.0 * x - 7.0)["norm"]
    np.testing.assert_allclose(y.mean(axis=axes), bias)
    np.testing.assert_allclose(y.std(axis=axes), scale)
    np.testing.assert_allclose(y, float_forward(network, x)["norm"])
    assert np.abs(execute(network, x, 12, 12).result - float_forward(network, x)["norm"]).max() < 0.02


@pytest.mark.parametrize("magnitude", [1e-30, 1e-12, 1.0, 1e12])
def test_a_constant_far_above_what_it_is_added_to(magnitude: float) -> None:
    b = NetworkBuilder("shifted", (1, 50))
    b.node("shifted", "affine", (b.input,), (1, 50), parameters=Parameters(np.array([2.0]), np.array([0.5])))
    x = magnitude * np.linspace(-1.0, 1.0, 50)[None]
    found = execute(b.build(), x, 12, 12).result
    np.testing.assert_allclose(found, 2.0 * x + 0.5, atol=2e-3 * max(1.0, magnitude))


@pytest.mark.parametrize("exponent", [2.0, 3.0, -1.0])
def test_powers_in_integers(exponent: float) -> None:
    b = NetworkBuilder("power", (1, 200))
    b.node("power", "power", (b.input,), (1, 200), attributes={"exponent": exponent})
    x = np.linspace(0.5, 2.0, 200)[None] * np.where(np.arange(200) % 2, 1.0, -1.0)
    np.testing.assert_allclose(execute(b.build(), x, 16, 16).result, x**exponent, atol=1e-3)


def test_shuffle_interleaves_the_groups() -> None:
    b = NetworkBuilder("shuffle", (1, 6, 1, 1))
    b.node("s", "shuffle", (b.input,), (1, 6, 1, 1), attributes={"groups": 2})
    found = float_forward(b.build(), np.arange(6.0).reshape(1, 6, 1, 1))["s"]
    assert found.reshape(-1).tolist() == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize("name", ["lenet5", "squeezenet"])
def test_networks_of_the_zoo_run_without_parameters(name: str) -> None:
    network = workloads.load(name)
    x = np.abs(noise(*network.inputs["input"]))
    exact = float_forward(network, x)[network.nodes[-1].name]
    assert signal_to_noise_db(exact, execute(network, x).result) > 20.0
    assert signal_to_noise_db(exact, execute(network, x, 16, 16).result) > 70.0


def test_a_batch_is_its_images_side_by_side() -> None:
    """One image serves every place of the batch, so every place has the same result."""
    network = workloads.load("lenet5", batch=3)
    x = noise(*network.inputs["input"][1:])
    result = execute(network, x).result
    np.testing.assert_array_equal(result[0], result[2])
    np.testing.assert_allclose(result[:1], execute(workloads.load("lenet5"), x).result)


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        (np.zeros((1, 4, 16, 15)), r'everything: input "input" has shape \(1, 4, 16, 15\): needs \(1, 4, 16, 16\)'),
        ({"other": np.zeros((1, 4, 16, 16))}, "everything: has no input other: needs input"),
        ({}, r'everything: input "input" is missing: needs an array of shape \(1, 4, 16, 16\)'),
        (np.full((1, 4, 16, 16), inf), "input input: holds NaN or infinity"),
        (np.zeros((1, 4, 16, 16), np.complex128), "input input: has dtype complex128"),
    ],
)
def test_inputs_that_do_not_fit(inputs: Any, problem: str) -> None:
    for run in (execute, float_forward):
        with pytest.raises(InputError, match=problem):
            run(everything(), inputs)


def test_a_result_that_is_not_finite_names_its_node() -> None:
    b = NetworkBuilder("odd", (1, 4))
    b.activation("after", b.node("quotient", "divide", (b.input, b.add_input("other", (1, 4))), (1, 4)), "tanh")
    for run in (execute, float_forward):
        with pytest.raises(InputError, match="result of node quotient: holds NaN or infinity"):
            run(b.build(), {"input": np.ones((1, 4)), "other": np.array([[1.0, 2.0, 0.0, 3.0]])})


@pytest.mark.parametrize(("part", "parameters"), [("weights", (nan, 0.0)), ("bias", (1.0, -inf))])
def test_parameters_that_are_not_finite_name_their_node(part: str, parameters: tuple[float, float]) -> None:
    b = NetworkBuilder("odd", (1, 4))
    weight, bias = (np.array([value]) for value in parameters)
    b.node("scaled", "affine", (b.input,), (1, 4), parameters=Parameters(weight, bias))
    for run in (execute, float_forward):
        with pytest.raises(InputError, match=f"{part} of node scaled: holds NaN or infinity"):
            run(b.build(), np.ones((1, 4)))


def test_an_operation_without_meaning_is_refused() -> None:
    b = NetworkBuilder("odd", (1, 4))
    b.node("strange", "fourier", (b.input,), (1, 4))
    for run in (execute, float_forward):
        with pytest.raises(InputError, match='node strange: operation "fourier" cannot be executed'):
            run(b.build(), np.zeros((1, 4)))


def test_signal_to_noise() -> None:
    assert signal_to_noise_db(np.array([3.0, 4.0]), np.array([3.0, 4.5])) == pytest.approx(20.0)
    assert signal_to_noise_db(np.ones(2), np.ones(2)) == inf
    assert signal_to_noise_db(np.zeros(2), np.ones(2)) == -inf
