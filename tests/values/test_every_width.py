"""Are sums bit-exact at every width from 1 to 16, signed, unsigned and around zero points?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from accel.compute import compute
from accel.encode import widths
from accel.mapper import map_layer
from accel.occupancy import occupancy
from accel.skipping import skipped_work
from accel.spec import load
from accel.structure import structured
from mappings import Budget, Loop, Mapping
from workloads import Bits, InputError, Layer, Tensors

SHORT = Budget(50)

LAYER = Layer("one", G=2, N=2, K=3, C=5, P=4, Q=3, R=3, S=2, stride=(2, 1), dilation=(1, 2), padding=(1, 0, 1, 1))
NEST = Mapping(
    "ragged",
    off_chip=(Loop("G", 2), Loop("K", 2)),
    on_chip=(Loop("C", 2), Loop("P", 2)),
    registers=(Loop("N", 2), Loop("Q", 3), Loop("R", 3), Loop("P", 2)),
    rows=(Loop("C", 3),),
    columns=(Loop("S", 2),),
    lanes=(Loop("K", 2),),
)
STYLES: dict[str, dict[str, Any]] = {
    "inner, both": {"zero_handling.input": "skip", "zero_handling.weight": "skip"},
    "inner, input": {"zero_handling.input": "skip", "matching.chunk": 2},
    "inner, weight": {"zero_handling.weight": "skip", "matching.width": 2, "lanes": 2},
    "column": {
        "zero_handling.input": "skip", "zero_handling.weight": "skip", "matching.style": "column",
        "matching.run_bits": 2,
    },
    "plane": {
        "zero_handling.input": "skip", "zero_handling.weight": "skip", "matching.style": "plane", "matching.inputs": 2,
        "matching.weights": 2, "lanes": 4,
    },
    "structured": {
        "zero_handling.weight": "skip", "matching.style": "structured", "matching.width": 2, "matching.n": 2,
        "matching.m": 4, "lanes": 2,
    },
}  # fmt: skip
"""Ways to match operands of which zeros are skipped."""
PRESETS = ("bit_fusion", "stripes", "unpu", "xnor", "ternary")


def drawn(shape: tuple[int, ...], bits: int, signed: bool, seed: int) -> NDArray[np.int64]:
    """Words of a width, its two ends among them."""
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    words = np.random.default_rng(seed).integers(low, high, shape, endpoint=True)
    words.flat[0], words.flat[-1] = low, high
    return words


def reference(layer: Layer, words: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Tap by tap in Python integers: shifted views of the padded input times a tap of every filter."""
    top, left, bottom, right = layer.padding
    padded = np.pad(words, ((0, 0), (0, 0), (top, bottom), (left, right))).astype(object)
    outputs = np.zeros(layer.output_shape, dtype=object)
    for group, r, s in np.ndindex(layer.G, layer.R, layer.S):
        rows = slice(
            r * layer.dilation[0], r * layer.dilation[0] + (layer.P - 1) * layer.stride[0] + 1, layer.stride[0]
        )
        columns = slice(
            s * layer.dilation[1], s * layer.dilation[1] + (layer.Q - 1) * layer.stride[1] + 1, layer.stride[1]
        )
        view = padded[:, group * layer.C : (group + 1) * layer.C, rows, columns]
        tap = weights[group * layer.K : (group + 1) * layer.K, :, r, s].astype(object)
        outputs[:, group * layer.K : (group + 1) * layer.K] += np.einsum("kc,ncpq->nkpq", tap, view)
    return outputs


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize(("input_signed", "weight_signed"), [(True, True), (False, True), (False, False)])
def test_sums_are_exact_at_every_width(bits: int, input_signed: bool, weight_signed: bool) -> None:
    for weight_bits in {bits, 17 - bits, 1}:
        words = drawn(LAYER.input_shape, bits, input_signed, bits)
        weights = drawn(LAYER.weight_shape, weight_bits, weight_signed, 100 + weight_bits)
        layer = replace(LAYER, bits=Bits(bits, weight_bits)).with_tensors(Tensors(words, weights))
        assert (compute(layer, NEST) == reference(layer, words, weights)).all()


@pytest.mark.parametrize("bits", range(1, 17))
def test_zero_points_are_differences_of_one_bit_more(bits: int) -> None:
    """`sum (x - zx)(w - zw)` over codes x, w: the kernel on the differences, and the four sums of the textbook."""
    layer = replace(LAYER, padding=(0, 0, 0, 0))
    words, weights = (drawn(shape, bits, False, bits) for shape in (layer.input_shape, layer.weight_shape))
    zero_input, zero_weight = (1 << bits) // 3, (1 << bits) // 2
    around = Tensors(words - zero_input, weights - zero_weight)
    ours = compute(replace(layer, bits=Bits(bits + 1, bits + 1)).with_tensors(around), NEST)
    ones = np.ones_like(words), np.ones_like(weights)
    volume = layer.C * layer.R * layer.S
    expected = (
        reference(layer, words, weights)
        - zero_weight * reference(layer, words, ones[1])
        - zero_input * reference(layer, ones[0], weights)
        + zero_input * zero_weight * volume
    )
    assert (ours == expected).all()


def skipped(layer: Layer, style: str) -> NDArray[np.int64]:
    """The sums that the walk of an array that skips gives; planes need the taps of a channel on one PE."""
    nest = NEST
    if style == "plane":
        nest = replace(NEST, registers=(*NEST.registers, Loop("S", 2)), columns=())
    if style == "structured":
        nest = replace(NEST, on_chip=(Loop("C", 3), Loop("P", 2)))
    nest.check(layer)
    values = {f"pe_array.{name}": value for name, value in STYLES[style].items()}
    spec = load("systolic_32x32").with_values({"pe_array.arrangement": "multicast", **values})
    assert layer.tensors is not None
    assert structured(layer.tensors.weight, spec.pe_array) == (style == "structured")
    work = skipped_work(layer, layer.tensors, nest, spec, values=True)
    assert work.outputs is not None
    return work.outputs


def skipped_case(style: str) -> Layer:
    """Channels in fours, where pairs of them are left out."""
    return replace(LAYER, C=8) if style == "structured" else LAYER


def thinned(words: NDArray[np.int64], style: str, zero: int = 0) -> NDArray[np.int64]:
    """Half of the words set to zero, or to the code that stands for it: at random, or two channels of every four."""
    if style == "structured":
        kept = np.arange(words.shape[1]) % 4 % 3 == 0
        return np.where(kept.reshape(1, -1, 1, 1), words, zero)
    return np.where(np.random.default_rng(9).random(words.shape) < 0.5, words, zero)


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize(("input_signed", "weight_signed"), [(True, True), (False, True), (False, False)])
@pytest.mark.parametrize("style", STYLES)
def test_sums_of_what_is_not_skipped_are_exact_at_every_width(
    style: str, input_signed: bool, weight_signed: bool, bits: int
) -> None:
    case = skipped_case(style)
    words = drawn(case.input_shape, bits, input_signed, bits)
    words = words if style == "structured" else thinned(words, style)
    weights = thinned(drawn(case.weight_shape, 17 - bits, weight_signed, bits), style)
    layer = replace(case, bits=Bits(bits, 17 - bits)).with_tensors(Tensors(words, weights))
    assert (skipped(layer, style) == reference(layer, words, weights)).all()


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize("style", STYLES)
def test_what_is_skipped_around_a_zero_point_is_its_code(style: str, bits: int) -> None:
    """Differences are skipped where they are zero; codes that are skipped where they are zero need three more sums."""
    case = replace(skipped_case(style), padding=(0, 0, 0, 0))
    zero_input, zero_weight = (1 << bits) // 3, (1 << bits) // 2
    words, weights = (drawn(shape, bits, False, bits) for shape in (case.input_shape, case.weight_shape))
    around = thinned(words, style, zero_input) - zero_input, thinned(weights, style, zero_weight) - zero_weight
    layer = replace(case, bits=Bits(bits + 1, bits + 1)).with_tensors(Tensors(*around))
    expected = reference(layer, *around)
    assert (skipped(layer, style) == expected).all()
    if style == "structured":
        return  # codes that stand for zero do not come two in four
    codes = around[0] + zero_input, around[1] + zero_weight
    ones = np.ones_like(codes[0]), np.ones_like(codes[1])

    def sums(*operands: NDArray[np.int64]) -> NDArray[np.int64]:
        return skipped(case.with_tensors(Tensors(*operands)), style)

    corrected = sums(*codes) - zero_weight * sums(codes[0], ones[1]) - zero_input * sums(ones[0], codes[1])
    assert (corrected + zero_input * zero_weight * case.C * case.R * case.S == expected).all()


@pytest.mark.parametrize("bits", [2, 5, 8])
def test_bit_planes_add_up(bits: int) -> None:
    """What a bit-serial or a binary array does: planes of single bits, the sign's plane counted down."""
    words, weights = (drawn(shape, bits, True, bits) for shape in (LAYER.input_shape, LAYER.weight_shape))
    total = np.zeros(LAYER.output_shape, dtype=object)
    for i, j in np.ndindex(bits, bits):
        planes = Tensors(words >> i & 1, weights >> j & 1)
        sign = (-1) ** ((i == bits - 1) + (j == bits - 1))
        total += sign * (1 << (i + j)) * compute(replace(LAYER, bits=Bits(1, 1)).with_tensors(planes), NEST)
    whole = replace(LAYER, bits=Bits(bits, bits)).with_tensors(Tensors(words, weights))
    assert (total == compute(whole, NEST)).all()


def test_a_binary_product_is_a_popcount_of_xnors() -> None:
    """-1 and 1 as bits: `2 popcount(xnor) - n`."""
    random = np.random.default_rng(0)
    layer = Layer("fc", op="matmul", N=3, K=4, C=70, bits=Bits(1, 1))
    inputs, weights = random.integers(0, 2, (3, 70)), random.integers(0, 2, (4, 70))
    signs = Tensors((2 * inputs - 1)[:, :, None, None], (2 * weights - 1)[:, :, None, None])
    layer = layer.with_tensors(signs)
    found = compute(layer, map_layer(replace(layer, tensors=None), load("xnor"), budget=SHORT))
    for n, k in np.ndindex(3, 4):
        assert found[n, k, 0, 0] == 2 * int((inputs[n] == weights[k]).sum()) - 70


@pytest.mark.parametrize("preset", PRESETS)
def test_mappings_of_the_presets_compute_the_layer(preset: str) -> None:
    spec = load(preset)
    layer = Layer("one", N=2, K=40, C=20, P=6, Q=5, R=3, S=3, stride=(2, 1), padding=(1, 1, 0, 1))
    width = widths(layer.bits, spec)
    one_bit = spec.pe_array.native == (1, 1)
    words = drawn(layer.input_shape, width.input, not one_bit, 1)
    weights = np.random.default_rng(2).integers(-1, 2, layer.weight_shape) if preset == "ternary" else None
    if weights is None:
        weights = drawn(layer.weight_shape, width.weight, not one_bit, 2)
    found = compute(layer.with_tensors(Tensors(words, weights)), map_layer(layer, spec, budget=SHORT))
    assert (found == reference(layer, words, weights)).all()


def test_tensors_of_a_width_the_array_cannot_hold_are_refused() -> None:
    layer = Layer("fc", op="matmul", K=2, C=3)

    def occupied(preset: str, weights: list[int]) -> None:
        tensors = Tensors(np.ones((1, 3, 1, 1), np.int8), np.array(weights, np.int8).reshape(2, 3, 1, 1))
        spec = load(preset)
        occupancy(layer.with_tensors(tensors), widths(layer.bits, spec), spec, 0)

    occupied("ternary", [-1, 0, 1, 1, 0, -1])
    occupied("xnor", [-1, 1, 1, 1, 1, -1])
    with pytest.raises(InputError, match="layer fc: tensor weight holds -2 to 1: a ternary array needs -1, 0, 1"):
        occupied("ternary", [-2, 0, 1, 1, 0, -1])
    with pytest.raises(InputError, match="tensor weight holds -1 to 1, beyond 1 bits"):
        occupied("xnor", [-1, 0, 1, 1, 1, -1])
