"""Stacked bars, one for each layer: where the energy and the cycles went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accel.breakdown import ENERGY_PARTS, STALLS, cycles, energy_pj
from accel.plots.style import CLASS_COLOURS, SMALL_POINTS, TEXT_POINTS, label_axes, new_axes
from accel.report import Report
from accel.units import COUNT, ENERGY, best

_HATCH = "////"
"""Waiting is hatched: it stays apart from work in a grey print."""


def energy_by_layer(report: Report) -> Figure:
    """Energy of each layer, stacked by part."""
    values = [energy_pj(row) for row in report.layers]
    unit = best(max((row.energy_pj for row in report.layers), default=0.0), ENERGY)
    figure, axes = _layer_axes(report)
    stacks = {part: [unit.of(row[part]) for row in values] for part in ENERGY_PARTS}
    _stack(axes, stacks, hatched=())
    label_axes(axes, f"{report.title}: energy by layer and part", "", f"energy ({_u(unit.name)})")
    _finish(axes, [row.layer for row in report.layers])
    return figure


def cycles_by_layer(report: Report) -> Figure:
    """Latency of each layer, stacked by what the array did: busy classes below, each kind of waiting hatched above."""
    values = [cycles(row) for row in report.layers]
    unit = best(max((row.latency_cycles for row in report.layers), default=0), COUNT)
    figure, axes = _layer_axes(report)
    names = [name for name in (values[0] if values else {}) if any(row[name] for row in values)]
    stacks = {name: [unit.of(row[name]) for row in values] for name in names}
    _stack(axes, stacks, hatched=STALLS)
    scale = {"": "cycles", "k": "thousand cycles", "M": "million cycles", "G": "billion cycles"}.get(
        unit.name, unit.name
    )
    label_axes(axes, f"{report.title}: cycles by layer", "", f"latency ({scale})")
    _finish(axes, [row.layer for row in report.layers])
    return figure


def _u(name: str) -> str:
    return name.replace("u", "µ")


def _layer_axes(report: Report) -> tuple[Figure, Axes]:
    return new_axes(min(13.0, max(5.0, 1.4 + 0.19 * len(report.layers))), 3.4)


def _stack(axes: Axes, stacks: dict[str, list[float]], hatched: Iterable[str]) -> None:
    hatched = set(hatched)
    places = np.arange(len(next(iter(stacks.values()), [])))
    below = np.zeros(len(places))
    for name, heights in stacks.items():
        axes.bar(
            places,
            heights,
            bottom=below,
            width=0.78,
            label=name,
            color=CLASS_COLOURS[name],
            hatch=_HATCH if name in hatched else None,
            edgecolor="white",
            linewidth=0.3,
        )
        below += np.asarray(heights)


def _finish(axes: Axes, layers: Sequence[str]) -> None:
    """Layer names under the bars, as small and as steep as their number asks for, and the legend."""
    many = len(layers) > 20
    upright = len(layers) > 12 or max((len(name) for name in layers), default=0) > 8
    axes.set_xticks(range(len(layers)))
    axes.set_xticklabels(
        layers, rotation=90 if many else 45 if upright else 0, fontsize=SMALL_POINTS if many else TEXT_POINTS
    )
    if upright and not many:
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
            label.set_rotation_mode("anchor")
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, max(len(layers), 1) - 0.4)
    axes.yaxis.grid(visible=True, linewidth=0.4, color="#DDDDDD")
    handles, names = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1], names[::-1], fontsize=TEXT_POINTS, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0)
    )
