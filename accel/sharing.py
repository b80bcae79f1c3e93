"""Points of a sweep offer what they found to those next to them, so that more hardware is never worse.

What a search finds depends on what it happens to draw: of two points, the one with more buffer, bandwidth or PEs may
have missed what the other one found. That mostly fits there too, and does as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from math import prod
from typing import Any

import numpy as np

from accel.sweep_point import Outcome, Point, run_offered


def neighbours(groups: int, axes: Sequence[Sequence[Any]]) -> list[list[int]]:
    """By place in a grid, the last axis fastest, those next to it along one axis, in the same of so many groups.

    Next to each other are the nearest values of an axis where all of them are numbers, else those listed together.
    """
    places = np.arange(groups * prod(len(values) for values in axes)).reshape(groups, *(len(values) for values in axes))
    beside: list[list[int]] = [[] for _ in range(places.size)]
    for axis, values in enumerate(axes, start=1):
        ordered = all(isinstance(value, int | float) for value in values)
        order = sorted(range(len(values)), key=values.__getitem__) if ordered else range(len(values))
        line = np.moveaxis(places, axis, 0)[list(order)]
        for one, other in zip(line[:-1].ravel().tolist(), line[1:].ravel().tolist(), strict=True):
            beside[one].append(other)
            beside[other].append(one)
    return beside


def shared(
    points: Sequence[Point],
    outcomes: Sequence[Outcome],
    beside: Sequence[Sequence[int]],
    executor: Executor | None,
    tell: Callable[[int], None],
) -> list[Outcome]:
    """The outcomes after every point has tried the mappings of those beside it, and again of those that took others'.

    None is better with the mappings beside it in the end. tell: is called with the number of points that try.
    """
    final = list(outcomes)
    fresh = {place for place, outcome in enumerate(final) if outcome.mapping is not None}
    while fresh:
        offers = {
            place: [final[other] for other in others if other in fresh and final[other].mapping != final[place].mapping]
            for place, others in enumerate(beside)
        }
        asked = {place: found for place, found in offers.items() if found}
        tell(len(asked))
        fresh = set()
        for place, better in _answers(points, final, asked, executor):
            if better is not None:
                final[place] = better
                fresh.add(place)
    return final


def _answers(
    points: Sequence[Point], outcomes: Sequence[Outcome], asked: Mapping[int, list[Outcome]], executor: Executor | None
) -> Iterator[tuple[int, Outcome | None]]:
    """What comes out of the offers at each place, on the mappings of before."""
    requests = {place: (points[place], outcomes[place].value, offers) for place, offers in asked.items()}
    # All are sent off before the first is waited for.
    answers = [
        (place, partial(run_offered, *request) if executor is None else executor.submit(run_offered, *request).result)
        for place, request in requests.items()
    ]
    for place, answer in answers:
        try:
            yield place, answer()
        except Exception as error:  # the point keeps what it has
            at = f"{points[place].network_name} on {points[place].accelerator_name}"
            warnings.warn(f"{at}: mappings of other points not tried ({error})", stacklevel=2)
