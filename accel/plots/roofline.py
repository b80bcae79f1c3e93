"""The roofline: what each layer reaches, and what the MACs and the DRAM allow.

S. Williams, A. Waterman, D. Patterson, "Roofline: An Insightful Visual Performance Model for Multicore Architectures",
Communications of the ACM 52(4), 2009; here in MACs a cycle over MACs a byte of DRAM traffic.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accel.plots.boxes import Coordinates
from accel.plots.inscription import inscribe
from accel.plots.labels import label_points
from accel.plots.roofline_points import RooflinePoint, label_of, roofline_points
from accel.plots.style import BLACK, CLASS_COLOURS, GREY, SMALL_POINTS, TEXT_POINTS, label_axes, new_axes
from accel.plots.ticks import label_log_ticks
from accel.report import LayerReport, Report

_NAMED_CHARACTERS = 160
"""Where all names are longer than this, labels are numbers, and a list beside the picture tells the names."""
_KEY_ROWS = 28
_DIGIT_SPACE = "\N{FIGURE SPACE}"
"""As wide as a digit, so that names stand below each other."""
_MARKERS = {
    "MACs": "o",
    "buffer ports": "s",
    "array fill": "^",
    "controller": "P",
    "DRAM: data": "D",
    "DRAM: weights": "v",
    "DRAM: output": "X",
}


def roofline(report: Report) -> Figure:
    """Every layer with MACs as a labelled point; layers that coincide share one.

    Layers lie under the roof, but on a chip that skips zeros, where all MACs of a layer count. A layer without DRAM
    traffic stands at the right edge. Without layers with MACs, the roof is drawn with a line that says so.
    """
    rows = [row for row in report.layers if row.macs]
    points = roofline_points(rows)
    peak, bytes_per_cycle = float(report.peak_macs_per_cycle), report.dram_bits_per_cycle / 8.0
    columns = -(-len(rows) // _KEY_ROWS) if sum(len(row.layer) for row in rows) > _NAMED_CHARACTERS else 0
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
    places = [point.macs_per_byte for point in points], [point.macs_per_cycle for point in points]
    _inscribe_roof(figure, axes, roof, places, peak, bytes_per_cycle)
    if points:
        names = [label_of(point, rows, numbered=bool(columns)) for point in points]
        label_points(figure, axes, *places, names, SMALL_POINTS if columns else TEXT_POINTS, lines=[roof])
    return figure


def _roof(axes: Axes, points: Sequence[RooflinePoint], peak: float, bytes_per_cycle: float) -> Coordinates:
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
    return line


def _inscribe_roof(
    figure: Figure, axes: Axes, roof: Coordinates, places: Coordinates, peak: float, bytes_per_cycle: float
) -> None:
    """Tell at both parts of the roof what it is, where no layer stands."""
    (left, ridge, right), (low, top, _) = roof
    slope: Coordinates = ((left, ridge), (low, top))
    flat: Coordinates = ((ridge, right), (top, top))
    for line, other, text, at in (
        (slope, flat, f"DRAM: {bytes_per_cycle:.3g} bytes per cycle", 0.5),
        (flat, slope, f"{peak:g} MACs per cycle", 1.0),
    ):
        inscribe(figure, axes, line, text, SMALL_POINTS, at=at, points=places, lines=[other])


def _note(axes: Axes, text: str) -> None:
    """A small line between title and picture, where no point can lie."""
    axes.set_title(axes.get_title(loc="left"), fontsize=TEXT_POINTS + 1, loc="left", pad=16)
    axes.annotate(
        text, (0.0, 1.0), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", fontsize=SMALL_POINTS
    )


def _key(figure: Figure, axes: Axes, rows: Sequence[LayerReport], columns: int) -> None:
    """Numbers and names of the layers, in columns at the right."""
    for column in range(columns):
        lines = [
            f"{str(number).rjust(2, _DIGIT_SPACE)}  {rows[number - 1].layer}"
            for number in range(column * _KEY_ROWS + 1, min(len(rows), (column + 1) * _KEY_ROWS) + 1)
        ]
        axes.annotate(
            "\n".join(lines), (1.0, 1.0), xycoords="axes fraction", xytext=(12 + 96 * column, 0),
            textcoords="offset points", va="top", fontsize=SMALL_POINTS - 0.5, linespacing=1.2,
        )  # fmt: skip
