"""Puts labels beside points so that they and the lines to them cover neither each other nor anything else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accel.plots.boxes import Coordinates, along, around, of_axes, of_text, on_page, text_size
from accel.plots.placing import Place, place_labels

_CHARACTERS = 30


def wrapped(parts: Sequence[str]) -> str:
    """The parts with commas between, on as many lines as keep each short."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= _CHARACTERS:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return ",\n".join(lines)


def label_points(
    figure: Figure,
    axes: Axes,
    xs: Sequence[float],
    ys: Sequence[float],
    labels: Sequence[str],
    size_points: float,
    *,
    radius_points: float = 3.0,
    lines: Sequence[Coordinates] = (),
    others: Coordinates = ((), ()),
) -> None:
    """Write each label at the nearest free place around its point, with a thin line to it when that is not near.

    The axes must have their limits, scales, titles and other texts: places are found on the page, in points. Labels
    and the lines to them also keep off `lines`, given by their corners, off `others`, points without a label, and off
    the texts. `radius_points`: of the markers of all points.
    """
    figure.draw_without_rendering()
    spots = on_page(axes, (xs, ys))
    rest = np.vstack(
        [
            around(on_page(axes, others), radius_points),
            *(along(on_page(axes, line), 1.5) for line in lines),
            *(of_text(axes, text) for text in axes.texts),
        ]
    )
    sizes = [text_size(axes, label, size_points) for label in labels]
    places = place_labels(spots, sizes, radius_points, rest, of_axes(axes))
    for x, y, label, place in zip(xs, ys, labels, places, strict=True):
        _write(axes, (x, y), label, size_points, radius_points, place)


def _write(axes: Axes, point: tuple[float, float], label: str, size_points: float, radius: float, place: Place) -> None:
    right, up = place.direction
    line = {
        "arrowstyle": "-", "linewidth": 0.4, "color": "#777777", "shrinkA": 0.0, "shrinkB": 0.5 * radius,
        "relpos": (0.5 - 0.5 * right, 0.5 if right else 0.0 if up > 0 else 1.0),
    }  # fmt: skip
    axes.annotate(
        label,
        point,
        xytext=place.offset,
        textcoords="offset points",
        fontsize=size_points,
        ha=("right", "center", "left")[right + 1],
        va="center" if right else "bottom" if up > 0 else "top",
        arrowprops=line if place.needs_line else None,
        annotation_clip=False,
    )
