"""ONNX import: MACs of known networks, values against the onnx package's own reference, and errors that say where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from workloads.errors import InputError
from workloads.execute import float_forward
from workloads.network import Network
from workloads.onnx_import import load_onnx
from workloads.parameters import parameter_count

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
RANDOM = np.random.default_rng(7)


def noise(*shape: int) -> NDArray[np.float32]:
    return RANDOM.standard_normal(shape).astype(np.float32)


def integers(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def build(
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, Sequence[int | str | None]],
    constants: dict[str, NDArray[Any]] | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def imported(model: onnx.ModelProto, folder: Path) -> Network:
    path = folder / "tiny.onnx"
    path.write_bytes(model.SerializeToString())
    return load_onnx(path)


def agree(model: onnx.ModelProto, folder: Path) -> Network:
    """The network, after its values were compared with those of the onnx package's reference evaluator."""
    network = imported(model, folder)
    inputs = {name: noise(*shape) for name, shape in network.inputs.items()}
    values = float_forward(network, inputs)
    expected = ReferenceEvaluator(model).run(None, inputs)[0]
    found = values[network.nodes[-1].name]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    return network


node = helper.make_node


# The definitions' own MACs (convolutions and products, padding included) and parameters. The files are the onnx
# package's: AlexNet at 224 without padding, Inception v1 with floor pooling, a ShuffleNet that is not the paper's.
LIGHT_FIGURES = {
    "bvlc_alexnet": (5, 3, 0.6546, 60.965),
    "densenet121": (121, 0, 2.8342, None),
    "inception_v1": (57, 1, 1.4316, 6.999),
    "inception_v2": (69, 1, 2.0189, None),
    "resnet50": (53, 1, 4.0892, None),
    "shufflenet": (49, 1, 0.1247, None),
    "squeezenet": (26, 0, 0.3492, 1.235),
    "vgg19": (16, 3, 19.632, 143.667),
    "zfnet512": (5, 3, 1.4817, 87.251),
}
"""Convolutions, fully connected layers, GMAC, and million parameters where no batch norm is folded away."""


@pytest.mark.parametrize("name", LIGHT_FIGURES)
def test_macs_of_the_onnx_package_networks(name: str) -> None:
    convolutions, products, gmac, parameters = LIGHT_FIGURES[name]
    network = load_onnx(LIGHT / f"light_{name}.onnx")
    ops = Counter(layer.op for layer in network.layers)
    assert (ops["conv"], ops["matmul"]) == (convolutions, products)
    assert network.macs / 1e9 == pytest.approx(gmac, abs=0.0005 if gmac > 10 else 0.00005)
    if parameters is not None:
        assert parameter_count(network) / 1e6 == pytest.approx(parameters, abs=0.0005)
    for each in network.nodes:
        if each.layer is not None:
            assert network.parameters[each.name].weight.shape == each.layer.weight_shape


def test_batch_norms_of_densenet_are_folded_where_a_convolution_feeds_them() -> None:
    """Two batch norms a dense layer: the second follows its 1x1 convolution; the first, and those of the three
    transitions and of the end, follow a concatenation or a pool that others read too."""
    ops = Counter(each.op for each in load_onnx(LIGHT / "light_densenet121.onnx").nodes)
    assert ops["batch_norm"] == 58 + 3 + 1
    assert {"multiply", "add", "affine"}.isdisjoint(ops)


CONV = {"w": noise(6, 2, 3, 3), "b": noise(6)}


@pytest.mark.parametrize(
    "attributes",
    [
        {"group": 2},
        {"group": 2, "strides": [2, 3], "pads": [0, 1, 2, 3]},
        {"group": 2, "dilations": [2, 1], "pads": [1, 1, 1, 1]},
        {"group": 2, "auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"group": 2, "auto_pad": "SAME_LOWER", "strides": [2, 2]},
        {"group": 2, "auto_pad": "VALID"},
    ],
)
def test_conv(attributes: dict[str, Any], tmp_path: Path) -> None:
    network = agree(build([node("Conv", ["x", "w", "b"], ["y"], **attributes)], {"x": (1, 4, 10, 12)}, CONV), tmp_path)
    (layer,) = network.layers
    assert (layer.G, layer.K, layer.C, layer.R, layer.S) == (2, 3, 2, 3, 3)


def test_one_dimensional_network_has_one_row_and_no_moves(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"], strides=[2], pads=[1, 2]),
        node("Relu", ["a"], ["r"]),
        node("MaxPool", ["r"], ["m"], kernel_shape=[2], strides=[2]),
        node("AveragePool", ["m"], ["p"], kernel_shape=[3], pads=[1, 1]),
        node("Conv", ["p", "v"], ["y"]),
    ]
    constants = {"w": noise(5, 3, 4), "v": noise(2, 5, 1)}
    network = agree(build(nodes, {"x": (1, 3, 31)}, constants), tmp_path)
    assert [layer.extents[4:] for layer in network.layers] == [(1, 16, 1, 4), (1, 8, 1, 1)]
    assert [each.op for each in network.nodes] == ["reshape", "conv", "max_pool", "average_pool", "conv", "reshape"]
    assert network.nodes[1].activation == "relu"


def test_batch_norm_and_scale_layer_are_folded(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w", "b"], ["a"], group=2),
        node("BatchNormalization", ["a", "s", "o", "m", "v"], ["n"], epsilon=1e-3),
        node("Mul", ["n", "f"], ["k"]),
        node("Add", ["k", "g"], ["h"]),
        node("Clip", ["h", "", "six"], ["c"]),
        node("Clip", ["c", "zero"], ["y"]),
    ]
    constants = CONV | {
        "s": noise(6),
        "o": noise(6),
        "m": noise(6),
        "v": np.abs(noise(6)),
        "f": noise(6, 1, 1),
        "g": noise(6, 1, 1),
        "zero": np.float32(0.0),
        "six": np.float32(6.0),
    }
    network = agree(build(nodes, {"x": (1, 4, 6, 6)}, constants), tmp_path)
    assert [(each.op, each.activation) for each in network.nodes] == [("conv", None), ("clip", "relu")]


def test_batch_norm_of_a_convolution_that_others_read_stays(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w", "b"], ["a"], group=2),
        node("BatchNormalization", ["a", "s", "o", "m", "v"], ["n"]),
        node("Relu", ["n"], ["r"]),
        node("Add", ["r", "a"], ["y"]),
    ]
    constants = CONV | {"s": noise(6), "o": noise(6), "m": noise(6), "v": np.abs(noise(6))}
    network = agree(build(nodes, {"x": (1, 4, 6, 6)}, constants), tmp_path)
    assert [each.op for each in network.nodes] == ["conv", "batch_norm", "add"]
    assert network.nodes[1].activation == "relu"


def test_channels_last_graph_keeps_one_transpose(tmp_path: Path) -> None:
    """What tensorflow exports: every convolution between two transposes, its bias and batch norm after the second."""
    nodes = [
        node("Pad", ["x", "pads"], ["p"]),
        node("Transpose", ["p"], ["t"], perm=[0, 3, 1, 2]),
        node("Conv", ["t", "w"], ["a"], strides=[2, 2]),
        node("Transpose", ["a"], ["u"], perm=[0, 2, 3, 1]),
        node("Add", ["u", "b"], ["c"]),
        node("Mul", ["c", "s"], ["d"]),
        node("Relu", ["d"], ["e"]),
        node("Transpose", ["e"], ["f"], perm=[0, 3, 1, 2]),
        node("Conv", ["f", "v"], ["g"]),
        node("Transpose", ["g"], ["h"], perm=[0, 2, 3, 1]),
        node("Add", ["h", "e"], ["i"]),
        node("ReduceMean", ["i"], ["j"], axes=[1, 2], keepdims=0),
        node("MatMul", ["j", "k"], ["y"]),
    ]
    constants = {
        "pads": integers(0, 1, 1, 0, 0, 2, 2, 0),
        "w": noise(5, 3, 3, 3),
        "b": noise(1, 1, 1, 5),
        "s": noise(1, 1, 1, 5),
        "v": noise(5, 5, 1, 1),
        "k": noise(5, 2),
    }
    network = agree(build(nodes, {"x": (1, 9, 9, 3)}, constants), tmp_path)
    ops = [each.op for each in network.nodes]
    assert ops == ["transpose", "conv", "conv", "add", "global_average_pool", "reshape", "matmul"]
    assert network.layers[0].padding == (1, 1, 1, 1)


@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [3, 2], "strides": [2, 2]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
        {"kernel_shape": [2, 2], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    ],
)
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_pools(op: str, attributes: dict[str, Any], tmp_path: Path) -> None:
    agree(build([node(op, ["x"], ["y"], **attributes)], {"x": (1, 3, 10, 11)}), tmp_path)


def test_average_pool_that_counts_its_padding(tmp_path: Path) -> None:
    pool = node("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    agree(build([pool], {"x": (1, 3, 7, 8)}), tmp_path)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
def test_pad_before_a_max_pool(mode: str, tmp_path: Path) -> None:
    """Edge padding cannot change a maximum and becomes the pool's; zeros and reflections can, and stay."""
    nodes = [node("Pad", ["x", "p"], ["a"], mode=mode), node("MaxPool", ["a"], ["y"], kernel_shape=[3, 3])]
    network = agree(build(nodes, {"x": (1, 2, 6, 6)}, {"p": integers(0, 0, 1, 1, 0, 0, 2, 1)}), tmp_path)
    assert [each.op for each in network.nodes] == (["max_pool"] if mode == "edge" else ["pad", "max_pool"])


def _unary(op: str, **attributes: Any) -> tuple[list[onnx.NodeProto], dict[str, NDArray[Any]]]:
    return [node(op, ["x"], ["y"], **attributes)], {}


def _with(op: str, constant: NDArray[Any], first: bool = False) -> tuple[list[onnx.NodeProto], dict[str, NDArray[Any]]]:
    return [node(op, ["k", "x"] if first else ["x", "k"], ["y"])], {"k": constant}


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        *(_unary(op) for op in ("Relu", "Sigmoid", "Tanh", "HardSwish", "HardSigmoid", "Erf", "LeakyRelu", "Flatten")),
        _unary("HardSigmoid", alpha=1 / 6),
        _unary("GlobalAveragePool"),
        _unary("ReduceMean", axes=[2, 3]),
        _unary("ReduceMean", axes=[1], keepdims=0),
        _unary("ReduceMean"),
        _unary("Softmax"),
        _unary("Softmax", axis=1),
        _unary("Transpose", perm=[0, 2, 3, 1]),
        ([node("Identity", ["x"], ["a"]), node("Dropout", ["a"], ["b"]), node("Relu", ["b"], ["y"])], {}),
        _with("PRelu", noise(4, 1, 1)),
        _with("Add", noise(4, 1, 1)),
        _with("Add", noise(5, 6)),
        _with("Sub", noise(4, 1, 1)),
        _with("Sub", noise(1), first=True),
        _with("Mul", noise(3, 4, 5, 6)),
        _with("Div", noise(4, 1, 1)),
        _with("Reshape", integers(0, 2, -1)),
        _with("Squeeze", integers(0)),
        _with("Unsqueeze", integers(1)),
        _with("Gather", np.int64(-1)),
    ],
)
def test_operator_of_one_activation(
    nodes: list[onnx.NodeProto], constants: dict[str, NDArray[Any]], tmp_path: Path
) -> None:
    agree(build(nodes, {"x": (1, 4, 5, 6)}, constants), tmp_path)


@pytest.mark.parametrize("attributes", [{}, {"approximate": "none"}, {"approximate": "tanh"}])
def test_gelu_is_one_activation(attributes: dict[str, str], tmp_path: Path) -> None:
    nodes = [node("Conv", ["x", "w", "b"], ["a"], group=2), node("Gelu", ["a"], ["y"], **attributes)]
    network = agree(build(nodes, {"x": (1, 4, 6, 7)}, CONV, opset=20), tmp_path)
    (conv,) = network.nodes
    assert conv.activation == ("gelu_tanh" if attributes.get("approximate") == "tanh" else "gelu")


def test_square_root(tmp_path: Path) -> None:
    model = build([node("Sigmoid", ["x"], ["a"]), node("Sqrt", ["a"], ["y"])], {"x": (2, 3, 4)})
    assert [each.op for each in agree(model, tmp_path).nodes] == ["sigmoid", "sqrt"]


@pytest.mark.parametrize("exponent", [2, 3.0, 0.5, -0.5, -2, 1, 0])
def test_power_by_a_constant(exponent: float, tmp_path: Path) -> None:
    nodes = [node("Sigmoid", ["x"], ["a"]), node("Pow", ["a", "k"], ["y"])]
    agree(build(nodes, {"x": (2, 3, 4)}, {"k": np.array([exponent], np.float32)}), tmp_path)


def test_odd_powers_keep_the_sign(tmp_path: Path) -> None:
    agree(build([node("Pow", ["x", "k"], ["y"])], {"x": (1, 40)}, {"k": np.int64(3)}), tmp_path)


@pytest.mark.parametrize("shape", [(), (4, 1, 1), (6,), (3, 4, 5, 6)])
def test_constant_divided_by_an_activation(shape: tuple[int, ...], tmp_path: Path) -> None:
    nodes = [node("Sigmoid", ["x"], ["a"]), node("Transpose", ["a"], ["b"], perm=[0, 3, 1, 2])]
    nodes.append(node("Div", ["k", "b"], ["y"]))
    agree(build(nodes, {"x": (1, 5, 6, 4)}, {"k": np.asarray(noise(*shape))}), tmp_path)


def test_reciprocal(tmp_path: Path) -> None:
    model = build([node("Sigmoid", ["x"], ["a"]), node("Reciprocal", ["a"], ["y"])], {"x": (2, 3, 4)})
    assert [each.op for each in agree(model, tmp_path).nodes] == ["sigmoid", "power"]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("axis", [None, 1, -1, -2])
def test_layer_normalisation(axis: int | None, bias: bool, tmp_path: Path) -> None:
    shape = (3, 4, 5)
    extents = shape[-1 if axis is None else axis :]
    inputs = ["x", "s", "b"] if bias else ["x", "s"]
    attributes = {} if axis is None else {"axis": axis, "epsilon": 0.25}
    constants = {"s": noise(*extents), "b": noise(*extents)}
    network = agree(build([node("LayerNormalization", inputs, ["y"], **attributes)], {"x": shape}, constants), tmp_path)
    assert [each.op for each in network.nodes] == ["layer_norm"]
    assert parameter_count(network) == np.prod(extents) * (1 + bias)


def test_layer_normalisation_over_channels_needs_no_transposes(tmp_path: Path) -> None:
    """As in ConvNeXt: channels go last for the norm and come back."""
    nodes = [
        node("Conv", ["x", "w", "b"], ["a"], group=2),
        node("Transpose", ["a"], ["t"], perm=[0, 2, 3, 1]),
        node("LayerNormalization", ["t", "s", "o"], ["n"]),
        node("Transpose", ["n"], ["y"], perm=[0, 3, 1, 2]),
    ]
    model = build(nodes, {"x": (1, 4, 6, 7)}, CONV | {"s": noise(6), "o": noise(6)})
    network = agree(model, tmp_path)
    assert [(each.op, each.attributes.get("axes")) for each in network.nodes] == [("conv", None), ("layer_norm", (1,))]


def test_layer_normalisation_of_axes_that_came_from_nowhere(tmp_path: Path) -> None:
    """A single element is its own mean: what is left is the bias."""
    nodes = [node("Unsqueeze", ["x", "last"], ["u"]), node("LayerNormalization", ["u", "s", "o"], ["y"])]
    agree(build(nodes, {"x": (2, 3)}, {"last": integers(2), "s": noise(1), "o": noise(1)}), tmp_path)


@pytest.mark.parametrize("noop", [0, 1])
def test_reductions_over_axes_given_as_none_at_all(noop: int, tmp_path: Path) -> None:
    """Empty axes are all of them, or none with `noop_with_empty_axes`: of an activation, and of a constant."""
    nodes = [
        node("ReduceMean", ["x", "none"], ["m"], noop_with_empty_axes=noop),
        node("ReduceProd", ["k", "none"], ["p"], noop_with_empty_axes=noop),
        node("Mul", ["m", "p"], ["y"]),
    ]
    agree(build(nodes, {"x": (2, 3, 4)}, {"none": integers(), "k": noise(1, 3, 4)}, opset=18), tmp_path)


@pytest.mark.parametrize(("size", "bias"), [(3, 2.0), (4, 1.0), (5, 1.0)])
def test_local_response_normalisation(size: int, bias: float, tmp_path: Path) -> None:
    """As many images as channels: the reference evaluator of onnx 1.23 ends its windows at the batch's extent."""
    lrn = node("LRN", ["x"], ["y"], size=size, alpha=0.5, beta=0.75, bias=bias)
    agree(build([lrn], {"x": (6, 6, 2, 3)}), tmp_path)


@pytest.mark.parametrize("op", ["Add", "Sum", "Sub", "Mul", "Div", "Concat"])
def test_operator_of_two_activations(op: str, tmp_path: Path) -> None:
    attributes = {"axis": 1} if op == "Concat" else {}
    nodes = [node("Relu", ["x"], ["a"]), node(op, ["a", "z"], ["y"], **attributes)]
    agree(build(nodes, {"x": (1, 4, 5, 6), "z": (1, 4, 5, 6)}), tmp_path)
    if op != "Concat":
        agree(build(nodes, {"x": (1, 4, 5, 6), "z": (4, 1, 1)}), tmp_path)


def test_concat_and_slice_in_a_transposed_layout(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", ["x"], ["a"], perm=[0, 2, 3, 1]),
        node("Transpose", ["z"], ["b"], perm=[0, 2, 3, 1]),
        node("Concat", ["a", "b"], ["c"], axis=3),
        node("Slice", ["c", "starts", "ends", "axes", "steps"], ["d"]),
        node("Split", ["d", "parts"], ["e", "f"], axis=1),
        node("Add", ["e", "f"], ["g"]),
        node("Transpose", ["g"], ["y"], perm=[0, 3, 1, 2]),
    ]
    constants = {
        "starts": integers(-1, 1),
        "ends": integers(-100, 5),
        "axes": integers(3, 1),
        "steps": integers(-2, 1),
        "parts": integers(2, 2),
    }
    network = agree(build(nodes, {"x": (1, 4, 5, 6), "z": (1, 3, 5, 6)}, constants), tmp_path)
    assert [each.op for each in network.nodes] == ["concat", "slice", "slice", "slice", "add"]


@pytest.mark.parametrize("turned", [0, 1])
def test_gemm_with_its_scales_folded(turned: int, tmp_path: Path) -> None:
    weight = noise(3, 7) if turned else noise(7, 3)
    gemm = node("Gemm", ["x", "w", "b"], ["a"], transB=turned, alpha=0.5, beta=2.0)
    model = build([gemm, node("Relu", ["a"], ["y"])], {"x": (4, 7)}, {"w": weight, "b": noise(3)})
    network = agree(model, tmp_path)
    assert [(each.op, each.activation) for each in network.nodes] == [("matmul", "relu")]


def test_attention_is_products_of_activations(tmp_path: Path) -> None:
    nodes = [
        node("MatMul", ["x", "q"], ["a"]),
        node("MatMul", ["x", "k"], ["b"]),
        node("Transpose", ["b"], ["c"], perm=[0, 2, 1]),
        node("MatMul", ["a", "c"], ["d"]),
        node("Div", ["d", "root"], ["e"]),
        node("Softmax", ["e"], ["f"], axis=-1),
        node("MatMul", ["f", "x"], ["y"]),
    ]
    constants = {"q": noise(6, 4), "k": noise(6, 4), "root": np.float32(2.0)}
    network = agree(build(nodes, {"x": (2, 5, 6)}, constants), tmp_path)
    products = [layer for layer in network.layers if layer.weight_is_activation]
    assert [layer.macs for layer in products] == [2 * 5 * 5 * 4, 2 * 5 * 5 * 6]


def test_shapes_computed_in_the_graph_become_constants(tmp_path: Path) -> None:
    """The chain a channel shuffle exports to: Shape, Gather, arithmetic, Concat, Reshape."""
    nodes = [
        node("Conv", ["x", "w", "b"], ["a"], group=2),
        node("Shape", ["a"], ["s"]),
        node("Gather", ["s", "one"], ["c"], axis=0),
        node("Div", ["c", "two"], ["h"]),
        node("Unsqueeze", ["h", "zero"], ["hh"]),
        node("Slice", ["s", "start", "end"], ["area"]),
        node("Constant", [], ["head"], value=numpy_helper.from_array(integers(1, 2), "head")),
        node("Concat", ["head", "hh", "area"], ["wide"], axis=0),
        node("Reshape", ["a", "wide"], ["r"]),
        node("Transpose", ["r"], ["t"], perm=[0, 2, 1, 3, 4]),
        node("Reshape", ["t", "s"], ["u"]),
        node("Conv", ["u", "v"], ["y"]),
    ]
    constants = CONV | {
        "v": noise(3, 6, 1, 1),
        "zero": integers(0),
        "one": np.int64(1),
        "two": np.int64(2),
        "start": integers(2),
        "end": integers(4),
    }
    network = agree(build(nodes, {"x": (1, 4, 6, 7)}, constants), tmp_path)
    assert [each.op for each in network.nodes] == ["conv", "reshape", "transpose", "reshape", "conv"]


def test_old_softmax_works_over_all_axes_from_its_own(tmp_path: Path) -> None:
    model = build([node("Softmax", ["x"], ["y"])], {"x": (2, 3, 4)}, opset=9)
    network = imported(model, tmp_path)
    x = noise(2, 3, 4)
    powers = np.exp(x.astype(np.float64))
    found = float_forward(network, x)[network.nodes[-1].name]
    np.testing.assert_allclose(found, powers / powers.sum(axis=(1, 2), keepdims=True))


def test_free_batch_is_one_and_grows_afterwards(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w", "b"], ["a"], group=2),
        node("Flatten", ["a"], ["f"]),
        node("MatMul", ["f", "m"], ["y"]),
    ]
    model = build(nodes, {"x": ("N", 4, 5, 5)}, CONV | {"m": noise(54, 3)})
    network = imported(model, tmp_path)
    assert network.inputs["x"] == (1, 4, 5, 5)
    assert network.with_batch(3).macs == 3 * network.macs
    x = noise(3, 4, 5, 5)
    found = float_forward(network.with_batch(3), x)[network.nodes[-1].name]
    np.testing.assert_allclose(found, ReferenceEvaluator(model).run(None, {"x": x})[0], rtol=1e-4, atol=1e-4)


def test_nodes_no_output_needs_are_left_out(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["y"]), node("Tanh", ["x"], ["unused"])]
    assert len(imported(build(nodes, {"x": (1, 4)}), tmp_path).nodes) == 1


def test_weights_beside_the_file(tmp_path: Path) -> None:
    model = build([node("Conv", ["x", "w", "b"], ["y"], group=2)], {"x": (1, 4, 5, 5)}, CONV)
    path = tmp_path / "split.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location="weights.bin", size_threshold=0)
    np.testing.assert_array_equal(next(iter(load_onnx(path).parameters.values())).weight, CONV["w"])


def _external(location: str) -> onnx.ModelProto:
    model = build([node("Conv", ["x", "w"], ["y"])], {"x": (1, 2, 5, 5)}, {"w": noise(1, 2, 3, 3)})
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return model


BAD: dict[str, tuple[Callable[[], onnx.ModelProto], str]] = {
    "unknown operator": (
        lambda: build([node("Det", ["x"], ["y"], name="odd")], {"x": (1, 4, 4)}),
        r'node "odd" \(Det\): is not a supported operator: rewrite it with some of Add, ',
    ),
    "custom operator": (
        lambda: build([node("Relu", ["x"], ["y"], domain="my.ops")], {"x": (1, 4)}),
        r'node "y" \(Relu\): its domain "my.ops" is not standard ONNX',
    ),
    "transposed convolution": (
        lambda: build([node("ConvTranspose", ["x", "w"], ["y"])], {"x": (1, 4, 4, 4)}, {"w": noise(4, 1, 2, 2)}),
        r"ConvTranspose\): transposed convolution is not supported",
    ),
    "free extent that is no batch": (
        lambda: build([node("Relu", ["x"], ["y"])], {"x": (1, 3, "height", 224)}),
        r'input "x": extent of axis 2 \("height"\) is unknown',
    ),
    "extent that depends on values": (
        lambda: build([node("NonZero", ["x"], ["y"])], {"x": (1, 3)}),
        r"NonZero\): is not a supported operator",
    ),
    "reshape to a computed shape": (
        lambda: build(
            [node("Cast", ["z"], ["s"], to=TensorProto.INT64), node("Reshape", ["x", "s"], ["y"])],
            {"x": (1, 4), "z": (2,)},
        ),
        r"Cast\): casts an activation to int64",
    ),
    "weight that is an activation": (
        lambda: build([node("Conv", ["x", "z"], ["y"])], {"x": (1, 4, 5, 5), "z": (2, 4, 3, 3)}),
        r'Conv\): input 1 \("z"\) is not a constant',
    ),
    "weight of the wrong shape": (
        lambda: build([node("Conv", ["x", "w"], ["y"])], {"x": (1, 4, 5, 5)}, {"w": noise(2, 3, 3, 3)}),
        r'node "y" \(Conv\): weight \[2, 3, 3, 3\] does not fit its input \[1, 4, 5, 5\]',
    ),
    "missing attribute": (
        lambda: build([node("MaxPool", ["x"], ["y"])], {"x": (1, 4, 5, 5)}),
        r'node "y" \(MaxPool\): malformed: .*kernel_shape',
    ),
    "tensor nobody makes": (
        lambda: build([node("Relu", ["ghost"], ["y"])], {"x": (1, 4)}),
        r'node "y" \(Relu\): reads "ghost", which nothing before it makes',
    ),
    "weights outside the folder": (
        lambda: _external("../../etc/passwd"),
        r'tensor "w" lies in "../../etc/passwd", outside the folder of the file',
    ),
    "weights that are not there": (
        lambda: _external("gone.bin"),
        r"external data cannot be read",
    ),
    "constant of absurd size": (
        lambda: build(
            [node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])],
            {"x": (1,)},
            {"s": integers(1 << 20, 1 << 20)},
        ),
        r"ConstantOfShape\): shape \(1048576, 1048576\): needs extents",
    ),
    "statistics of a layer norm": (
        lambda: build(
            [node("LayerNormalization", ["x", "s"], ["n", "m"]), node("Add", ["n", "m"], ["y"])],
            {"x": (1, 4)},
            {"s": noise(4)},
        ),
        r'LayerNormalization\): its output "m" is read: only its first 1 can be',
    ),
    "scale of the wrong axes": (
        lambda: build([node("LayerNormalization", ["x", "s"], ["y"])], {"x": (2, 3, 4)}, {"s": noise(3, 1)}),
        r"LayerNormalization\): input 1 of shape \[3, 1\] does not fit \[2, 3, 4\]: needs the axes from `axis` on",
    ),
    "scale that is an activation": (
        lambda: build([node("LayerNormalization", ["x", "z"], ["y"])], {"x": (1, 4), "z": (4,)}),
        r'LayerNormalization\): input 1 \("z"\) is not a constant: needs one',
    ),
    "exponents that differ": (
        lambda: build([node("Pow", ["x", "k"], ["y"])], {"x": (1, 2)}, {"k": np.array([2, 3], np.float32)}),
        r"Pow\): has exponents from 2.0 to 3.0: needs one for all elements",
    ),
    "exponent that is an activation": (
        lambda: build([node("Pow", ["x", "z"], ["y"])], {"x": (1, 4), "z": (1, 4)}),
        r'Pow\): input 1 \("z"\) is not a constant: needs one',
    ),
    "constant to the power of an activation": (
        lambda: build([node("Pow", ["k", "x"], ["y"])], {"x": (1, 4)}, {"k": np.float32(2.0)}),
        r'Pow\): input 1 \("x"\) is not a constant: needs one',
    ),
    "constants that are divided by zero": (
        lambda: build(
            [node("Div", ["k", "z"], ["c"], name="odd"), node("Add", ["x", "c"], ["y"])],
            {"x": (1, 4)},
            {"k": np.float32(1.0), "z": np.float32(0.0)},
        ),
        r'node "odd" \(Div\): its constant inputs cannot be evaluated: divide by zero',
    ),
    "whole constants that are divided by zero": (
        lambda: build(
            [node("Div", ["k", "z"], ["c"], name="odd"), node("Reshape", ["x", "c"], ["y"])],
            {"x": (1, 4)},
            {"k": integers(2, 2), "z": integers(1, 0)},
        ),
        r'node "odd" \(Div\): its constant inputs cannot be evaluated: divide by zero',
    ),
    "constant root of a negative number": (
        lambda: build(
            [node("Sqrt", ["k"], ["c"], name="odd"), node("Add", ["x", "c"], ["y"])],
            {"x": (1, 4)},
            {"k": np.float32(-1.0)},
        ),
        r'node "odd" \(Sqrt\): its constant inputs cannot be evaluated: invalid value',
    ),
    "scale that no weight can take": (
        lambda: build(
            [node("Conv", ["x", "w"], ["a"], name="odd"), node("Mul", ["a", "k"], ["y"])],
            {"x": (1, 2, 5, 5)},
            {"w": np.full((1, 2, 3, 3), 1e30, np.float32), "k": np.float32(1e30)},
        ),
        r'node "odd": its weights cannot take the scales and shifts after it: overflow',
    ),
    "approximation that is not ONNX's": (
        lambda: build([node("Gelu", ["x"], ["y"], approximate="sigmoid")], {"x": (1, 4)}, opset=20),
        r'Gelu\): approximate = "sigmoid": must be none or tanh',
    ),
    "unknown shape": (
        lambda: build([node("Expand", ["x", "s"], ["y"])], {"x": (1, 4)}, {"s": integers(2, 4)}),
        r"Expand\): is known for constant inputs only",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_graph_is_one_line_naming_file_and_place(case: str, tmp_path: Path) -> None:
    make, expected = BAD[case]
    with pytest.raises(InputError) as error:
        imported(make(), tmp_path)
    line = str(error.value)
    assert "\n" not in line
    assert line.startswith(f"{tmp_path / 'tiny.onnx'}: ")
    assert re.search(expected, line), line


def test_the_operators_offered_are_supported(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        imported(build([node("Det", ["x"], ["y"])], {"x": (1, 4, 4)}), tmp_path)
    offered = str(error.value).split("some of ")[1].split(", ")
    assert {"Conv", "MatMul", "Softmax"} <= set(offered)
    assert "ConvTranspose" not in offered


@pytest.mark.parametrize("content", [b"", b"not an onnx file at all", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(64)])
def test_file_that_is_not_onnx(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match="ONNX"):
        load_onnx(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated_file(share: float, tmp_path: Path) -> None:
    whole = (LIGHT / "light_squeezenet.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"cut\.onnx"):
        load_onnx(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path, wrong in ((tmp_path / "none.onnx", "no such file"), (tmp_path, "is a folder")):
        with pytest.raises(InputError, match=wrong):
            load_onnx(path)


def test_damaged_bytes_never_end_in_a_traceback(tmp_path: Path) -> None:
    """Bytes of small files replaced at random: each imports or is refused in one line."""
    nodes = [
        node("Conv", ["x", "w", "b"], ["a"], group=2, pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["a", "s", "o", "m", "v"], ["n"]),
        node("MaxPool", ["n"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Reshape", ["p", "shape"], ["f"]),
        node("Gemm", ["f", "g"], ["c"], transB=1),
        node("Softmax", ["c"], ["y"], axis=-1),
    ]
    batch_norm = {"s": noise(6), "o": noise(6), "m": noise(6), "v": np.abs(noise(6))}
    constants = CONV | batch_norm | {"shape": integers(1, -1), "g": noise(3, 54)}
    whole = build(nodes, {"x": (1, 4, 6, 6)}, constants).SerializeToString()
    path = tmp_path / "damaged.onnx"
    for seed in range(400):
        generator = np.random.default_rng(seed)
        content = bytearray(whole)
        for at in generator.integers(0, len(whole), 1 + seed % 5):
            content[at] = generator.integers(0, 256)
        path.write_bytes(bytes(content))
        with suppress(InputError):
            load_onnx(path)
