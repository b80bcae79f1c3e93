"""What PEs take from their neighbours: input words that these took from the port in the pass before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accel.kernels.array_fields import BLOCKED
from accel.kernels.options import borrowing_kernel, kernel
from accel.kernels.reuse import INPUT, own_steps
from accel.kernels.windows import slid_positions, touches

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Links(NamedTuple):
    """An array whose PEs pass inputs on, and room to find out what.

    places: (rows, columns, axes) the index of each PE along each axis; steps: see `own_steps`. taken: (2, axes)
    SLID_BY and SLID_FROM of a pass, see `note_taken`. first: (PEs,) the first PE with the same words, in a pass of
    shape `grouped`. apart: (2, rows, columns, axes), shift: (axes,), fetched: (PEs,).
    """

    places: Ints
    steps: Ints
    taken: Ints
    first: Ints
    grouped: Ints
    apart: Ints
    shift: Ints
    fetched: Bools


class Side(NamedTuple):
    """What a PE takes along one side of the input: positions under its outputs and taps, but for those that it has.

    These are under `had_outputs` and `had_taps`, `back` positions before; none if it takes all.
    """

    outputs: int
    taps: int
    back: int
    had_outputs: int
    had_taps: int


PLACE, SHAPE, SLID_BY, SLID_FROM = 0, 1, 2, 3
BEFORE = 4
"""Rows of what is known of the pass before, by axis: where it was, and its shape; how far on from the pass before that,
and the outputs and taps that each PE had there and still needed, 0 but along the side on which windows slid."""
NOTHING = -1
"""In SLID_FROM: the pass took no words at all."""


@borrowing_kernel
def _own(shape: Ints, unroll: Ints, axis: int) -> int:
    """Indices along an axis of a PE that has any."""
    return int(-(-shape[axis] // unroll[axis]))


@kernel
def new_links(places: Ints, unroll: Ints, lanes: Ints, window: Ints, machine: Ints) -> Links:
    """Those of an array of these places, none of them without links."""
    rows, columns, axes = places.shape
    steps = np.ones(axes, dtype=np.int64)
    own_steps(unroll, lanes, window, machine, steps)
    return Links(
        places, steps, np.zeros((2, axes), dtype=np.int64), np.zeros(rows * columns, dtype=np.int64),
        np.zeros(axes, dtype=np.int64), np.zeros((2, rows, columns, axes), dtype=np.int64),
        np.zeros(axes, dtype=np.int64), np.zeros(rows * columns, dtype=np.bool_),
    )  # fmt: skip


@borrowing_kernel
def note_taken(
    slid: bool, none: bool, start: Ints, shape: Ints, before: Ints, unroll: Ints, window: Ints, strides: Ints,
    links: Links,
) -> None:  # fmt: skip
    """Fill `taken` of links: the windows of this pass `slid` on, or took all words, or `none`."""
    steps, taken = links.steps, links.taken
    for axis in range(len(shape)):
        taken[0, axis] = start[axis] - before[PLACE, axis]
        taken[1, axis] = NOTHING if none else 0
    if none or not slid:
        return
    o, t = window[1], window[3]
    _, _, rests = slid_positions(
        taken[0, o] * strides[1] + taken[0, t] * strides[3], _own(shape, unroll, o), strides[1] * steps[o],
        _own(shape, unroll, t), strides[3] * steps[t], _own(before[SHAPE], unroll, o), _own(before[SHAPE], unroll, t),
    )  # fmt: skip
    side = 0 if rests else 1
    for axis in (window[side], window[side + 2]):
        taken[1, axis] = _own(before[SHAPE], unroll, axis)


@borrowing_kernel
def _side(
    number: int, shape: Ints, slid_by: Ints, slid_from: Ints, unroll: Ints, window: Ints, strides: Ints
) -> Side:  # fmt: skip
    o, t = window[number], window[number + 2]
    back = slid_by[o] * strides[number] + slid_by[t] * strides[number + 2]
    return Side(_own(shape, unroll, o), _own(shape, unroll, t), int(back), int(slid_from[o]), int(slid_from[t]))


@borrowing_kernel
def _takes(side: Side, step: int, tap_step: int, position: int) -> bool:
    had = touches(position + side.back, side.had_outputs, step, side.had_taps, tap_step)
    return not had and touches(position, side.outputs, step, side.taps, tap_step)


@borrowing_kernel
def _taken(side: Side, step: int, tap_step: int) -> tuple[int, int]:
    """(number of positions a PE takes, the least of them)."""
    last = (side.outputs - 1) * step + (side.taps - 1) * tap_step
    number, least = 0, 0
    for position in range(last, -1, -1):
        if _takes(side, step, tap_step, position):
            number, least = number + 1, position
    return number, least


@borrowing_kernel
def _goes_on(now: Side, then: Side, step: int, tap_step: int) -> tuple[bool, int]:
    """(whether what a PE takes now lies as what it took then, how much further on, each seen from its own pass)."""
    number, least = _taken(now, step, tap_step)
    number_then, least_then = _taken(then, step, tap_step)
    if number != number_then:
        return False, 0
    last = (now.outputs - 1) * step + (now.taps - 1) * tap_step
    for position in range(least, last + 1):
        same = _takes(then, step, tap_step, position - least + least_then)
        if _takes(now, step, tap_step, position) and not same:
            return False, 0
    return True, least - least_then


@borrowing_kernel
def _spread_out(
    shape: Ints, unroll: Ints, relevant: Bools, window: Ints, strides: Ints, machine: Ints, places: Ints, apart: Ints
) -> None:
    """Fill (rows, columns, axes) `apart`: how far the words of each PE lie from those of the first.

    Of a window's axes P and Q stand for the side, R and S for nothing.
    """
    for row in range(places.shape[0]):
        for column in range(places.shape[1]):
            place, there = places[row, column], apart[row, column]
            for axis in range(len(shape)):
                there[axis] = place[axis] if relevant[axis, INPUT] else 0
            for side in range(2):
                there[window[side]] = there[window[side + 2]] = 0
            for part in range(4):
                axis = window[part]
                run = _own(shape, unroll, axis) if machine[BLOCKED + part] != 0 else 1
                there[window[part % 2]] += place[axis] * run * strides[part]


@borrowing_kernel
def _works(place: Ints, shape: Ints) -> bool:
    works = True
    for axis in range(len(shape)):
        works = works and place[axis] < shape[axis]
    return works


@borrowing_kernel
def _same(here: Ints, there: Ints) -> bool:
    same = True
    for axis in range(len(here)):
        same = same and here[axis] == there[axis]
    return same


@borrowing_kernel
def _group(shape: Ints, links: Links) -> None:
    """Fill `first` of links for a pass of this shape: -1 of PEs without work."""
    if _same(shape, links.grouped):
        return
    columns = links.places.shape[1]
    for pe in range(len(links.first)):
        row, column = pe // columns, pe % columns
        links.first[pe] = pe if _works(links.places[row, column], shape) else -1
        for other in range(pe if links.first[pe] >= 0 else 0):
            same = _same(links.apart[0, row, column], links.apart[0, other // columns, other % columns])
            if links.first[other] >= 0 and same:
                links.first[pe] = other
                break
    for axis in range(len(shape)):
        links.grouped[axis] = shape[axis]


@borrowing_kernel
def _apart_by(here: Ints, there: Ints, shift: Ints) -> bool:
    so_far = True
    for axis in range(len(here)):
        so_far = so_far and there[axis] - here[axis] == shift[axis]
    return so_far


@borrowing_kernel
def _neighbour_had(row: int, column: int, then: Ints, places: Ints, apart: Ints, shift: Ints) -> bool:
    """Whether the words of a PE were those of one beside it in the pass before, of shape `then`."""
    for side in range(4):
        r = row + (1 if side == 0 else -1 if side == 1 else 0)
        c = column + (1 if side == 2 else -1 if side == 3 else 0)
        if r < 0 or r >= places.shape[0] or c < 0 or c >= places.shape[1] or not _works(places[r, c], then):
            continue
        if _apart_by(apart[0, row, column], apart[1, r, c], shift):
            return True
    return False


@borrowing_kernel
def words_off_links(
    words: int, shape: Ints, before: Ints, unroll: Ints, relevant: Bools, window: Ints, strides: Ints, machine: Ints,
    links: Links,
) -> int:  # fmt: skip
    """Of the input words of a pass, those that no PE beside took in the pass before: all others come over links.

    Where each PE of either pass has as many words as any other. `taken` of the links as from `note_taken`.
    """
    places, steps, taken, _, _, apart, shift, fetched = links
    if words == 0 or before[SHAPE, 0] == 0 or taken[1, 0] == NOTHING or before[SLID_FROM, 0] == NOTHING:
        return words
    then = before[SHAPE]
    for axis in range(len(shape)):
        if relevant[axis, INPUT]:
            own = _own(shape, unroll, axis)
            windowed = axis == window[0] or axis == window[1] or axis == window[2] or axis == window[3]
            own_then = _own(then, unroll, axis)
            uneven = own > 1 and shape[axis] % unroll[axis] != 0
            uneven = uneven or (own_then > 1 and then[axis] % unroll[axis] != 0)
            if uneven or (own != own_then and not windowed):
                return words
        shift[axis] = taken[0, axis] if relevant[axis, INPUT] else 0
    for number in range(2):
        o, t = window[number], window[number + 2]
        now = _side(number, shape, taken[0], taken[1], unroll, window, strides)
        earlier = _side(number, then, before[SLID_BY], before[SLID_FROM], unroll, window, strides)
        same, further = _goes_on(now, earlier, strides[number] * steps[o], strides[number + 2] * steps[t])
        if not same:
            return words
        shift[o] = taken[0, o] * strides[number] + taken[0, t] * strides[number + 2] + further
        shift[t] = 0
    _spread_out(shape, unroll, relevant, window, strides, machine, places, apart[0])
    _spread_out(then, unroll, relevant, window, strides, machine, places, apart[1])
    _group(shape, links)
    different = off_links = 0
    fetched[:] = False
    for pe in range(len(fetched)):
        row, column = pe // places.shape[1], pe % places.shape[1]
        if links.first[pe] < 0:
            continue
        different += links.first[pe] == pe
        if not fetched[links.first[pe]] and not _neighbour_had(row, column, then, places, apart, shift):
            fetched[links.first[pe]] = True
            off_links += 1
    return words // different * off_links
