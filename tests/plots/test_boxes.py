"""Do areas and lengths of boxes equal what counting small pieces gives?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.plots.boxes import along, length_inside, outside, overlap
from accel.plots.style import new_axes

SIDE = 8
places = st.integers(0, SIDE)


@st.composite
def boxes(draw: st.DrawFn) -> list[int]:
    x, y = sorted((draw(places), draw(places))), sorted((draw(places), draw(places)))
    return [x[0], y[0], x[1], y[1]]


def cells(box: list[int]) -> set[tuple[int, int]]:
    return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}


@given(boxes(), st.lists(boxes(), max_size=4))
def test_common_areas_are_those_of_the_cells(one: list[int], others: list[list[int]]) -> None:
    box, rest = np.array([one], dtype=float), np.array(others, dtype=float).reshape(-1, 4)
    assert overlap(box, rest) == sum(len(cells(one) & cells(other)) for other in others)
    for other in others:
        assert outside(box, np.array([other], dtype=float)) == len(cells(one) - cells(other))


@given(st.tuples(places, places), st.tuples(places, places), st.lists(boxes(), max_size=4))
def test_the_length_within_boxes_is_that_of_its_pieces(
    start: tuple[int, int], end: tuple[int, int], others: list[list[int]]
) -> None:
    # Off the lattice, so that no line runs along a side.
    first, last = np.array(start) + 0.3137, np.array(end) + 0.2719
    pieces = 2000
    middles = first + (last - first) * ((np.arange(pieces) + 0.5) / pieces)[:, None]
    within = sum(int(((middles > box[:2]) & (middles < box[2:])).all(axis=1).sum()) for box in map(np.array, others))
    length = float(np.hypot(*(last - first)))
    found = length_inside(first, last[None], np.array(others, dtype=float).reshape(-1, 4))
    assert found == pytest.approx(within * length / pieces, abs=4 * max(len(others), 1) * length / pieces + 1e-9)


def test_boxes_along_a_line_leave_no_gap_for_a_text() -> None:
    corners = np.array([[0.0, 0.0], [50.0, 20.0], [50.0, 90.0]])
    centres = along(corners, 1.0)[:, :2] + 1.0
    assert (centres[0] == corners[0]).all() and (centres[-1] == corners[-1]).all()
    assert np.hypot(*np.diff(centres, axis=0).T).max() <= 3.0
    assert len(along(corners[:0], 1.0)) == 0


@pytest.mark.parametrize("turn", [0.0, 30.0, 45.0, 90.0, -60.0])
def test_a_turned_text_covers_its_middle_and_not_the_corners_of_its_extent(turn: float) -> None:
    from accel.plots.boxes import of_text

    figure, axes = new_axes(4.0, 4.0)
    text = axes.text(0.5, 0.5, "a text of some length", rotation=turn, ha="center", va="center", fontsize=8)
    figure.draw_without_rendering()
    extent = text.get_window_extent()
    scale = 72.0 / figure.dpi
    covered = of_text(axes, text)
    x, y = (extent.x0 + extent.x1) / 2 * scale, (extent.y0 + extent.y1) / 2 * scale
    assert overlap(np.array([[x - 1, y - 1, x + 1, y + 1]]), covered) > 0.0
    # A line of text that rises has nothing at the top left.
    left, top = extent.x0 * scale, (extent.y1 if turn > 0 else extent.y0) * scale
    corner = np.array([[left, top - 3, left + 3, top + 3]])
    assert (overlap(corner, covered) > 0.0) == (turn in (0.0, 90.0))
