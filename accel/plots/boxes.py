"""Upright rectangles on the page, in points: what texts, markers and lines cover.

An array of boxes has a row for each: left, bottom, right, top.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Coordinates = tuple[Sequence[float], Sequence[float]]
"""xs and ys of points in a picture, in the units of its axes."""

NOTHING: Boxes = np.zeros((0, 4))
_STEP_POINTS = 3.0
"""From one box to the next along a line: no text fits between."""


def on_page(axes: Axes, points: Coordinates) -> Boxes:
    """A row of x and y for each point, in points; the axes must have been laid out."""
    if not len(points[0]):
        return np.zeros((0, 2))
    spots: Boxes = axes.transData.transform(np.column_stack(points)) * _to_points(axes)
    return spots


def around(spots: Boxes, radius_points: float) -> Boxes:
    """A square around each of the spots on the page."""
    return np.hstack([spots - radius_points, spots + radius_points])


def along(corners: Boxes, half_points: float) -> Boxes:
    """Small squares along a line through these corners on the page."""
    pieces = [
        np.linspace(start, end, int(np.hypot(*(end - start)) / _STEP_POINTS) + 2) for start, end in pairwise(corners)
    ]
    return around(np.vstack(pieces), half_points) if pieces else NOTHING


def of_axes(axes: Axes) -> Boxes:
    """The one box within the axes."""
    return np.asarray(axes.get_window_extent().extents)[None] * _to_points(axes)


def text_size(axes: Axes, text: str, size_points: float) -> tuple[float, float]:
    """Width and height of a text on the page."""
    probe = axes.text(0.5, 0.5, text, fontsize=size_points, transform=axes.transAxes)
    extent = probe.get_window_extent()
    probe.remove()
    return extent.width * _to_points(axes), extent.height * _to_points(axes)


def of_text(axes: Axes, text: Text) -> Boxes:
    """What a text covers: one box, or small ones along its middle if it is turned; it must have been laid out."""
    extent = np.asarray(Text.get_window_extent(text).extents) * _to_points(axes)
    if abs(text.get_rotation()) < 1.0:
        return extent[None]
    width, height = text_size(axes, text.get_text(), float(text.get_fontsize()))
    turn = np.radians(text.get_rotation())
    half = 0.5 * max(width - height, 0.0) * np.asarray([np.cos(turn), np.sin(turn)])
    middle = (extent[:2] + extent[2:]) / 2.0
    return along(np.vstack([middle - half, middle + half]), 0.5 * height)


def overlap(boxes: Boxes, others: Boxes) -> Boxes:
    """For each box, the area that it has in common with each of the others, summed."""
    left, bottom, right, top = boxes.T[:, :, None]
    widths = np.minimum(right, others[:, 2]) - np.maximum(left, others[:, 0])
    heights = np.minimum(top, others[:, 3]) - np.maximum(bottom, others[:, 1])
    area: Boxes = (np.maximum(widths, 0.0) * np.maximum(heights, 0.0)).sum(axis=1)
    return area


def outside(boxes: Boxes, inside: Boxes) -> Boxes:
    """For each box, its area that is not within the one box `inside`."""
    area: Boxes = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - overlap(boxes, inside)
    return area


def length_inside(start: Boxes, ends: Boxes, boxes: Boxes) -> Boxes:
    """For each straight line from the one place to the ends, its length within each of the boxes, summed."""
    way = np.where(np.abs(ends - start) < 1e-9, 1e-9, ends - start)
    enters, leaves = np.zeros((len(way), 1)), np.ones((len(way), 1))
    for axis in (0, 1):
        first = (boxes[:, axis] - start[axis]) / way[:, axis, None]
        second = (boxes[:, axis + 2] - start[axis]) / way[:, axis, None]
        enters = np.maximum(enters, np.minimum(first, second))
        leaves = np.minimum(leaves, np.maximum(first, second))
    length: Boxes = np.maximum(leaves - enters, 0.0).sum(axis=1) * np.hypot(way[:, 0], way[:, 1])
    return length


def _to_points(axes: Axes) -> float:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return float(72.0 / figure.dpi)
