"""Are labels of points readable: apart from each other and from all else, their lines too?"""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from accel.plots.inscription import inscribe
from accel.plots.labels import label_points, wrapped
from accel.plots.style import new_axes

CORNERS = ([0.0, 0.55, 1.0], [0.1, 0.55, 0.55])


def drawn(xs: list[float], ys: list[float]) -> tuple[Figure, Axes]:
    """Points with labels, a line with a bend, and a text in the middle."""
    figure, axes = new_axes(5.6, 3.8)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    axes.text(0.5, 0.5, "a text", ha="center", va="center")
    label_points(figure, axes, xs, ys, [f"label {n}" for n in range(len(xs))], 8.0, lines=[CORNERS])
    figure.draw_without_rendering()
    return figure, axes


def words(axes: Axes) -> list[Bbox]:
    return [Text.get_window_extent(text) for text in axes.texts]


def points_of_line(label: Annotation) -> np.ndarray | None:
    """Where the line from a label to its point passes, if there is one."""
    if label.arrow_patch is None:
        return None
    path = label.arrow_patch.get_transform().transform_path(label.arrow_patch.get_path())
    return np.linspace(path.vertices[0], path.vertices[-1], 200)


def cluster(count: int, width: float, seed: int) -> tuple[list[float], list[float]]:
    drawn_at = np.random.default_rng(seed).uniform(-width, width, (2, count))
    return (0.3 + drawn_at[0]).tolist(), (0.6 + drawn_at[1]).tolist()


SETS = [cluster(count, width, seed) for count in (2, 5, 8) for width in (0.002, 0.02, 0.2) for seed in range(3)]


@pytest.mark.parametrize("points", SETS)
def test_labels_and_their_lines_keep_off_other_labels(points: tuple[list[float], list[float]]) -> None:
    _, axes = drawn(*points)
    boxes = words(axes)
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    for number, label in enumerate(axes.texts):
        passed = points_of_line(label) if isinstance(label, Annotation) else None
        for place in [] if passed is None else passed:
            assert not any(box.contains(*place) for other, box in enumerate(boxes) if other != number)


@pytest.mark.parametrize("points", SETS)
def test_labels_keep_off_points_and_lines_and_within_the_axes(points: tuple[list[float], list[float]]) -> None:
    _, axes = drawn(*points)
    inside = axes.get_window_extent()
    taken = axes.transData.transform(np.column_stack(points))
    bend = axes.transData.transform(np.column_stack(CORNERS))
    on_line = np.vstack([np.linspace(start, end, 500) for start, end in pairwise(bend)])
    for box in words(axes)[1:]:
        assert not any(box.contains(*place) for place in np.vstack([taken, on_line]))
        assert inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1


def test_a_label_stands_at_its_point_and_a_far_one_has_a_line_to_it() -> None:
    _, axes = drawn([0.2], [0.8])
    label = axes.texts[1]
    assert isinstance(label, Annotation) and label.arrow_patch is None
    # Fifteen points at one place: there is not room for all beside it.
    figure, axes = drawn([0.3] * 15, [0.7] * 15)
    spot = axes.transData.transform((0.3, 0.7))
    lines = [points_of_line(label) for label in axes.texts if isinstance(label, Annotation)]
    assert sum(line is not None for line in lines) >= 7
    for line in lines:
        if line is not None:
            assert np.hypot(*(line - spot).T).min() < 4.0 * figure.dpi / 72.0


def test_a_wide_marker_keeps_its_label_further_off() -> None:
    figure, axes = new_axes(4.0, 3.0)
    label_points(figure, axes, [0.5], [0.5], ["label"], 8.0, radius_points=20.0)
    figure.draw_without_rendering()
    box, spot = words(axes)[0], axes.transData.transform((0.5, 0.5))
    assert box.x0 - spot[0] > 20.0 * figure.dpi / 72.0


def test_parts_of_labels_share_lines_while_these_are_short() -> None:
    assert wrapped(["conv1", "conv2"]) == "conv1, conv2"
    assert wrapped(["a" * 20, "b" * 20, "c"]) == f"{'a' * 20},\n{'b' * 20}, c"
    assert wrapped(["a" * 99]) == "a" * 99


@pytest.mark.parametrize("taken", [(), (0.9,), (0.9, 0.65), (0.3, 0.5, 0.7, 0.9)])
@pytest.mark.parametrize("slope", [0.0, 0.5, -0.5])
def test_a_text_along_a_line_covers_no_point(taken: tuple[float, ...], slope: float) -> None:
    figure, axes = new_axes(5.6, 3.8)
    xs, ys = list(taken), [0.5 + slope * (x - 0.5) + 0.02 for x in taken]
    line = ([0.0, 1.0], [0.5 - 0.5 * slope, 0.5 + 0.5 * slope])
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    inscribe(figure, axes, line, "text along a line", 6.5, at=1.0, points=(xs, ys))
    figure.draw_without_rendering()
    (text,) = axes.texts
    start, end = axes.transData.transform(np.column_stack(line))
    assert np.tan(np.radians(text.get_rotation())) == pytest.approx((end - start)[1] / (end - start)[0])
    turn = np.radians(-text.get_rotation())
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.array(
        [
            (text.get_window_extent().x0 + text.get_window_extent().x1) / 2,
            (text.get_window_extent().y0 + text.get_window_extent().y1) / 2,
        ]
    )
    text.set_rotation(0.0)
    level = text.get_window_extent()
    for spot in axes.transData.transform(np.column_stack([xs, ys])) if taken else ():
        # Turned back, text and point are level.
        across, up = np.abs(back @ (spot - middle))
        assert across > level.width / 2 or up > level.height / 2
    inside = axes.get_window_extent()
    assert (
        inside.x0 <= middle[0] - level.width / 2 * np.cos(turn)
        and middle[0] + level.width / 2 * np.cos(turn) <= inside.x1 + 1
    )
