"""A text along a straight line of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accel.plots.boxes import Boxes, Coordinates, along, around, of_axes, of_text, on_page, outside, overlap, text_size

_PLACES = 25
_LIFT_POINTS = 2.5
"""From the line to the text."""
_LINE_POINTS = 1.0


def inscribe(
    figure: Figure,
    axes: Axes,
    line: Coordinates,
    text: str,
    size_points: float,
    *,
    at: float,
    points: Coordinates = ((), ()),
    radius_points: float = 3.0,
    lines: Sequence[Coordinates] = (),
) -> None:
    """Write the text along `line`, from one point of the picture to another, where it covers no other thing.

    at: the part of the way where its middle stands best, 0 to 1; then come other parts, the nearest first, and then
    those below the line instead of above. `points`, other `lines` by their corners, and other texts are kept free. The
    axes must have their limits, scales and titles. `radius_points`: of the markers of the points.
    """
    figure.draw_without_rendering()
    width, height = text_size(axes, text, size_points)
    start, end = on_page(axes, line)
    length = float(np.hypot(*(end - start)))
    along_it = (end - start) / length
    above_it = np.asarray([-along_it[1], along_it[0]])
    inside = of_axes(axes)
    obstacles = np.vstack(
        [
            around(on_page(axes, points), radius_points),
            *(along(on_page(axes, other), _LINE_POINTS) for other in lines),
            *(of_text(axes, other) for other in axes.texts),
        ]
    )
    end_to_end = np.linspace(0.5 * width / length, 1.0 - 0.5 * width / length, _PLACES).tolist()
    parts = sorted(end_to_end, key=lambda part: abs(part - at))
    places = [
        part * length * along_it + side * (_LIFT_POINTS + 0.5 * height) * above_it
        for side, part in product((1, -1), parts)
    ]
    half = 0.5 * (width - height) * along_it

    def covered(place: Boxes) -> float:
        boxes = along(np.vstack([start + place - half, start + place + half]), 0.5 * height)
        return float((overlap(boxes, obstacles) + outside(boxes, inside)).sum())

    best = min(places, key=covered)
    axes.annotate(
        text,
        (line[0][0], line[1][0]),
        xytext=tuple(best.tolist()),
        textcoords="offset points",
        fontsize=size_points,
        ha="center",
        va="center",
        rotation=float(np.degrees(np.arctan2(along_it[1], along_it[0]))),
        rotation_mode="anchor",
    )
