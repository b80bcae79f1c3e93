"""Where labels stand: beside their points, apart from each other and from what else there is, by boxes on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from accel.plots.boxes import NOTHING, Boxes, along, around, length_inside, outside, overlap

_BESIDE = (0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.0, -2.0, 3.0, -3.0, 5.0, -5.0)
"""How far up labels beside a point stand, for each step to the side."""
_DIRECTIONS = (*((1, up) for up in _BESIDE), (0, 1.0), (0, -1.0), *((-1, up) for up in _BESIDE))
_STEPS_POINTS = (1.0, 6.0, 13.0, 22.0, 33.0, 47.0, 65.0)
"""From the edge of a marker to its label, to the right or left, or else up or down."""
_FARTHEST_POINTS = 130.0
_NEAR_POINTS = 7.0
"""From the edge of a marker: a label within needs no line to its point."""
_GAP_POINTS = 3.0
_PASSES = 6
"""After the first, each label may leave room that others would need more, or take what they left."""
_NONE = 1e-6
Size = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a label may stand."""

    direction: tuple[int, float]
    """1, 0 or -1: to the right of the point, above or below, to the left; and above if it is positive."""
    offset: tuple[float, float]
    """Of the label's nearest point from the marker's centre."""
    needs_line: bool

    @property
    def distance(self) -> float:
        """From the marker's centre to the label, in points."""
        return math.hypot(*self.offset)


def place_labels(spots: Boxes, sizes: Sequence[Size], radius_points: float, taken: Boxes, inside: Boxes) -> list[Place]:
    """A place for each label: the nearest that is free, in that order of labels that covers least and is nearest then.

    spots: centres of markers of that radius. sizes: widths and heights of the labels. taken: what else is in the way.
    """
    if not len(spots):
        return []
    places = _places(radius_points)
    labels = [_Label(number, spots, size, radius_points, places, taken, inside) for number, size in enumerate(sizes)]
    # From above, from below, from the right, from the left.
    orders = [np.argsort(key, kind="stable").tolist() for key in (-spots[:, 1], spots[:, 1], -spots[:, 0], spots[:, 0])]
    found = [_in_order(order, labels) for order in orders]
    _, best = min(found, key=lambda one: (one[0], sum(places[place].distance for place in one[1].values())))
    return [places[best[number]] for number in range(len(spots))]


def _places(radius: float) -> list[Place]:
    """All places around a point, the nearest first."""
    offsets = [
        ((right, up), (right * (radius + step), up * (radius + step)))
        for step, (right, up) in product(_STEPS_POINTS, _DIRECTIONS)
    ]
    places = [Place(direction, offset, math.hypot(*offset) > radius + _NEAR_POINTS) for direction, offset in offsets]
    return sorted((place for place in places if place.distance <= _FARTHEST_POINTS), key=lambda place: place.distance)


class _Label:
    """What a label covers at each of its places, of things that stay where they are."""

    def __init__(
        self, number: int, spots: Boxes, size: Size, radius: float, places: Sequence[Place], taken: Boxes, inside: Boxes
    ) -> None:
        self.spot = spots[number]
        self.ends = self.spot + [place.offset for place in places]
        self.far = np.asarray([place.needs_line for place in places])
        right, up = np.asarray([place.direction for place in places]).T
        left = self.ends[:, 0] - size[0] * (1.0 - right) / 2.0
        bottom = self.ends[:, 1] - size[1] * np.where(right != 0, 0.5, np.where(up > 0, 0.0, 1.0))
        gap = _GAP_POINTS / 2.0
        self.boxes = np.column_stack([left - gap, bottom, left + size[0] + gap, bottom + size[1]])
        own = around(self.spot[None], radius)
        fixed = np.vstack([np.delete(around(spots, radius), number, axis=0), taken])
        # What touches the point, as does the line it stands on, would be in the way of every line to it.
        in_the_way = fixed[~_touching(own, fixed)]
        self.covered = overlap(self.boxes, fixed) + outside(self.boxes, inside) + self._crossed(in_the_way)

    def _crossed(self, boxes: Boxes) -> Boxes:
        """At each place, the length of the line to the point within the boxes."""
        return np.where(self.far, length_inside(self.spot, self.ends, boxes), 0.0)

    def covers(self, place: int) -> Boxes:
        """What the label and its line cover at that place."""
        box = self.boxes[place : place + 1]
        return np.vstack([box, along(np.vstack([self.spot, self.ends[place]]), 0.5)]) if self.far[place] else box

    def best(self, words: Boxes) -> tuple[float, int]:
        """(what it covers, place): the nearest that covers nothing, or else the one that covers least."""
        covered = self.covered + overlap(self.boxes, words) + self._crossed(words)
        place = int(np.argmin(np.where(covered <= _NONE, 0.0, covered)))
        return float(covered[place]) if covered[place] > _NONE else 0.0, place


def _in_order(order: Sequence[int], labels: Sequence[_Label]) -> tuple[float, dict[int, int]]:
    """(area and length covered, places) when labels are placed one after the other, and then once more each."""
    places: dict[int, int] = {}
    words: dict[int, Boxes] = {}
    covered = 0.0
    for _ in range(_PASSES):
        before, covered = dict(places), 0.0
        for number in order:
            others = [boxes for other, boxes in words.items() if other != number]
            least, places[number] = labels[number].best(np.vstack([NOTHING, *others]))
            words[number] = labels[number].covers(places[number])
            covered += least
        if places == before:
            break
    return covered, places


def _touching(box: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """Which of the others have a part in common with the one box."""
    meets = (others[:, :2] < box[0, 2:]) & (others[:, 2:] > box[0, :2])
    return meets[:, 0] & meets[:, 1]
