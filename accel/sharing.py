"""Points of a sweep offer what they found to those next to them, so that more hardware is never worse.

What a search finds depends on what it happens to draw: of two points, the one with more buffer, bandwidth or PEs may
have missed what the other one found. That mostly fits there too, and does as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from math import prod
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from accel.answers import ask
from accel.sweep_point import Outcome, Point, run_offered

if TYPE_CHECKING:
    from accel.planning import Progress


def neighbours(groups: int, axes: Sequence[Sequence[Any]], fine: Sequence[bool]) -> list[list[int]]:
    """By place in a grid, the last axis fastest, those next to it along one axis, in the same of so many groups.

    Next to each other are the nearest values of an axis, those that are no numbers as they are listed, after the
    numbers. Places that are not `fine` stand in nobody's way: they are next to the nearest that are.
    """
    places = np.arange(groups * prod(len(values) for values in axes)).reshape(groups, *(len(values) for values in axes))
    beside: list[list[int]] = [[] for _ in range(places.size)]
    for axis, values in enumerate(axes, start=1):
        order = sorted(range(len(values)), key=[_rank(value) for value in values].__getitem__)
        for line in np.moveaxis(places, axis, -1)[..., order].reshape(-1, len(values)).tolist():
            before: list[int] = []  # the last fine place, and those since
            for place in line:
                for other in before if fine[place] else before[:1]:
                    if fine[place] or fine[other]:
                        beside[place].append(other)
                        beside[other].append(place)
                if fine[place]:
                    before = []
                before.append(place)
    return beside


def _rank(value: Any) -> tuple[bool, Any]:
    number = isinstance(value, Real) and value == value
    return (False, value) if number else (True, 0)


def share(
    points: Sequence[Point],
    outcomes: list[Outcome],
    axes: Sequence[Sequence[Any]],
    executor: Executor | None,
    tell: Progress,
) -> None:
    """Let every point try the mappings of those beside it, and again of those that took others'.

    Better outcomes are put in the place of those there were; none is better with the mappings beside it in the end.
    axes: the swept values, of which the points are the grid.
    """
    groups = len(points) // prod(len(values) for values in axes)
    beside = neighbours(groups, axes, [outcome.mapping is not None for outcome in outcomes])
    fresh = {place for place, outcome in enumerate(outcomes) if outcome.mapping is not None}
    while fresh:
        offers = {
            place: [
                outcomes[other]
                for other in others
                if other in fresh and outcomes[other].mapping != outcomes[place].mapping
            ]
            for place, others in enumerate(beside)
        }
        fresh = set()
        for place, better in _answers(points, outcomes, offers, executor, tell):
            if better is not None:
                outcomes[place] = better
                fresh.add(place)


def _answers(
    points: Sequence[Point],
    outcomes: Sequence[Outcome],
    offers: Mapping[int, list[Outcome]],
    executor: Executor | None,
    tell: Progress,
) -> Iterator[tuple[int, Outcome | None]]:
    """What comes out of the offers at each place that has any, on the mappings of before."""
    answers = {
        place: ask(executor, run_offered, points[place], outcomes[place].value, given)
        for place, given in offers.items()
        if given
    }
    for done, (place, answer) in enumerate(answers.items()):
        at = f"{points[place].network_name} on {points[place].accelerator_name}"
        tell(done, len(answers), f"{at}, with mappings of other points")
        try:
            yield place, answer()
        except Exception as error:  # the point keeps what it has
            warnings.warn(f"{at}: mappings of other points not tried ({error})", stacklevel=2)
