"""Tiles by size, against a walk over all of them: which are full, which end one axis alone, and which follow which."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from accel.kernels.returns import Walk, new_walk
from accel.kernels.tile_sizes import END, FULL, REST, SIZES, first_end, tile_sizes
from accel.kernels.turns import new_turns, take_turns

Ints = NDArray[np.int64]
Nest = tuple[Ints, Ints, list[tuple[int, int]]]
"""(axes,) extents, (axes,) of a tile, and the (axis, iterations) of each off-chip loop."""


@st.composite
def nests(draw: st.DrawFn, loops_an_axis: int) -> Nest:
    axes = draw(st.integers(1, 4))
    extents = [draw(st.integers(1, 20)) for _ in range(axes)]
    tile, loops = [], []
    for axis, extent in enumerate(extents):
        size = draw(st.integers(1, extent))
        tile.append(size)
        for _ in range(loops_an_axis - 1):
            times = draw(st.integers(1, -(-extent // size)))
            loops.append((axis, times))
            size *= times
        loops.append((axis, -(-extent // size)))
    loops = draw(st.permutations(loops))
    return np.array(extents), np.array(tile), [(axis, times) for axis, times in loops if times > 1]


def tiles_in_order(nest: Nest) -> list[tuple[int, ...]]:
    """Extents of each tile that has work."""
    extents, tile, loops = nest
    found = []
    for index in product(*(range(times) for _, times in loops)):
        start, block = [0] * len(extents), list(tile)
        for (axis, times), at in reversed(list(zip(loops, index, strict=True))):
            start[axis] += at * block[axis]
            block[axis] *= times
        if all(first < extent for first, extent in zip(start, extents, strict=True)):
            found.append(tuple(np.minimum(tile, extents - start).tolist()))
    return found


def walk_of(nest: Nest) -> Walk:
    extents, _, loops = nest
    walk = new_walk(len(loops), len(extents))
    for place, (axis, times) in enumerate(loops):
        walk.axis_of[place], walk.times[place] = axis, times
    return walk


def by_kernel(nest: Nest) -> tuple[int, Ints, NDArray[np.float64], NDArray[np.float64], int]:
    """(axis of the first end, steps by size and next size, tiles of each size, shares, size of the last tile)."""
    extents, tile, loops = nest
    walk, tiles, steps = walk_of(nest), -(-extents // tile), len(tiles_in_order(nest))
    loop = first_end(walk, len(loops), tile, tiles, extents)
    axis = loops[loop][0] if loop >= 0 else -1
    sizes, shares = np.zeros((SIZES, len(extents))), np.zeros(SIZES)
    last = tile_sizes(tile, tiles, extents, axis, steps, sizes, shares)
    turns = new_turns(len(loops))
    relevant, none = np.ones((len(extents), 3), dtype=np.bool_), np.zeros(3, dtype=np.int64)
    groups, _ = take_turns(walk, len(loops), loop, tile, tiles, extents, relevant, none, steps, none + steps, turns)
    return axis, turns.steps[:groups].sum(axis=0), sizes, shares, last


def size_of(each: tuple[int, ...], nest: Nest, axis: int) -> int:
    short = [place for place, (own, full) in enumerate(zip(each, nest[1], strict=True)) if own < full]
    return REST if short not in ([], [axis]) else END if short else FULL


@given(nests(loops_an_axis=1))
def test_steps_are_counted_by_the_sizes_of_their_tiles(nest: Nest) -> None:
    axis, steps, _, _, last = by_kernel(nest)
    order = [size_of(each, nest, axis) for each in tiles_in_order(nest)]
    expected = np.zeros((SIZES, SIZES), dtype=np.int64)
    for pair in pairwise(order):
        expected[pair] += 1
    assert steps.tolist() == expected.tolist()
    assert last == order[-1]


@given(nests(loops_an_axis=2))
def test_two_loops_of_an_axis_make_as_many_steps(nest: Nest) -> None:
    _, steps, _, _, _ = by_kernel(nest)
    assert steps.sum() == len(tiles_in_order(nest)) - 1
    assert steps.min() >= 0


@given(nests(loops_an_axis=2))
def test_tiles_of_all_sizes_are_the_whole_layer(nest: Nest) -> None:
    axis, _, sizes, shares, _ = by_kernel(nest)
    order = tiles_in_order(nest)
    kinds = [size_of(each, nest, axis) for each in order]
    for size in range(SIZES):
        those = [each for each, kind in zip(order, kinds, strict=True) if kind == size]
        assert np.isclose(shares[size] * len(order), len(those))
        if those:
            assert np.allclose(sizes[size], np.mean(those, axis=0))
