"""Are effectual MACs those whose factors are both nonzero?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.encode import widths
from accel.kernels.nonzeros import inputs_met
from accel.occupancy import occupancy
from accel.spec import load
from tests.kernels import reference
from tests.strategies import layers
from workloads import Density, Layer, Operand, Tensors
from workloads.operands import draw_operand

SPEC = load("systolic_32x32")


def sparse(shape: tuple[int, ...], seed: int, share: float) -> np.ndarray:
    generator = np.random.default_rng(seed)
    words = generator.integers(1, 100, shape) * (generator.random(shape) < share)
    return words.astype(np.int8)


shares = st.sampled_from([0.0, 0.3, 0.7, 1.0])


@given(layers(most_macs=500), st.integers(0, 99), shares)
def test_inputs_met_by_each_tap(layer: Layer, seed: int, share: float) -> None:
    words = sparse(layer.input_shape, seed, share)
    met = inputs_met(
        words, layer.G, (layer.P, layer.Q), (layer.R, layer.S), layer.stride, layer.dilation, layer.padding[:2]
    )
    assert np.array_equal(met, reference.inputs_met(layer, words))


@given(layers(most_macs=500), st.integers(0, 99), shares, shares)
def test_macs_on_tensors(layer: Layer, seed: int, input_share: float, weight_share: float) -> None:
    given_words = sparse(layer.input_shape, seed, input_share)
    weight = sparse(layer.weight_shape, seed + 1, weight_share)
    found = occupancy(layer.with_tensors(Tensors(given_words, weight)), widths(layer.bits, SPEC), SPEC, 0)
    counted = (found.effectual_macs, found.input_macs, found.weight_macs)
    assert counted == reference.effectual_macs(layer, given_words, weight)
    assert found.source == "tensors"


@given(layers(most_macs=500, dense=False), st.integers(0, 99))
def test_macs_on_drawn_operands(layer: Layer, seed: int) -> None:
    found = occupancy(layer, widths(layer.bits, SPEC), SPEC, seed)
    drawn = [draw_operand(layer, operand, seed) for operand in (Operand.INPUT, Operand.WEIGHT)]
    assert (found.effectual_macs, found.input_macs, found.weight_macs) == reference.effectual_macs(layer, *drawn)


def test_draws_are_kept_while_they_are_few_and_small(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = load("cnvlutin")
    one, two = (Layer(name, K=8, C=8, P=8, Q=8, density=Density(0.5, 0.5)) for name in ("one", "two"))

    def again(first: Layer, *others: Layer) -> bool:
        found = [occupancy(layer, widths(layer.bits, spec), spec, 0) for layer in (first, *others, first)]
        assert found[0].operands is not None and found[-1].operands is not None
        assert np.array_equal(found[0].operands.input, found[-1].operands.input)
        return found[0] is not found[-1]

    assert not again(one, two)
    # The input of a layer has 512 words of 16 bits, its weights 64.
    monkeypatch.setattr("accel.occupancy._MOST_BYTES", 2 * 2 * 576)
    assert not again(one, two)
    monkeypatch.setattr("accel.occupancy._MOST_BYTES", 2 * 2 * 576 - 1)
    assert again(one, two)
    assert not again(one)
    monkeypatch.setattr("accel.occupancy._MOST_BYTES", 1 << 30)
    monkeypatch.setattr("accel.occupancy._MOST", 1)
    assert again(one, two)


@given(layers(most_macs=500))
def test_dense_layers_meet_zeros_in_the_padding_alone(layer: Layer) -> None:
    found = occupancy(layer, widths(layer.bits, SPEC), SPEC, 0)
    ones = np.ones(layer.input_shape, np.int8), np.ones(layer.weight_shape, np.int8)
    assert (found.effectual_macs, found.input_macs, found.weight_macs) == reference.effectual_macs(layer, *ones)
    assert found.source == "dense"
    assert found.storage.coded_bits == (None, None, None)


@pytest.mark.parametrize(("share", "smaller"), [(0.2, True), (1.0, False)])
def test_a_tensor_is_coded_only_when_that_makes_it_smaller(share: float, smaller: bool) -> None:
    spec = SPEC.with_values({"dma.codec.input": "rlc"})
    layer = Layer("map", C=8, P=16, Q=16)
    words = sparse(layer.input_shape, 3, share)
    found = occupancy(
        layer.with_tensors(Tensors(words, np.ones((1, 8, 1, 1), np.int8))), widths(layer.bits, spec), spec, 0
    )
    pairs = len(reference.run_length_pairs(words.reshape(-1).tolist(), 31))
    # Four pairs of 5 + 8 bits go into a memory word of 64 bits.
    assert found.storage.coded_bits[Operand.INPUT] == (-(-pairs // 4) * 64 if smaller else None)
