"""Ticks of logarithmic axes, labelled in one format."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.scale import LogTransform
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

_FEWEST = 3
_IN_A_DECADE = ((1,), (1, 2, 5), tuple(range(1, 10)))
_WRITTEN_OUT = (1e-4, 1e6)
"""Numbers from here to there are written like 0.01 and 2000; with one beyond them, all as powers of ten."""


def label_log_ticks(axes: Axes) -> None:
    """Label ticks of those of both axes that are logarithmic to base ten: powers of ten, and more where these are few.

    The axes must have their limits. Left to itself, Matplotlib labels short axes in two formats and two sizes.
    """
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        scale = axis.get_transform()
        if not isinstance(scale, LogTransform) or scale.base != 10:
            continue
        kinds = [_ticks(*limits, digits) for digits in _IN_A_DECADE]
        ticks = next((found for found in kinds if len(found) >= _FEWEST), kinds[-1])
        plain = all(_WRITTEN_OUT[0] <= tick < _WRITTEN_OUT[1] for tick in ticks)
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}") if plain else FuncFormatter(_power))
        axis.set_minor_formatter(NullFormatter())


def _ticks(low: float, high: float, digits: Sequence[int]) -> list[float]:
    """The numbers from low to high with one of these digits before zeros alone."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    # Read from text, so that 0.001 is the nearest number to it and not a product.
    ticks = [float(f"{digit}e{decade}") for decade in decades for digit in digits]
    return [tick for tick in ticks if low <= tick <= high]


def _power(tick: float, _: int) -> str:
    digit, decade = f"{tick:.0e}".split("e")
    return rf"${digit}\times 10^{{{int(decade)}}}$" if digit != "1" else f"$10^{{{int(decade)}}}$"
