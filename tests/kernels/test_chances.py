"""Are expectations of counts what adding up every case, or the integral, gives?"""

from __future__ import annotations

from math import comb, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.kernels.chances import MOST_SUMMED, greatest, vectors


@given(
    st.integers(0, 3 * MOST_SUMMED), st.sampled_from([0.0, 0.01, 0.1, 0.4, 0.5, 0.9, 1.0]), st.integers(1, 20),
    st.integers(0, 3),
)  # fmt: skip
def test_vectors_of_nonzeros_are_what_all_counts_of_them_add_up_to(
    places: int, density: float, width: int, least: int
) -> None:
    chances = [comb(places, n) * density**n * (1 - density) ** (places - n) for n in range(places + 1)]
    taken = [max(least, -(-n // width)) for n in range(places + 1)]
    mean = sum(chance * cycles for chance, cycles in zip(chances, taken, strict=True))
    variance = sum(chance * (cycles - mean) ** 2 for chance, cycles in zip(chances, taken, strict=True))
    exact = places <= MOST_SUMMED
    assert vectors(float(places), density, width, least) == pytest.approx(
        (mean, variance), rel=1e-9 if exact else 0.03, abs=1e-9 if exact else 0.06
    )


@pytest.mark.parametrize("count", [1, 2, 3, 8, 30, 256, 4096])
def test_the_greatest_of_many_normal_variables(count: int) -> None:
    """The mean of the maximum: x times its density, n phi Phi^(n-1), integrated."""
    x = np.linspace(-9, 9, 200_001)
    density = np.exp(-x * x / 2) / sqrt(2 * pi)
    below = np.cumsum(density) * (x[1] - x[0])
    mean = float(np.sum(x * count * density * below ** (count - 1)) * (x[1] - x[0]))
    assert greatest(float(count)) == pytest.approx(mean, rel=0.05, abs=1e-3)
