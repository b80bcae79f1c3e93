"""Energy over latency of the points of a sweep, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from accel.plots.boxes import Coordinates
from accel.plots.labels import label_points
from accel.plots.pareto import pareto_front
from accel.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    SMALL_POINTS,
    TEXT_POINTS,
    VERMILION,
    label_axes,
    new_axes,
)
from accel.plots.sweep_labels import point_labels
from accel.plots.ticks import label_log_ticks
from accel.units import ENERGY, TIME, Unit, best

_COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_WIDE = 20.0
_ROOM = 1.08
"""From zero, the largest value lies this far from the end of the axis: markers there are whole."""
_RING_POINTS = 8.0
"""Width of the rings around points of the front."""
_LABELLED = 12
"""Labels are for points of the front, and left out when it has more."""


def energy_latency_scatter(frame: pd.DataFrame) -> Figure:
    """Every point of a sweep (see `accel.sweep`) without an error; the front is drawn for each network.

    Colours tell networks, or accelerators when there is one network; markers tell accelerators when there are several.
    Points of the front are labelled with their accelerator, when there are several, and with what was swept.
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
    kinds = _draw_points(axes, fine, latency, energy)
    fronts = []
    for _, group in fine.groupby("network", sort=False):
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
            markersize=_RING_POINTS,
            markerfacecolor="none",
            markeredgewidth=0.8,
            label="Pareto front",
        )
    axes.grid(visible=True, linewidth=0.4, color="#DDDDDD")
    _scale(axes, fine)
    label_axes(
        axes,
        _title(fine),
        f"latency ({latency.name.replace('u', 'µ')})",
        f"energy ({energy.name.replace('u', 'µ')})",
    )
    axes.legend(
        handles=[*kinds, axes.get_lines()[0]], fontsize=TEXT_POINTS, frameon=False, loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
    )  # fmt: skip
    front = pd.concat(fronts)
    several = fine["accelerator"].nunique() > 1
    if (swept or several) and len(front) <= _LABELLED:
        xs, ys = _places(front, latency, energy)
        label_points(
            figure, axes, xs, ys, point_labels(front, swept, name_accelerators=several), SMALL_POINTS,
            radius_points=_RING_POINTS / 2.0, lines=[_corners(*_places(one, latency, energy)) for one in fronts],
            others=_places(fine, latency, energy),
        )  # fmt: skip
    return figure


def _draw_points(axes: Axes, fine: pd.DataFrame, latency: Unit, energy: Unit) -> list[Artist]:
    """Draw the points; what the legend shows for their kinds."""
    coloured = "network" if fine["network"].nunique() > 1 else "accelerator"
    shaped = "accelerator" if fine["accelerator"].nunique() > 1 else coloured
    colours = dict(zip(fine[coloured].unique(), cycle(_COLOURS), strict=False))
    markers = dict(zip(fine[shaped].unique(), cycle(_MARKERS), strict=False))
    for _, group in fine.groupby(["network", "accelerator"], sort=False):
        colour, marker = colours[group[coloured].iloc[0]], markers[group[shaped].iloc[0]]
        axes.scatter(
            *_places(group, latency, energy),
            s=24,
            marker=marker,
            color=colour,
            edgecolor="white",
            linewidth=0.4,
            zorder=3,
        )
    if coloured == shaped:
        return [_sample(name, colours[name], marker) for name, marker in markers.items()]
    patches = [Patch(color=colour, label=name) for name, colour in colours.items()]
    return [*patches, *(_sample(name, GREY, marker) for name, marker in markers.items())]


def _sample(name: str, colour: str, marker: str) -> Line2D:
    """A point of the legend."""
    return Line2D(
        [], [], linestyle="", marker=marker, color=colour, markersize=5.5, markeredgecolor="white", label=name
    )


def _places(points: pd.DataFrame, latency: Unit, energy: Unit) -> Coordinates:
    return (points["latency_ms"] / latency.size).tolist(), (points["energy_pj"] / energy.size).tolist()


def _corners(xs: Sequence[float], ys: Sequence[float]) -> Coordinates:
    """Of the line drawn through a front, which goes right and then down."""
    return [x for x in xs for _ in (0, 1)][1:], [y for y in ys for _ in (0, 1)][:-1]


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
