"""Is anything lost by leaving orders out, and is nothing tried twice?"""

from __future__ import annotations

import math
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import accel
from accel.closed_form import Costs, costs
from accel.fit import buffer_bits
from accel.kernels.estimate_layout import COMPUTE, MAC, OUTPUT_BITS, READ_INPUT
from accel.objective import OBJECTIVES
from accel.residency import NOWHERE
from accel.task import array_shape, fits_buffers, map_space
from mappings import ArrayShape, Loop, Mapping, MapSpace, schedule
from mappings.column import MappingColumn, Shape
from mappings.exhaustive import exhaustive, whole_space
from mappings.footprint import Footprints, anything_fits
from mappings.holding import held
from mappings.moves import evened, step
from tests.strategies import accelerators, layers
from workloads import Layer
from workloads.layer import DIMS, Operand

INPUTS_AND_WEIGHTS = (Operand.INPUT, Operand.WEIGHT)
CLASS = dict(zip("GNPQKCRS", "GPPPKCCC", strict=True))
"""Dimensions that change the same operands: groups, pixels, filters, volume."""


def small_chip(**changes: object) -> accel.Accelerator:
    values = {"pe_array.rows": 2, "pe_array.columns": 2, "data_buffer.kib": 0.02, "weight_buffer.kib": 0.02}
    return accel.load("eyeriss_v1").with_values(values | changes)


def together(loops: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Loops (axis, factor) with each class where its innermost loop was, groups outermost."""
    innermost = {CLASS[axis]: place for place, (axis, _) in enumerate(loops)}
    innermost |= {CLASS[axis]: place for place, (axis, factor) in enumerate(loops) if factor > 1}
    order = sorted(range(len(loops)), key=lambda place: (loops[place][0] != "G", innermost[CLASS[loops[place][0]]]))
    return [loops[place] for place in order]


def column_of(shape: Shape, factors: list[int]) -> MappingColumn:
    return MappingColumn(shape, np.array([factors], dtype=np.int64))


@settings(max_examples=60)
@given(st.data())
def test_an_order_left_out_is_never_better_than_the_one_that_stands_for_it(data):
    """Any order of up to eight dimensions off chip, twice where outputs are held, and on chip; any hold of outputs.

    What holds is that no order left out moves a bit less of any operand across the pins, reads or writes a word less at
    a port, or computes for a cycle less. Latency is not among them: what a transfer hides behind depends on which tile
    it runs beside. Nor does it hold where windows and taps of a side are both cut, or where a loop turns once in the
    last, smaller part of a dimension.
    """
    layer, seed = data.draw(layers(most_macs=300)), data.draw(st.integers(0, 999))
    spec = data.draw(accelerators())
    random = np.random.default_rng(seed)
    dims = [dim for dim in DIMS if getattr(layer, dim) > 1]
    off = [dims[index] for index in random.permutation(len(dims))]
    inner = [dims[index] for index in random.permutation(len(dims))]
    on = tuple(dims[index] for index in random.permutation(len(dims)))
    registers = tuple(dims[index] for index in random.permutation(len(dims)))
    mixed = off + [dim for dim in inner if dim != "G"]
    hold = int(random.integers(len(mixed) + 1))
    shape = Shape("any", tuple(mixed), on, registers, ("K",), ("C",), (), (None, None, hold))
    space = MapSpace(layer, ArrayShape(spec.pe_array.rows, spec.pe_array.columns))
    drawn = space.sample(shape, 16, random, 1)
    if not len(drawn):
        return
    split = len(mixed)
    cut = {
        dim: (drawn.factors[:, [place for place, axis in enumerate(mixed) if axis == dim]] > 1).any(axis=1)
        for dim in DIMS
    }
    coincide = (cut["P"] & cut["R"]) | (cut["Q"] & cut["S"])
    loops_of = {
        dim: [place for place, axis in enumerate((*mixed, *on, *registers, "K", "C")) if axis == dim] for dim in dims
    }
    lone = [
        any(turns_once(getattr(layer, dim), [row[place] for place in places]) for dim, places in loops_of.items())
        for row in drawn.factors.tolist()
    ]
    drawn = drawn.take(~(coincide | np.array(lone)))
    reduced = []
    for factors in drawn.factors.tolist():
        outer = [*zip(mixed[:hold], factors[:hold], strict=True)]
        inside = [*zip(mixed[hold:], factors[hold:split], strict=True)]
        groups = [loop for loop in inside if loop[0] == "G"]
        first, second = together(groups + outer), together([loop for loop in inside if loop[0] != "G"])
        passes = together([*zip(on, factors[split : split + len(on)], strict=True)])
        loops = [*first, *second, *passes]
        other = Shape(
            "any", tuple(axis for axis, _ in first + second), tuple(axis for axis, _ in passes), registers,
            ("K",), ("C",), (), (None, None, len(first)),
        )  # fmt: skip
        reduced.append(column_of(other, [*(factor for _, factor in loops), *factors[split + len(on) :]]))
    before = moved(costs(layer, drawn, spec))
    for row, column in enumerate(reduced):
        column[0].check(layer)
        after = moved(costs(layer, column, spec))
        assert (after[0] <= before[row]).all(), (after[0] / before[row], drawn[row], column[0])


def turns_once(size: int, factors: list[int]) -> bool:
    """Whether a loop, of those that cut a dimension, turns only once in a last, smaller part."""
    parts, chunk = {size}, math.prod(factors)
    for factor in factors:
        chunk //= factor
        if factor > 1 and min(parts) <= chunk:
            return True
        parts = {extent for part in parts for extent in (min(part, chunk), (part - 1) % chunk + 1)}
    return False


def moved(found: Costs) -> NDArray[np.float64]:
    """(mappings, counts): what a mapping moves and computes, or infinity where its tiles do not fit."""
    counts = found.columns[:, [*range(COMPUTE, MAC + 1), *range(READ_INPUT, OUTPUT_BITS + 1)]]
    values: NDArray[np.float64] = np.where(found.fits[:, None], counts, np.inf)
    return values


def every_order(dims: str) -> list[Shape]:
    """All orders of all levels, with every hold of every operand."""
    orders, depths = list(permutations(dims)), range(len(dims) + 1)
    return [
        Shape("every", off, on, registers, tuple(dims), tuple(dims), tuple(dims), hold)
        for off, on, registers in product(orders, repeat=3)
        for hold in product(depths, repeat=3)
    ]


@pytest.mark.parametrize(
    ("layer", "dims", "chip"),
    [
        (Layer("ragged", K=3, C=2, P=2), "KCP", "multicast"),
        (Layer("halo", P=3, R=2), "PR", "multicast"),
        (Layer("halo", P=3, R=2), "PR", "systolic"),
        (Layer("batch", N=2, S=2), "NS", "multicast"),
        (Layer("reduced", K=3, C=4), "KC", "systolic"),
    ],
)
def test_the_best_of_all_orders_and_factors_is_in_the_reduced_space(layer: Layer, dims: str, chip: str) -> None:
    spec = (
        small_chip()
        if chip == "multicast"
        else accel.load("systolic_32x32").with_values(
            {"pe_array.rows": 2, "pe_array.columns": 2, "data_buffer.kib": 0.01, "weight_buffer.kib": 0.01}
        )
    )
    space = MapSpace(layer, array_shape(spec))
    random, shapes = np.random.default_rng(0), every_order(dims)
    some = [shapes[place] for place in random.permutation(len(shapes))[:500]]
    least = []
    for kept, moved in (
        (some, ()),
        ([shape for shape in space.shapes() if "NPQ" not in shape.off_chip], INPUTS_AND_WEIGHTS),
    ):
        best = np.full(len(OBJECTIVES), np.inf)
        for shape in kept:
            column = exhaustive(space, shape)
            assert column is not None
            for one in (column, *held(column, moved)):
                found = costs(layer, one, spec, threads=1)
                best = np.minimum(best, [found.objective(objective).min() for objective in OBJECTIVES])
        least.append(best)
    assert np.isfinite(least[0]).all()
    assert (least[1] <= least[0] * (1 + 1e-12)).all(), dict(zip(OBJECTIVES, least[1] / least[0], strict=True))


def nest(layer: Layer, mapping: Mapping) -> object:
    """All that the machine sees of a mapping: what every step moves and where it is, and the loops inside a step."""
    steps = schedule(layer, mapping)
    columns = (steps.load_words, steps.store_words, steps.held_words, steps.stays, steps.extents)
    order = np.argsort(steps.axes)
    inside = tuple(tuple((loop.axis, loop.factor) for loop in level) for level in (mapping.on_chip, mapping.registers))
    unrolled = frozenset((axis, mapping.unrolled(axis)) for axis in mapping.axes() if mapping.unrolled(axis) > 1)
    lanes = frozenset((loop.axis, loop.factor) for loop in mapping.lanes)
    return steps.starts[:, order].tobytes(), *(part.tobytes() for part in columns), inside, unrolled, lanes


@pytest.mark.parametrize("layer", [Layer("product", K=2, C=3), Layer("pixels", P=3, Q=2), Layer("groups", G=2, K=4)])
def test_no_two_mappings_of_a_small_space_do_the_same(layer: Layer) -> None:
    columns = whole_space(MapSpace(layer, ArrayShape(2, 2, 2)), 2_000_000)
    assert columns is not None
    found = [nest(layer, column[row]) for column in columns for row in range(len(column))]
    assert len(set(found)) == len(found) > 100


@settings(max_examples=30)
@given(layers(), st.integers(0, 99), st.data())
def test_what_is_drawn_or_stepped_to_or_near_is_legal_and_within_the_array(layer, seed, data):
    array = ArrayShape(4, 3, 2, 3, 3, 3)
    space = MapSpace(layer, array)
    random = np.random.default_rng(seed)
    shape = space.shape(random)
    assert shape is not None
    drawn = space.sample(shape, 32, random)
    other = space.reorder(drawn, random)
    named = space.candidates[data.draw(st.integers(0, len(space.candidates) - 1))]
    some = named.take(random.integers(0, len(named), 8))
    near = [near for start in (some, drawn) if len(start) for near in around(space, start.take(np.array([0])), random)]
    stepped = step(drawn, layer, array, random)
    by_tiles = space.tilings(shape, 32, random)
    for column in (drawn, by_tiles, other, stepped, space.mutate(space.reorder(some, random), random), *near):
        for row in range(min(len(column), 64)):
            mapping = column[row]
            mapping.check(layer)
            for level, limit in (("rows", 4), ("columns", 3), ("lanes", 2)):
                assert np.prod([loop.factor for loop in getattr(mapping, level)], initial=1) <= limit


def test_tiles_of_any_extents_are_drawn() -> None:
    """Every pair of extents that equal parts of two axes have, as tiles of passes that fill the array."""
    layer = Layer("two", K=12, C=10)
    shape = Shape("two", off_chip=("K", "C"), on_chip=("K", "C"), registers=(), rows=("K",), columns=("C",), lanes=())
    drawn = MapSpace(layer, ArrayShape(4, 3)).tilings(shape, 4096, np.random.default_rng(0))
    tiles = {
        (mapping.tile_extent("K"), mapping.tile_extent("C")) for mapping in map(drawn.__getitem__, range(len(drawn)))
    }
    assert {(min(K, 12), min(C, 10)) for K, C in tiles} >= set(product((1, 2, 3, 4, 6, 12), (1, 2, 5, 10)))


def test_two_axes_are_cut_into_other_tiles_at_once() -> None:
    """What no single loop reaches: 128 filters and 32 channels where 129 and 26 left no room for more."""
    layer = Layer("needle", K=512, C=128, P=28, Q=28)
    shape = Shape("rows", ("P", "K", "C"), (), ("Q", "C", "K"), ("P",), ("K",), ())
    start = column_of(shape, [5, 4, 5, 28, 26, 3, 6, 43])
    found = MapSpace(layer, ArrayShape(12, 45)).retiled(start, 512, np.random.default_rng(0))
    tiles = [
        tuple(mapping.tile_extent(axis) for axis in "PKC") for mapping in map(found.__getitem__, range(len(found)))
    ]
    assert (6, 128, 32) in tiles
    assert len(set(map(tuple, found.factors.tolist()))) == len(found)


@settings(max_examples=30)
@given(layers(), st.integers(0, 99))
def test_even_tiles_are_as_many_and_no_larger(layer, seed):
    space = MapSpace(layer, ArrayShape(4, 3, 2, 3, 3, 3))
    random = np.random.default_rng(seed)
    shape = space.shape(random)
    assert shape is not None
    drawn = space.sample(shape, 8, random)
    for row in range(len(drawn)):
        before, after = drawn[row], evened(drawn[row], layer)
        after.check(layer)
        assert all(after.unrolled(axis) <= before.unrolled(axis) for axis in before.axes())
        uneven, even = schedule(layer, before), schedule(layer, after)
        assert even.steps <= uneven.steps
        largest, least = (dict(zip(one.axes, one.extents.max(axis=0), strict=True)) for one in (uneven, even))
        assert all(least.get(axis, 1) <= extent for axis, extent in largest.items())


def test_room_is_exchanged_between_axes_that_several_loops_cut() -> None:
    layer = Layer("fc", K=1000, C=2048)
    shape = Shape("any", ("K", "C"), (), ("C", "K"), ("C", "K"), ("K",))
    start = MappingColumn(shape, np.array([[12, 43, 24, 1, 2, 6, 14]]))
    found = MapSpace(layer, ArrayShape(12, 14)).exchanges(start)
    tiles = {
        tuple(row) for row in np.c_[found.factors[:, [2, 4]].prod(axis=1), found.factors[:, [3, 5, 6]].prod(axis=1)]
    }
    # A tile of 84 x 48 becomes one of 8 x 512, although no single loop of K can be made so small.
    assert (512, 8) in tiles
    assert all(filters * channels <= 84 * 48 * 1.5 for channels, filters in tiles if channels > 48 and filters < 84)


def around(space: MapSpace, start: MappingColumn, random: np.random.Generator) -> list[MappingColumn]:
    """What lies around a single mapping, shuffled."""
    columns = [space.neighbours(start), space.exchanges(start), *space.respread(start, 64, random)]
    columns.append(space.retiled(start, 64, random))
    return [column.take(random.permutation(len(column))) for column in columns]


def test_of_tiles_that_run_across_rows_the_first_counts() -> None:
    """Three of 4 x 2 pixels at a time, of which padding leaves none, then one row of input: never two rows."""
    layer = Layer("across", P=4, Q=2, stride=(2, 1), padding=(3, 0, 0, 0))
    mapping = Mapping("across", off_chip=(Loop("PQ", 3),), registers=(Loop("PQ", 3),))
    held = schedule(layer, mapping).held_words[0]
    assert Footprints(layer).of(MappingColumn.of([mapping])).words[0, 0] <= held == 2


@settings(max_examples=30)
@given(layers(), st.integers(0, 99))
def test_footprints_are_those_of_the_schedule_and_fits_refuses_nothing_that_fits(layer, seed):
    spec = small_chip(**{"data_buffer.kib": 0.05, "weight_buffer.kib": 0.05})
    space = map_space(layer, spec, "any")
    random = np.random.default_rng(seed)
    shape = space.shape(random)
    assert shape is not None
    column = space.sample(shape, 12, random, 1)
    if not len(column):
        return
    footprint = Footprints(layer).of(column)
    fits = fits_buffers(layer, spec, NOWHERE)(footprint)
    flat = any(len(axis) > 1 for axis in shape.off_chip)
    assert anything_fits(footprint).all()
    for row in range(len(column)):
        steps = schedule(layer, column[row])
        assert (footprint.words[row] <= steps.held_words).all()
        assert flat or (footprint.words[row] == steps.held_words).all(), (column[row], footprint.words[row])
        have = (spec.data_buffer.kib, spec.weight_buffer.kib)
        exactly = all(bits <= kib * 8192 for bits, kib in zip(buffer_bits(steps, spec, NOWHERE), have, strict=False))
        assert fits[row] or not exactly
