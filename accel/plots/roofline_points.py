"""The points of a roofline: which layers stand where, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accel.plots.labels import wrapped
from accel.report import LayerReport


@dataclass(frozen=True, slots=True)
class RooflinePoint:
    """Layers that stand at one place: alike in intensity, speed and bottleneck."""

    macs_per_byte: float
    macs_per_cycle: float
    bottleneck: str
    numbers: tuple[int, ...]


def roofline_points(rows: Sequence[LayerReport]) -> list[RooflinePoint]:
    """The places of these layers, in their order; one without DRAM traffic stands at the right edge."""
    finite = [row.macs * 8.0 / row.dram_bits for row in rows if row.dram_bits]
    edge = 4.0 * max(finite, default=1.0)
    found: dict[tuple[float, float, str], list[int]] = {}
    for number, row in enumerate(rows, start=1):
        intensity = row.macs * 8.0 / row.dram_bits if row.dram_bits else edge
        speed = row.macs / max(row.latency_cycles, 1)
        place = (round(float(np.log10(intensity)), 2), round(float(np.log10(speed)), 2), row.bottleneck)
        found.setdefault(place, []).append(number)
    return [RooflinePoint(10.0**x, 10.0**y, kind, tuple(numbers)) for (x, y, kind), numbers in found.items()]


def label_of(point: RooflinePoint, rows: Sequence[LayerReport], *, numbered: bool) -> str:
    """The names of the layers at a point, or their numbers among the rows."""
    if numbered:
        return _ranges(point.numbers)
    return wrapped([rows[number - 1].layer for number in point.numbers])


def _ranges(numbers: Sequence[int]) -> str:
    """1, 2, 3, 7 as "1-3,7"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in parts)
