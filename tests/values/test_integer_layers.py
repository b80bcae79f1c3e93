"""The integer convolution, its counts of zeros and the pools against loops over every single MAC."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.execute import convolve
from workloads.execute.convolve import convolve_integers, macs_on_padding, macs_on_zero
from workloads.execute.windows import max_pool, window_counts, window_sums
from workloads.layer import Layer, Tensors
from workloads.network import Node

small = st.integers(1, 3)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    extents = {dim: draw(small) for dim in "GNKCPQRS"}
    stride, dilation = (draw(small), draw(small)), (draw(small), draw(small))
    height = (extents["P"] - 1) * stride[0] + (extents["R"] - 1) * dilation[0] + 1
    width = (extents["Q"] - 1) * stride[1] + (extents["S"] - 1) * dilation[1] + 1
    top = draw(st.integers(0, min(2, height - 1)))
    left = draw(st.integers(0, min(2, width - 1)))
    bottom = draw(st.integers(0, min(2, height - 1 - top)))
    right = draw(st.integers(0, min(2, width - 1 - left)))
    layer = Layer("l", **extents, stride=stride, dilation=dilation, padding=(top, left, bottom, right))
    generator = np.random.default_rng(draw(st.integers(0, 1000)))
    high = draw(st.sampled_from([1, 127, 32767, 2**28]))
    tensors = Tensors(
        generator.integers(-high, high + 1, layer.input_shape) * generator.integers(0, 2, layer.input_shape),
        generator.integers(-high, high + 1, layer.weight_shape),
    )
    return layer.with_tensors(tensors)


def naive(layer: Layer) -> tuple[NDArray[np.int64], int, int]:
    """(accumulators, MACs whose activation is a zero, MACs on padding), one MAC at a time."""
    assert layer.tensors is not None
    x, weight = layer.tensors.input, layer.tensors.weight
    out = np.zeros(layer.output_shape, np.int64)
    zeros = padded = 0
    for g, n, k, c, p, q, r, s in np.ndindex(*layer.extents):
        h = p * layer.stride[0] + r * layer.dilation[0] - layer.padding[0]
        w = q * layer.stride[1] + s * layer.dilation[1] - layer.padding[1]
        if not (0 <= h < x.shape[2] and 0 <= w < x.shape[3]):
            padded += 1
            continue
        value = int(x[n, g * layer.C + c, h, w])
        zeros += value == 0
        out[n, g * layer.K + k, p, q] += value * int(weight[g * layer.K + k, c, r, s])
    return out, zeros, padded


@settings(max_examples=60, deadline=None)
@given(layers())
def test_integer_convolution_and_counts_equal_the_loop_nest(layer: Layer) -> None:
    sums, zeros, padded = naive(layer)
    np.testing.assert_array_equal(convolve_integers(layer), sums)
    assert macs_on_zero(layer) == zeros
    assert macs_on_padding(layer) == padded


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_chunks_of_rows_and_filters_do_not_matter(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    layer = Layer("l", G=2, N=2, K=5, C=3, P=6, Q=4, R=3, S=2, padding=(1, 0, 1, 0))
    layer = layer.with_tensors(
        Tensors(generator.integers(-9, 9, layer.input_shape), generator.integers(-9, 9, layer.weight_shape))
    )
    monkeypatch.setattr(convolve, "CHUNK_WORDS", chunk)
    np.testing.assert_array_equal(convolve_integers(layer), naive(layer)[0])


@pytest.mark.parametrize("largest", [2**11, 2**12, 2**25, 2**26, 2**30])
def test_sums_at_the_edge_of_exact_floats(largest: int) -> None:
    """Two products of `largest` squared and one of 1: the sum needs every bit."""
    layer = Layer("l", op="matmul", C=3)
    x = np.array([largest, largest, 1]).reshape(layer.input_shape)
    layer = layer.with_tensors(Tensors(x, x.reshape(layer.weight_shape)))
    assert convolve_integers(layer).item() == 2 * largest**2 + 1


def test_the_most_negative_int8_counts_with_its_magnitude() -> None:
    layer = Layer("l", op="matmul", C=4)
    x = np.full(layer.input_shape, -128, np.int8)
    layer = layer.with_tensors(Tensors(x, x.reshape(layer.weight_shape)))
    assert convolve_integers(layer).item() == 4 * 128**2


def test_sums_that_could_overflow_are_refused() -> None:
    layer = Layer("wide", op="matmul", C=4)
    x = np.full(layer.input_shape, 2**31 - 1)
    with pytest.raises(InputError, match=r"layer wide: sums up to \d+ overflow 64 bits"):
        convolve_integers(layer.with_tensors(Tensors(x, x.reshape(layer.weight_shape))))


def test_a_layer_without_tensors_is_refused() -> None:
    for function in (convolve_integers, macs_on_zero):
        with pytest.raises(InputError, match="layer l: has no tensors"):
            function(Layer("l"))


@settings(max_examples=60, deadline=None)
@given(
    small, small, small, small, st.integers(0, 2), st.integers(0, 2), st.booleans(), st.booleans(), st.integers(0, 99)
)
def test_pools_equal_loops_over_their_windows(
    r: int, s: int, sr: int, ss: int, near: int, far: int, ceil_mode: bool, count_padding: bool, seed: int
) -> None:
    x = np.random.default_rng(seed).integers(-9, 10, (2, 3, 7, 6))
    near, far = min(near, r - 1, s - 1), min(far, r - 1, s - 1)
    outputs = []
    for size, taps, step in ((7, r, sr), (6, s, ss)):
        room = size + near + far - taps
        count = (-(-room // step) if ceil_mode else room // step) + 1
        outputs.append(count - (ceil_mode and (count - 1) * step >= size + near))
    p, q = outputs
    attributes = {
        "kernel": (r, s),
        "stride": (sr, ss),
        "padding": (near, near, far, far),
        "count_padding": count_padding,
        "ceil_mode": ceil_mode,
    }
    node = Node("pool", "average_pool", ("x",), (2, 3, p, q), attributes=attributes)
    highest, total, count = max_pool(node, x), window_sums(node, x), window_counts(node, 7, 6)
    for i, j in np.ndindex(p, q):
        rows = range(i * sr - near, i * sr - near + r)
        columns = range(j * ss - near, j * ss - near + s)
        window = x[:, :, [h for h in rows if 0 <= h < 7]][:, :, :, [w for w in columns if 0 <= w < 6]]
        np.testing.assert_array_equal(highest[:, :, i, j], window.max(axis=(2, 3)))
        np.testing.assert_array_equal(total[:, :, i, j], window.sum(axis=(2, 3)))
        margin = (near, far) if count_padding else (0, 0)
        inside = [sum(-margin[0] <= at < size + margin[1] for at in line) for line, size in ((rows, 7), (columns, 6))]
        assert count[0, 0, i, j] == inside[0] * inside[1]
