"""Energy over latency of the points of a sweep, with the Pareto front."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accel.plots.labels import label_points
from accel.plots.pareto import pareto_front
from accel.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    SMALL_POINTS,
    TEXT_POINTS,
    VERMILION,
    label_axes,
    new_axes,
)
from accel.plots.ticks import label_log_ticks
from accel.units import ENERGY, TIME, best

_COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_WIDE = 20.0
_ROOM = 1.08
"""From zero, the largest value lies this far from the end of the axis: markers there are whole."""
_LABELLED = 12
"""Labels are for points of the front, and left out when it has more."""


def energy_latency_scatter(frame: pd.DataFrame) -> Figure:
    """Every point of a sweep (see `accel.sweep`) without an error; the front is drawn for each network.

    Colours tell networks, and accelerators when there is one network. Points of the front are labelled with what was
    swept.
    """
    fine = frame[frame["error"] == ""] if len(frame) else frame
    figure, axes = new_axes(5.6, 3.8)
    if not len(fine):
        axes.text(0.5, 0.5, "no point without an error", ha="center", va="center", fontsize=TEXT_POINTS)
        axes.set_axis_off()
        return figure
    latency = best(float(fine["latency_ms"].max()), TIME)
    energy = best(float(fine["energy_pj"].max()), ENERGY)
    swept = list(fine.attrs.get("swept", ()))
    by = "accelerator" if fine["network"].nunique() == 1 else "network"
    for number, (name, group) in enumerate(fine.groupby(by, sort=False)):
        axes.scatter(
            group["latency_ms"] / latency.size,
            group["energy_pj"] / energy.size,
            s=24,
            marker=_MARKERS[number % len(_MARKERS)],
            color=_COLOURS[number % len(_COLOURS)],
            edgecolor="white",
            linewidth=0.4,
            zorder=3,
            label=str(name),
        )
    fronts = []
    for number, (_, group) in enumerate(fine.groupby("network", sort=False)):
        best_points = group[pareto_front(group["latency_ms"], group["energy_pj"])].sort_values("latency_ms")
        fronts.append(best_points)
        axes.step(
            best_points["latency_ms"] / latency.size,
            best_points["energy_pj"] / energy.size,
            where="post",
            color=BLACK,
            linewidth=0.9,
            linestyle="--",
            zorder=2,
            marker="o",
            markersize=8,
            markerfacecolor="none",
            markeredgewidth=0.8,
            label="Pareto front" if not number else None,
        )
    axes.grid(visible=True, linewidth=0.4, color="#DDDDDD")
    _scale(axes, fine)
    label_axes(
        axes,
        _title(fine),
        f"latency ({latency.name.replace('u', 'µ')})",
        f"energy ({energy.name.replace('u', 'µ')})",
    )
    axes.legend(fontsize=TEXT_POINTS, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    front = pd.concat(fronts)
    if swept and len(front) <= _LABELLED:
        labels = [", ".join(f"{path.split('.')[-1]} {row[path]}" for path in swept) for _, row in front.iterrows()]
        xs, ys = ([(some[column] / size).tolist() for some in (front, fine)] for column, size in (
            ("latency_ms", latency.size), ("energy_pj", energy.size),
        ))  # fmt: skip
        label_points(figure, axes, xs[0], ys[0], labels, SMALL_POINTS, others=(xs[1], ys[1]))
    return figure


def _scale(axes: Axes, fine: pd.DataFrame) -> None:
    """From zero where the values are alike, logarithmic where some are many times the others."""
    if _wide(fine["latency_ms"]):
        axes.set_xscale("log")
    else:
        axes.set_xlim(0.0, _ROOM * axes.dataLim.xmax)
    if _wide(fine["energy_pj"]):
        axes.set_yscale("log")
    else:
        axes.set_ylim(0.0, _ROOM * axes.dataLim.ymax)
    label_log_ticks(axes)


def _wide(values: pd.Series[float]) -> bool:
    return bool(values.max() > _WIDE * values.min() > 0.0)


def _title(fine: pd.DataFrame) -> str:
    networks, chips = fine["network"].unique(), fine["accelerator"].unique()
    what = networks[0] if len(networks) == 1 else f"{len(networks)} networks"
    where = chips[0] if len(chips) == 1 else f"{len(chips)} accelerators"
    return f"{what} on {where}: energy and latency"
