"""The builder's shapes against windows counted one by one, and its fusing against what a reader would see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workloads.builder import NetworkBuilder
from workloads.errors import InputError
from workloads.layer import Operand
from workloads.network import Parameters
from workloads.parameters import node_parameter_count, parameter_count

sizes = st.integers(1, 14)
small = st.integers(1, 4)
margins = st.integers(0, 3)


def _starts(padded: int, taps: int, stride: int, dilation: int) -> list[int]:
    span = (taps - 1) * dilation + 1
    return [start for start in range(0, padded, stride) if start + span <= padded]


def _convolve(x: NDArray[np.int64], w: NDArray[np.int64], stride: int, dilation: int) -> NDArray[np.int64]:
    """One channel, no padding, by hand."""
    rows = _starts(x.shape[0], w.shape[0], stride, dilation)
    columns = _starts(x.shape[1], w.shape[1], stride, dilation)
    out = np.zeros((len(rows), len(columns)), np.int64)
    for p, row in enumerate(rows):
        for q, column in enumerate(columns):
            for r in range(w.shape[0]):
                for s in range(w.shape[1]):
                    out[p, q] += x[row + r * dilation, column + s * dilation] * w[r, s]
    return out


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, small, small, small, st.integers(1, 3), st.tuples(margins, margins, margins, margins))
def test_conv_layer_computes_the_convolution_asked_for(
    h: int, w: int, r: int, s: int, stride: int, dilation: int, padding: tuple[int, int, int, int]
) -> None:
    """On the part of the input the layer says it uses, padded as the layer says, the outputs are those asked for."""
    top, left, bottom, right = padding
    generator = np.random.default_rng(0)
    x, taps = generator.integers(1, 9, (h, w)), generator.integers(1, 9, (r, s))
    expected = _convolve(np.pad(x, ((top, bottom), (left, right))), taps, stride, dilation)
    assume(expected.size)
    try:
        b = NetworkBuilder("net", (1, 1, h, w))
        b.conv("conv", b.input, 1, (r, s), stride, padding, dilation=dilation)
    except InputError:
        # Only a layer that reads nothing but padding along an axis may be refused.
        reach = max(_starts(h + top + bottom, r, stride, dilation)) + (r - 1) * dilation
        across = max(_starts(w + left + right, s, stride, dilation)) + (s - 1) * dilation
        assert reach < top or across < left
        return
    network = b.build()
    layer = network.layers[0]
    assert network.nodes[0].shape == (1, 1, *expected.shape)
    used = np.pad(x[: layer.H, : layer.W], (layer.padding[0::2], layer.padding[1::2]))
    assert used.shape == (layer.H + layer.padding[0] + layer.padding[2], layer.W + layer.padding[1] + layer.padding[3])
    assert np.array_equal(_convolve(used, taps, stride, dilation), expected)
    assert network.nodes[0].attributes["padding"] == padding


@settings(max_examples=100, deadline=None)
@given(sizes, small, small, margins, margins, st.booleans())
def test_pool_windows(size: int, taps: int, stride: int, before: int, after: int, ceil_mode: bool) -> None:
    """Floor mode: every window within the padded map. Ceiling mode: one more, reaching past it, if not empty."""
    assume(before < taps and after < taps)
    padded = size + before + after
    starts = _starts(padded, taps, stride, 1)
    assume(starts)
    if ceil_mode:
        following = starts[-1] + stride
        if starts[-1] + taps < padded and following < size + before:
            starts.append(following)
        starts = [start for start in starts if start < size + before]
    b = NetworkBuilder("net", (2, 3, size, size))
    b.max_pool("pool", b.input, taps, stride, (before, before, after, after), ceil_mode)
    assert b.shape("pool") == (2, 3, len(starts), len(starts))


def test_effective_far_padding_of_a_resnet_stem() -> None:
    """224 rows, a 7 x 7 at stride 2 with 3 around it: 112 outputs, the last of which reach two rows past the map."""
    b = NetworkBuilder("net", (1, 3, 224, 224))
    b.conv("conv1", b.input, 64, 7, stride=2, padding=3)
    layer = b.build().layers[0]
    assert (layer.P, layer.H, layer.padding) == (112, 224, (3, 3, 2, 2))


def test_rows_never_reached_are_not_the_layers() -> None:
    b = NetworkBuilder("net", (1, 8, 56, 56))
    b.conv("shortcut", b.input, 16, 1, stride=2)
    layer = b.build().layers[0]
    assert (layer.P, layer.H, layer.padding) == (28, 55, (0, 0, 0, 0))


def test_operand_words_of_each_kind_of_layer() -> None:
    b = NetworkBuilder("net", (2, 8, 10, 10))
    x = b.conv("grouped", b.input, 12, 3, padding=1, groups=4)
    x = b.depthwise("depthwise", x, 3)
    x = b.linear("linear", b.flatten("flat", x), 7)
    grouped, depthwise, linear = b.build().layers
    assert [grouped.words(operand) for operand in Operand] == [2 * 8 * 10 * 10, 12 * 2 * 9, 2 * 12 * 10 * 10]
    assert (depthwise.G, depthwise.K, depthwise.C) == (12, 1, 1)
    assert depthwise.macs == 2 * 12 * 8 * 8 * 9
    assert (linear.op, linear.N, linear.K, linear.C) == ("matmul", 2, 7, 12 * 8 * 8)
    assert (linear.P, linear.Q, linear.R, linear.S) == (1, 1, 1, 1)


def test_linear_over_tokens_and_product_of_activations() -> None:
    b = NetworkBuilder("net", (2, 5, 6))
    tokens = b.linear("project", b.input, 8)
    heads = b.transpose("heads", b.reshape("split", tokens, (2, 5, 4, -1)), (0, 2, 1, 3))
    turned = b.transpose("turned", heads, (0, 1, 3, 2))
    scores = b.softmax("softmax", b.matmul("scores", heads, turned))
    b.matmul("mix", scores, heads)
    network = b.build()
    project, product, mix = network.layers
    assert (project.N, project.P, project.C, project.K) == (2, 5, 6, 8)
    assert (product.G, product.P, product.C, product.K) == (8, 5, 2, 5)
    assert product.weight_is_activation
    assert network.shape_of("mix") == (2, 4, 5, 2)
    # 2 inputs, 4 heads, 5 x 5 scores, 2 channels a head.
    assert product.macs == mix.macs == 2 * 4 * 5 * 5 * 2
    assert network.with_batch(3).macs == 3 * network.macs
    assert parameter_count(network) == 6 * 8 + 8


def test_shapes_of_vector_and_address_operations() -> None:
    b = NetworkBuilder("net", (1, 4, 6, 6))
    pooled = b.average_pool("pool", b.input, 2)
    assert b.shape(pooled) == (1, 4, 3, 3)
    gate = b.global_average_pool("squeeze", pooled)
    assert b.shape(b.multiply("scale", pooled, gate)) == (1, 4, 3, 3)
    assert b.shape(b.concat("join", "scale", pooled)) == (1, 8, 3, 3)
    assert b.shape(b.concat("below", "scale", pooled, axis=-2)) == (1, 4, 6, 3)
    assert b.shape(b.add("sum", "scale", pooled)) == (1, 4, 3, 3)
    assert b.shape(b.lrn("norm", "sum", 5, 1e-4, 0.75)) == (1, 4, 3, 3)
    assert b.shape(b.reshape("rows", "norm", (1, 4, -1))) == (1, 4, 9)
    assert b.shape(b.transpose("turned", "rows", (0, 2, 1))) == (1, 9, 4)
    assert b.shape(b.batch_norm("bn", "join")) == (1, 8, 3, 3)
    assert b.shape(b.layer_norm("ln", "rows", (-1, 1), bias=False)) == (1, 4, 9)
    network = b.build()
    assert network.node("below").attributes["axis"] == 2
    assert network.node("ln").attributes == {"axes": (1, 2), "epsilon": 1e-5, "bias": False}
    assert network.node("pool").attributes == {
        "kernel": (2, 2),
        "stride": (2, 2),
        "padding": (0, 0, 0, 0),
        "ceil_mode": False,
        "count_padding": False,
    }
    assert node_parameter_count(network.node("bn")) == 16
    assert node_parameter_count(network.node("ln")) == 36


def test_activation_is_fused_into_a_node_it_alone_reads() -> None:
    b = NetworkBuilder("net", (1, 2, 4, 4))
    x = b.activation("relu", b.conv("conv", b.input, 2, 1), "relu")
    b.max_pool("pool", x, 2)
    network = b.build()
    assert [(node.name, node.activation, node.inputs) for node in network.nodes] == [
        ("conv", "relu", ("input",)),
        ("pool", None, ("conv",)),
    ]


def test_activation_stays_a_node_where_fusing_would_change_a_value() -> None:
    b = NetworkBuilder("net", (1, 2, 4, 4))
    first = b.conv("conv", b.input, 2, 1)
    gate = b.activation("gate", first, "sigmoid")  # conv is read by the product too
    swish = b.multiply("swish", first, gate)
    twice = b.activation("twice", b.activation("once", swish, "relu"), "tanh")  # a node carries one activation
    joined = b.concat("join", twice, first)
    b.activation("last", joined, "relu")  # a concat computes nothing
    network = b.build()
    assert [node.name for node in network.nodes] == ["conv", "gate", "swish", "twice", "join", "last"]
    assert network.node("swish").activation == "relu"
    assert network.node("twice").inputs == ("swish",)


def test_build_keeps_what_the_results_need() -> None:
    b = NetworkBuilder("net", (1, 2, 4, 4))
    values = Parameters(np.ones((2, 2, 1, 1)))
    kept = b.conv("kept", b.input, 2, 1, parameters=values)
    b.activation("kept.relu", kept, "relu")
    b.conv("dead", kept, 2, 1, parameters=values)
    network = b.build(["kept.relu"])
    assert [(node.name, node.activation) for node in network.nodes] == [("kept", "relu")]
    assert set(network.parameters) == {"kept"}
    both = b.build(["kept.relu", "kept"])
    assert [node.name for node in both.nodes] == ["kept", "kept.relu"]


def test_bias_and_batch_norm_count() -> None:
    b = NetworkBuilder("net", (1, 3, 8, 8))
    b.conv("bias", b.input, 4, 3)
    b.conv("bare", b.input, 4, 3, bias=False)
    b.conv("norm", b.input, 4, 3, batch_norm=True)
    counts = [node_parameter_count(node) for node in b.build().nodes]
    assert counts == [108 + 4, 108, 108 + 8]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda b: b.conv("c", "input", 6, 3, groups=4), ["node c", "groups = 4", "6"]),
        (lambda b: b.conv("c", "input", 8, 9), ["node c", "9 x 9", "5 x 5"]),
        (lambda b: b.conv("c", "input", 8, 3, padding=(1, 1)), ["node c", "padding", "(top, left, bottom, right)"]),
        (lambda b: b.conv("c", "input", 8, 0), ["node c", "0", "from 1 up"]),
        (lambda b: b.conv("c", "input", 8, 3, activation="rleu"), ["node c", "rleu", "relu"]),
        (lambda b: b.conv("c", "nothing", 8, 3), ["nothing"]),
        (lambda b: b.conv("input", "input", 8, 3), ["two nodes", "input"]),
        (lambda b: b.max_pool("p", "input", 7), ["node p", "7 x 7"]),
        (lambda b: b.add("a", "input", b.conv("c", "input", 3, 1)), ["node a", "broadcast"]),
        (lambda b: b.concat("a", "input", b.max_pool("p", "input", 2)), ["node a", "axis 1"]),
        (lambda b: b.concat("a", "input", axis=4), ["node a", "axis = 4"]),
        (lambda b: b.reshape("r", "input", (7, -1)), ["node r", "(7, -1)"]),
        (lambda b: b.layer_norm("n", "input", (4,)), ["node n", "axis = 4"]),
        (lambda b: b.layer_norm("n", "input", parameters=Parameters(np.ones(4))), ["node n", "(4,)", "broadcast"]),
        (
            lambda b: b.layer_norm("n", "input", parameters=Parameters(np.ones((2, 8, 5, 5)))),
            ["node n", "(2, 8, 5, 5)"],
        ),
        (lambda b: b.layer_norm("n", "input", ()), ["node n", "axes = ()", "one at least"]),
        (lambda b: b.transpose("t", "input", (0, 1, 2, 2)), ["node t", "permutation"]),
        (lambda b: b.matmul("m", "input", b.max_pool("p", "input", 2)), ["node m", "inner"]),
        (lambda b: b.activation("a", "input", "sine"), ["node a", "sine"]),
        (lambda b: b.max_pool("p", b.flatten("f", "input"), 2), ["node p", "(N, C, H, W)"]),
        (lambda b: b.build(), ["no operation"]),
    ],
)
def test_errors_name_the_node_and_the_value(call: object, words: list[str]) -> None:
    b = NetworkBuilder("net", (1, 8, 5, 5))
    with pytest.raises(InputError) as caught:
        call(b)  # type: ignore[operator]
    line = str(caught.value)
    assert line.startswith("net")
    assert "\n" not in line
    assert all(word in line for word in words), line
