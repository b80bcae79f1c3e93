"""Puts labels beside points so that they cover neither each other nor other points."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_DIRECTIONS = ((1, 0.0), (1, 1), (1, -1), (0, 1), (0, -1), (-1, 1), (-1, -1), (-1, 0.0))
_DISTANCES_POINTS = (4.0, 9.0, 16.0, 25.0, 36.0, 50.0, 68.0)
_CHARACTER = (0.56, 1.1)
"""Width and height of a character, in its size."""

_GAP_POINTS = 3.0

Box = tuple[float, float, float, float]
Coordinates = tuple[Sequence[float], Sequence[float]]


def label_points(
    figure: Figure,
    axes: Axes,
    xs: Sequence[float],
    ys: Sequence[float],
    labels: Sequence[str],
    size_points: float,
    line: Coordinates = ((), ()),
    others: Coordinates = ((), ()),
) -> None:
    """Write each label at the nearest free place around its point, with a thin line to it when that is not near.

    The axes must have their limits, scales, titles and other texts: places are found on the page, in points. Labels
    also keep off `line`, the corners of a line in the picture, off `others`, points without a label, and off the texts.
    """
    figure.draw_without_rendering()
    to_points = 72.0 / figure.dpi
    spots = axes.transData.transform(np.column_stack([xs, ys])) * to_points
    corners = axes.transAxes.transform([(0.0, 0.0), (1.0, 1.0)]) * to_points
    inside: Box = (*corners[0], *corners[1])
    taken: list[Box] = [(x - 3, y - 3, x + 3, y + 3) for x, y in spots.tolist()]
    if len(others[0]):
        spots_of_others = axes.transData.transform(np.column_stack(others)) * to_points
        taken.extend((x - 3, y - 3, x + 3, y + 3) for x, y in spots_of_others.tolist())
    taken.extend(_along(axes, *line, to_points))
    for text in axes.texts:
        extent = text.get_window_extent()
        taken.append((extent.x0 * to_points, extent.y0 * to_points, extent.x1 * to_points, extent.y1 * to_points))
    for number in np.argsort(-spots[:, 1], kind="stable").tolist():
        x, y = spots[number].tolist()
        width = _CHARACTER[0] * size_points * len(labels[number]) + _GAP_POINTS
        height = _CHARACTER[1] * size_points
        offset, box = _free_place(x, y, width, height, taken, inside, own=number)
        taken.append(box)
        far = max(abs(offset[0]), abs(offset[1])) > _DISTANCES_POINTS[1]
        axes.annotate(
            labels[number],
            (xs[number], ys[number]),
            xytext=offset,
            textcoords="offset points",
            fontsize=size_points,
            ha=("right", "center", "left")[_sign(offset[0]) + 1],
            va="center",
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "#777777", "shrinkB": 2} if far else None,
            annotation_clip=False,
        )


def _along(axes: Axes, xs: Sequence[float], ys: Sequence[float], to_points: float) -> list[Box]:
    """Small boxes along a line, close enough that no label fits between."""
    boxes: list[Box] = []
    corners = axes.transData.transform(np.column_stack([xs, ys])) * to_points if len(xs) else np.zeros((0, 2))
    for start, end in pairwise(corners):
        count = int(np.hypot(*(end - start)) / 3.0) + 2
        for x, y in np.linspace(start, end, count).tolist():
            boxes.append((x - 1.5, y - 1.5, x + 1.5, y + 1.5))
    return boxes


def _free_place(
    x: float, y: float, width: float, height: float, taken: Sequence[Box], inside: Box, own: int
) -> tuple[tuple[float, float], Box]:
    """(offset, box) of the first place that overlaps nothing, or else of the one that overlaps least."""
    best: tuple[float, tuple[float, float], Box] | None = None
    for distance in _DISTANCES_POINTS:
        for right, up in _DIRECTIONS:
            offset = (right * distance, up * (distance + (0.5 * height if not right else 0.0)))
            left = x + offset[0] - (width if right < 0 else 0.5 * width if not right else 0.0)
            bottom = y + offset[1] - 0.5 * height
            box: Box = (left, bottom, left + width, bottom + height)
            covered = sum(_overlap(box, other) for place, other in enumerate(taken) if place != own)
            covered += width * height - _overlap(box, inside)
            if covered <= 1e-6:
                return offset, box
            if best is None or covered < best[0]:
                best = (covered, offset, box)
    assert best is not None
    return best[1], best[2]


def _overlap(a: Box, b: Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
