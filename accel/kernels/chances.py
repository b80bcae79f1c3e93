"""What is expected of counts of nonzeros, and of the greatest of many."""

from __future__ import annotations

from math import erfc, log, sqrt

from accel.kernels.options import kernel

MOST_SUMMED, FEW = 64, 32
"""Positions, or expected nonzeros, up to which chances are added up one by one; those of more are taken as normal."""


@kernel
def greatest(count: float) -> float:
    """How many deviations the greatest of so many normal variables is expected to lie above their mean.

    The quantile of Blom, "Statistical Estimates and Transformed Beta-Variables", 1958, by the rational approximation of
    Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.23.
    """
    if count <= 1.0:
        return 0.0
    t = sqrt(-2.0 * log(0.625 / (count + 0.25)))
    above = 2.515517 + t * (0.802853 + t * 0.010328)
    return t - above / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))


@kernel
def _whole_vectors(count: int, density: float, width: int, least: int) -> tuple[float, float]:
    if density >= 1.0 or count == 0:
        return float(max(least, -(-count // width))), 0.0
    mean = square = 0.0  # by the chances that there are more than 0, 1, 2... vectors
    most = -(-count // width)
    if count <= MOST_SUMMED or count * density <= FEW:
        chance = (1.0 - density) ** count  # of so many nonzeros
        upto = 0.0
        for nonzeros in range(count):
            upto += chance
            if nonzeros % width == 0:
                more = max(0.0, 1.0 - upto) if nonzeros // width >= least else 1.0
                mean += more
                square += (2 * (nonzeros // width) + 1) * more
            chance *= (count - nonzeros) / (nonzeros + 1) * density / (1.0 - density)
            if upto > 1.0 - 1e-12 and nonzeros // width >= least:
                break
    else:
        middle, spread = count * density, sqrt(count * density * (1.0 - density))
        sure = max(least, int((middle - 5.0 * spread) / width))
        most = min(most, int((middle + 5.0 * spread) / width) + 1)
        mean, square = float(min(sure, most)), float(min(sure, most)) ** 2
        for here in range(sure, most):
            more = 0.5 * erfc((here * width + 0.5 - middle) / spread / sqrt(2.0))
            mean += more
            square += (2 * here + 1) * more
    if most < least:
        mean, square = float(least), float(least) ** 2
    return mean, max(0.0, square - mean * mean)


@kernel
def vectors(places: float, density: float, width: int, least: int) -> tuple[float, float]:
    """(mean, variance) of the vectors of `width` that hold the nonzeros of so many places, at least `least`.

    Every place has one with the chance `density`, whatever the others have. A mean number of places stands for the two
    whole numbers next to it.
    """
    below = int(places)
    mean, variance = _whole_vectors(below, density, width, least)
    part = places - below
    if part > 0.0:
        more, varying = _whole_vectors(below + 1, density, width, least)
        mean, variance = mean + part * (more - mean), variance + part * (varying - variance)
    return mean, variance
