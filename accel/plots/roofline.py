"""The roofline: what each layer reaches, and what the MACs and the DRAM allow.

S. Williams, A. Waterman, D. Patterson, "Roofline: An Insightful Visual Performance Model for Multicore Architectures",
Communications of the ACM 52(4), 2009; here in MACs a cycle over MACs a byte of DRAM traffic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accel.plots.labels import label_points
from accel.plots.style import BLACK, CLASS_COLOURS, GREY, SMALL_POINTS, TEXT_POINTS, label_axes, new_axes
from accel.plots.ticks import label_log_ticks
from accel.report import LayerReport, Report

_NAMED_POINTS = 14
"""With more points than this, labels are numbers, and a list beside the picture tells the names."""
_KEY_ROWS = 28
_MARKERS = {
    "MACs": "o",
    "buffer ports": "s",
    "array fill": "^",
    "controller": "P",
    "DRAM: data": "D",
    "DRAM: weights": "v",
    "DRAM: output": "X",
}


@dataclass(frozen=True, slots=True)
class _Point:
    """Layers that stand at one place: alike in intensity, speed and bottleneck."""

    macs_per_byte: float
    macs_per_cycle: float
    bottleneck: str
    numbers: tuple[int, ...]


def roofline(report: Report) -> Figure:
    """Every layer with MACs as a labelled point; layers that coincide share one.

    Layers lie under the roof, but on a chip that skips zeros, where all MACs of a layer count. A layer without DRAM
    traffic stands at the right edge. Without layers with MACs, the roof is drawn with a line that says so.
    """
    rows = [row for row in report.layers if row.macs]
    points = _points(rows)
    peak, bytes_per_cycle = float(report.peak_macs_per_cycle), report.dram_bits_per_cycle / 8.0
    columns = -(-len(rows) // _KEY_ROWS) if len(points) > _NAMED_POINTS else 0
    figure, axes = new_axes(5.6 + 1.35 * columns, 3.8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    roof = _roof(axes, points, peak, bytes_per_cycle)
    for bottleneck in dict.fromkeys(point.bottleneck for point in points):
        own = [point for point in points if point.bottleneck == bottleneck]
        axes.scatter(
            [point.macs_per_byte for point in own],
            [point.macs_per_cycle for point in own],
            s=22,
            marker=_MARKERS.get(bottleneck, "o"),
            color=CLASS_COLOURS.get(bottleneck, GREY),
            edgecolor="white",
            linewidth=0.4,
            zorder=3,
            label=bottleneck,
        )
    label_log_ticks(axes)
    axes.grid(visible=True, which="major", linewidth=0.4, color="#DDDDDD")
    label_axes(
        axes,
        f"{report.title}: roofline",
        "operational intensity (MACs per byte of DRAM traffic)",
        "performance (MACs per cycle)",
    )
    if any(row.skipped_macs and row.macs > peak * row.latency_cycles for row in rows):
        _note(axes, "layers above the roof count MACs that were skipped: an operand was zero")
    if points:
        figure.legend(
            fontsize=TEXT_POINTS, frameon=False, loc="outside lower center", ncols=4, title="bottleneck",
            title_fontsize=TEXT_POINTS, handletextpad=0.2,
        )  # fmt: skip
    else:
        axes.text(
            0.6, 0.25, "no layer has MACs", ha="center", va="center", fontsize=TEXT_POINTS, transform=axes.transAxes
        )
    if columns:
        _key(figure, axes, rows, columns)
    names = [_label(point, rows, numbered=bool(columns)) for point in points]
    if points:
        label_points(
            figure, axes, [p.macs_per_byte for p in points], [p.macs_per_cycle for p in points], names,
            SMALL_POINTS if columns else TEXT_POINTS, roof,
        )  # fmt: skip
    return figure


def _points(rows: Sequence[LayerReport]) -> list[_Point]:
    finite = [row.macs * 8.0 / row.dram_bits for row in rows if row.dram_bits]
    edge = 4.0 * max(finite, default=1.0)
    found: dict[tuple[float, float, str], list[int]] = {}
    for number, row in enumerate(rows, start=1):
        intensity = row.macs * 8.0 / row.dram_bits if row.dram_bits else edge
        speed = row.macs / max(row.latency_cycles, 1)
        place = (round(float(np.log10(intensity)), 2), round(float(np.log10(speed)), 2), row.bottleneck)
        found.setdefault(place, []).append(number)
    return [_Point(10.0**x, 10.0**y, kind, tuple(numbers)) for (x, y, kind), numbers in found.items()]


def _roof(
    axes: Axes, points: Sequence[_Point], peak: float, bytes_per_cycle: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Draw the roof and set the limits around it and the points; the corners of the line."""
    ridge = peak / bytes_per_cycle
    left = min([point.macs_per_byte for point in points] + [ridge / 4.0]) / 2.5
    right = max([point.macs_per_byte for point in points] + [ridge]) * 2.5
    low = min([point.macs_per_cycle for point in points] + [left * bytes_per_cycle]) / 1.6
    high = max([point.macs_per_cycle for point in points] + [peak]) * 2.0
    line = ((left, ridge, right), (left * bytes_per_cycle, peak, peak))
    axes.plot(*line, color=BLACK, linewidth=1.2, zorder=2)
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    axes.annotate(
        f"{peak:g} MACs per cycle", (right, peak), xytext=(-2, 3), textcoords="offset points", ha="right",
        fontsize=SMALL_POINTS,
    )  # fmt: skip
    middle = float(np.sqrt(left * ridge))
    axes.text(
        middle,
        middle * bytes_per_cycle * 1.08,
        f"DRAM: {bytes_per_cycle:.3g} bytes per cycle",
        ha="center",
        va="bottom",
        rotation=float(np.degrees(np.arctan(bytes_per_cycle))),
        rotation_mode="anchor",
        transform_rotates_text=True,
        fontsize=SMALL_POINTS,
    )
    return line


def _note(axes: Axes, text: str) -> None:
    """A small line between title and picture, where no point can lie."""
    axes.set_title(axes.get_title(loc="left"), fontsize=TEXT_POINTS + 1, loc="left", pad=16)
    axes.annotate(
        text, (0.0, 1.0), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", fontsize=SMALL_POINTS
    )


def _label(point: _Point, rows: Sequence[LayerReport], *, numbered: bool) -> str:
    if numbered:
        return _ranges(point.numbers)
    return ", ".join(rows[number - 1].layer for number in point.numbers)


def _ranges(numbers: Sequence[int]) -> str:
    """1, 2, 3, 7 as "1-3,7"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in parts)


def _key(figure: Figure, axes: Axes, rows: Sequence[LayerReport], columns: int) -> None:
    """Numbers and names of the layers, in columns at the right."""
    for column in range(columns):
        lines = [
            f"{number:>2}  {rows[number - 1].layer}"
            for number in range(column * _KEY_ROWS + 1, min(len(rows), (column + 1) * _KEY_ROWS) + 1)
        ]
        axes.annotate(
            "\n".join(lines), (1.0, 1.0), xycoords="axes fraction", xytext=(12 + 96 * column, 0),
            textcoords="offset points", va="top", fontsize=SMALL_POINTS - 0.5, linespacing=1.2,
        )  # fmt: skip
