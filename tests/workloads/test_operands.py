"""Drawn operands: their shape, range and share of nonzeros, and that a seed says it all."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workloads
from workloads.errors import InputError
from workloads.layer import Bits, Density, Layer, Tensors
from workloads.operands import draw

LAYER = Layer("conv", G=2, N=2, K=8, C=8, P=12, Q=12, R=3, S=3, density=Density(input=0.4, weight=0.25))


def test_shapes_and_shares() -> None:
    tensors = draw(LAYER, seed=1)
    assert tensors.input.shape == LAYER.input_shape
    assert tensors.weight.shape == LAYER.weight_shape
    for array, density in ((tensors.input, 0.4), (tensors.weight, 0.25)):
        # Five standard deviations of a Bernoulli share.
        assert abs(np.count_nonzero(array) / array.size - density) < 5 * (density * (1 - density) / array.size) ** 0.5


@pytest.mark.parametrize(
    ("bits", "dtype", "low", "high"),
    [(1, np.int8, -1, 1), (2, np.int8, -2, 1), (4, np.int8, -8, 7), (8, np.int8, -128, 127), (9, np.int16, -256, 255)],
)
def test_values_fill_the_width_and_no_more(bits: int, dtype: type, low: int, high: int) -> None:
    layer = Layer("fc", op="matmul", K=200, C=200, bits=Bits(weight=bits))
    weight = draw(layer).weight
    values, counts = np.unique(weight, return_counts=True)
    assert weight.dtype == dtype
    assert values.tolist() == [value for value in range(low, high + 1) if value]
    expected = weight.size / len(values)
    assert np.all(abs(counts - expected) < 6 * expected**0.5)


def test_widths_come_from_the_layer_then_the_caller_then_eight() -> None:
    caller = Bits(input=16, weight=16)
    assert draw(LAYER).input.dtype == np.int8
    assert draw(LAYER, bits=caller).input.dtype == np.int16
    assert draw(LAYER, bits=Bits(input=32)).input.dtype == np.int32
    assert draw(replace(LAYER, bits=Bits(input=4)), bits=caller).input.dtype == np.int8


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**40), st.text(max_size=5))
def test_same_seed_and_name_same_words(seed: int, name: str) -> None:
    layer = replace(LAYER, name=name)
    first, again = draw(layer, seed), draw(layer, seed)
    assert np.array_equal(first.input, again.input)
    assert np.array_equal(first.weight, again.weight)
    other = draw(layer, seed + 1)
    assert not np.array_equal(first.input, other.input)
    assert not np.array_equal(first.input, draw(replace(layer, name=name + "'"), seed).input)


def test_same_words_in_another_process() -> None:
    """Python's own hash of a text differs between processes; ours must not."""
    code = (
        "from workloads.layer import Layer; from workloads.operands import draw;"
        "print(draw(Layer('conv', C=64), 7).input.tolist())"
    )
    root = Path(workloads.__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], check=True, cwd=root, capture_output=True, text=True)
    assert run.stdout.strip() == str(draw(Layer("conv", C=64), 7).input.tolist())


def test_density_one_has_no_zero_and_zero_nothing_else() -> None:
    assert np.all(draw(replace(LAYER, density=Density())).input)
    assert not np.any(draw(replace(LAYER, density=Density(0.0, 0.0))).weight)


def test_drawing_in_chunks_covers_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workloads.operands.CHUNK_WORDS", 7)
    assert np.all(draw(replace(LAYER, density=Density())).weight)


def test_own_tensors_win_and_seeds_are_checked() -> None:
    own = Tensors(np.zeros(LAYER.input_shape, np.int8), np.ones(LAYER.weight_shape, np.int8))
    layer = LAYER.with_tensors(own)
    assert draw(layer, 3) is layer.tensors
    with pytest.raises(InputError, match="seed = -1"):
        draw(LAYER, -1)
