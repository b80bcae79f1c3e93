"""Quantisation and requantisation against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workloads.errors import InputError
from workloads.execute.quantised import largest_integer, quantise, quantise_by_channel
from workloads.execute.requantise import Ratio, magnitude, narrowed, requantise, requantise_to

reals = arrays.arrays(
    np.float64, arrays.array_shapes(max_dims=3, max_side=6), elements=st.floats(-1e6, 1e6, allow_subnormal=False)
)
widths = st.integers(2, 16)


@given(reals, widths)
def test_a_quantised_tensor_is_within_half_a_step(real: np.ndarray, bits: int) -> None:
    tensor = quantise(real, bits)
    assert np.max(np.abs(tensor.values)) <= largest_integer(bits)
    assert np.max(np.abs(tensor.real - real)) <= tensor.scale * (0.5 + 1e-9)


@given(reals, widths)
def test_quantising_a_quantised_tensor_changes_nothing(real: np.ndarray, bits: int) -> None:
    once = quantise(real, bits)
    again = quantise(once.real, bits)
    np.testing.assert_array_equal(again.values, once.values)


@given(
    arrays.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 7)), elements=st.floats(-8, 8, width=16)),
    widths,
)
def test_every_channel_has_its_own_scale(real: np.ndarray, bits: int) -> None:
    values, scales = quantise_by_channel(real, bits)
    for channel, row in enumerate(real):
        if row.any():
            np.testing.assert_array_equal(values[channel], quantise(row, bits).values)
            assert scales[channel] == pytest.approx(np.abs(row).max() / largest_integer(bits))
    assert np.all(scales > 0)


def test_channels_do_not_depend_on_the_chunks_they_are_quantised_in() -> None:
    real = np.random.default_rng(0).standard_normal((300, 10_000))
    values, scales = quantise_by_channel(real, 8)
    np.testing.assert_array_equal(values[257], quantise(real[257], 8).values)
    assert scales[257] == quantise(real[257], 8).scale


def test_a_least_scale_keeps_a_dead_channels_bias_in_range() -> None:
    values, scales = quantise_by_channel(np.array([[1e-30, -1e-30], [0.5, 1.0]]), 8, np.array([1e-9, 1e-9]))
    assert scales.tolist() == [1e-9, 1.0 / 127]
    assert values.tolist() == [[0, 0], [64, 127]]


accumulators = st.integers(-(1 << 44), 1 << 44)
ratios = st.floats(2.0**-40, 8.0, allow_subnormal=False)


@given(st.lists(accumulators, min_size=1, max_size=8), ratios)
def test_requantisation_is_the_exact_rounding_of_the_stored_ratio(sums: list[int], real: float) -> None:
    ratio = Ratio.of(real, max(map(abs, sums)))
    exact = Fraction(int(ratio.multiplier), 1 << int(ratio.shift))
    expected = [floor(value * exact + Fraction(1, 2)) for value in sums]
    assert ratio.apply(np.array(sums, np.int64)).tolist() == expected


@given(accumulators, ratios)
def test_the_stored_ratio_is_as_close_as_its_width_allows(largest: int, real: float) -> None:
    ratio = Ratio.of(real, abs(largest))
    width = min(31, 62 - max(1, abs(largest)).bit_length())
    error = abs(Fraction(int(ratio.multiplier), 1 << int(ratio.shift)) - Fraction(real))
    assert error <= max(Fraction(real) / (1 << width), Fraction(1, 1 << 63))
    assert abs(largest) * int(ratio.multiplier) < 1 << 62


@given(st.lists(st.integers(-(1 << 40), 1 << 40), min_size=1, max_size=20), st.floats(1e-9, 1e3), widths)
def test_calibration_uses_the_whole_range_and_clips_nothing(sums: list[int], scale: float, bits: int) -> None:
    tensor = requantise(np.array(sums, np.int64), scale, bits)
    largest = max(map(abs, sums))
    assert magnitude(np.array(sums)) == largest
    assert np.max(np.abs(tensor.values)) == (largest_integer(bits) if largest else 0)
    real = np.array(sums) * scale
    assert np.max(np.abs(tensor.real - real)) <= tensor.scale * (0.5 + 2.0 ** (bits - 20))


def test_channels_of_different_worth_come_to_one_scale() -> None:
    sums = np.array([[[[100]], [[-400]]]], np.int64)
    tensor = requantise(sums, np.array([2.0, 0.25]).reshape(1, 2, 1, 1), 8)
    assert tensor.scale == pytest.approx(200 / 127)
    assert tensor.values.reshape(-1).tolist() == [127, round(-100 / tensor.scale)]


def test_a_given_scale_saturates() -> None:
    assert requantise_to(np.array([1000, -1000, 3], np.int64), 1.0, 1.0, 8).values.tolist() == [127, -127, 3]


def test_narrowing_to_a_wider_width_is_nothing() -> None:
    tensor = quantise(np.array([1.0, -0.5]), 8)
    assert narrowed(tensor, 8) is tensor
    assert narrowed(tensor, 4).values.tolist() == [7, -4]


@pytest.mark.parametrize("bits", [1, 33])
def test_impossible_widths(bits: int) -> None:
    with pytest.raises(InputError, match=f"bits = {bits}"):
        quantise(np.ones(3), bits)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers(value: float) -> None:
    with pytest.raises(InputError, match="NaN or infinity"):
        quantise(np.array([1.0, value]), 8)
    with pytest.raises(InputError, match="NaN or infinity"):
        quantise_by_channel(np.array([[1.0, value]]), 8)
