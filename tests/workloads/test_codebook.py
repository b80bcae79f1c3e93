"""Do words that share values become the nearest of few, and do machines with a codebook find theirs in it?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import accel
import workloads
from accel.codecs import Codebook
from accel.encode import widths
from accel.evaluation import evaluate
from accel.occupancy import occupancy
from workloads import Density, InputError, Layer, Operand, Patterns, Tensors
from workloads.codebook import distinct, shared, shared_values
from workloads.operands import draw_operand

dtypes = st.sampled_from([np.int8, np.int16, np.int32, np.uint8, np.uint16])


@given(st.integers(0, 99), dtypes, st.integers(0, 300))
def test_distinct_values_and_their_counts(seed: int, dtype: type, size: int) -> None:
    limits = np.iinfo(dtype)
    words = np.random.default_rng(seed).integers(limits.min, limits.max, size, dtype, endpoint=True) // 9 * 9
    words = words.astype(dtype)
    values, counts = distinct(words)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {
        value: words.tolist().count(value) for value in set(words.tolist())
    }
    assert values.tolist() == sorted(values.tolist())


@given(st.integers(0, 99), st.integers(1, 6), st.integers(1, 400))
def test_shared_words_are_the_nearest_of_few_and_zeros_stay(seed: int, bits: int, size: int) -> None:
    words = np.rint(np.random.default_rng(seed).normal(0, 30, size)).clip(-128, 127).astype(np.int8)
    table = shared_values(words, bits).tolist()
    assert len(table) <= 1 << bits and 0 in table
    found = shared(words, bits)
    assert found.dtype == words.dtype
    assert not found[words == 0].any()
    for word, value in zip(words.tolist(), found.tolist(), strict=True):
        assert abs(word - value) == min(abs(word - other) for other in table)
    assert np.array_equal(shared(found, bits), found)
    form = Codebook.holding(found, bits, 8)
    assert np.array_equal(form.decode(*form.encode(found), found.shape), found)


def test_drawn_weights_are_in_the_codebook_of_the_chip() -> None:
    chip = accel.load("eie")
    layer = Layer("fc", op="matmul", K=256, C=256, density=Density(weight=0.3))
    found = occupancy(layer, widths(layer.bits, chip), chip, seed=0)
    assert found.operands is not None
    assert len(np.unique(found.operands.weight)) == 16
    assert found.source == "drawn, uniform, codebook of 4 bits, seed 0"
    weight = draw_operand(layer, Operand.WEIGHT, 0, 16, codebook_bits=4)
    form = Codebook.holding(weight, 4, 16)
    assert np.array_equal(form.decode(*form.encode(weight), weight.shape), weight)


def test_weights_that_share_too_many_values_are_refused() -> None:
    chip = accel.load("eie")
    layer = Layer("fc", op="matmul", K=64, C=64)
    weight = (np.arange(64 * 64) % 16).astype(np.int8).reshape(layer.weight_shape)
    fits = layer.with_tensors(Tensors(np.ones(layer.input_shape, np.int8), weight))
    assert occupancy(fits, widths(layer.bits, chip), chip, 0).source == "tensors"
    many = layer.with_tensors(Tensors(np.ones(layer.input_shape, np.int8), weight + np.int8(1)))
    with pytest.raises(InputError, match="layer fc: format codebook: 17 distinct values with zero: an index of 4 bits"):
        occupancy(many, widths(layer.bits, chip), chip, 0)
    drawn = replace(layer, patterns=Patterns(codebook_bits=6))
    with pytest.raises(InputError, match="64 distinct values"):
        occupancy(drawn, widths(layer.bits, chip), chip, 0)


def test_a_network_on_a_real_input_shares_its_weights_where_the_chip_does() -> None:
    """The values of the run are those the codebook holds: shared weights change the outputs, and say so."""
    network = workloads.load("lenet5")
    picture = np.random.default_rng(0).random((1, 1, 28, 28))
    chip = accel.load("eie")
    coded = evaluate(network, chip, inputs={"input": picture}, mapping="input_broadcast")
    assert coded.execution is not None
    for run in coded.execution.runs.values():
        assert run.layer.tensors is not None
        assert len(np.unique(run.layer.tensors.weight)) <= 16
