"""Does the schedule move and compute what the loops say? Against sets of coordinates, for any mapping."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import Loop, Mapping, schedule
from tests.mappings.naive_schedule import addresses, covering_box, macs, moves, steps
from tests.strategies import layers, layers_and_mappings
from workloads import InputError, Layer, Operand

Case = tuple[Layer, Mapping]


@st.composite
def strips(draw: st.DrawFn) -> Case:
    """Tiles of whole rows, or of whole columns, one after the other; with dilation they may skip a tile."""
    layer = replace(draw(layers(most_macs=4000)), dilation=(1, 1), padding=(0, 0, 0, 0))
    dim = draw(st.sampled_from("PQ"))
    size = draw(st.integers(1, getattr(layer, dim)))
    inside = tuple(Loop(other, getattr(layer, other)) for other in "GNKCPQRS" if other != dim)
    return layer, Mapping(
        "strips", off_chip=(Loop(dim, -(-getattr(layer, dim) // size)),), on_chip=inside, registers=(Loop(dim, size),)
    )


def runs_and_span(found: list[int]) -> tuple[int, int]:
    """Stretches of consecutive addresses, and words from the first to the last."""
    return 1 + int((np.diff(found) > 1).sum()), found[-1] - found[0] + 1


def has_gaps(words: frozenset[tuple[int, ...]]) -> bool:
    """Whether the rows or the columns of an input tile are not consecutive."""
    return any(
        max(side) - min(side) + 1 > len(side) for side in ({word[3] for word in words}, {word[4] for word in words})
    )


@given(layers_and_mappings())
def test_every_mac_is_done_exactly_once(case: Case) -> None:
    layer, mapping = case
    found = Counter(macs(layer, steps(layer, mapping)))
    assert len(found) == layer.macs
    assert set(found.values()) == {1}
    assert int(schedule(layer, mapping).extents.prod(axis=1).sum()) == layer.macs


@given(layers_and_mappings())
def test_tiles_lie_where_the_loops_put_them(case: Case) -> None:
    layer, mapping = case
    tiles, walked = schedule(layer, mapping), steps(layer, mapping)
    assert tiles.steps == len(walked)
    for step, starts, extents in zip(walked, tiles.starts, tiles.extents, strict=True):
        for axis, start, extent in zip(tiles.axes, starts, extents, strict=True):
            assert step.indices[axis] == frozenset(range(start, start + extent))


@given(layers_and_mappings())
def test_words_moved_are_those_of_tiles_that_are_not_there(case: Case) -> None:
    layer, mapping = case
    tiles, naive = schedule(layer, mapping), moves(layer, mapping)
    for operand in Operand:
        assert tiles.load_words[:, operand].tolist() == [len(words) for words in naive.loads[operand]]
        assert tiles.stays[:, operand].tolist() == naive.stays[operand]
        assert tiles.held_words[operand] == naive.held[operand]
    assert tiles.store_words.tolist() == [len(words) for words in naive.stores]
    assert tiles.store_final.tolist() == naive.final
    assert tiles.accumulates.tolist() == naive.accumulates


@given(layers_and_mappings())
def test_each_output_is_finished_exactly_once_and_partial_sums_come_back_as_they_left(case: Case) -> None:
    layer, mapping = case
    tiles, naive = schedule(layer, mapping), moves(layer, mapping)
    finished = Counter(word for words, final in zip(naive.stores, naive.final, strict=True) if final for word in words)
    assert len(finished) == layer.words(Operand.OUTPUT)
    assert set(finished.values()) == {1}
    assert int(tiles.store_words[tiles.store_final].sum()) == layer.words(Operand.OUTPUT)
    partial = int(tiles.store_words[~tiles.store_final].sum())
    assert int(tiles.load_words[:, Operand.OUTPUT].sum()) == partial


@given(layers_and_mappings())
def test_each_tensor_is_fetched_whole(case: Case) -> None:
    layer, mapping = case
    naive = moves(layer, mapping)
    assert len(frozenset().union(*naive.loads[Operand.WEIGHT])) == layer.words(Operand.WEIGHT)
    used = frozenset().union(*(step.words[Operand.INPUT] for step in steps(layer, mapping)))
    assert frozenset().union(*naive.loads[Operand.INPUT]) == used


@given(layers_and_mappings())
def test_steps_on_the_same_tile_have_the_same_number(case: Case) -> None:
    layer, mapping = case
    tiles, walked = schedule(layer, mapping), steps(layer, mapping)
    for operand in Operand:
        names: dict[object, set[int]] = {}
        for step, number in zip(walked, tiles.tiles[:, operand].tolist(), strict=True):
            names.setdefault(step.tile(operand), set()).add(number)
        assert all(len(numbers) == 1 for numbers in names.values())
        assert len({number for numbers in names.values() for number in numbers}) == len(names)


@given(layers_and_mappings())
def test_runs_and_spans_are_stretches_of_addresses(case: Case) -> None:
    layer, mapping = case
    tiles, naive = schedule(layer, mapping), moves(layer, mapping)
    for operand in Operand:
        for row, words in enumerate(naive.loads[operand]):
            check_stretches(layer, operand, words, tiles.load_runs[row, operand], tiles.load_spans[row, operand])
    for row, words in enumerate(naive.stores):
        check_stretches(layer, Operand.OUTPUT, words, tiles.store_runs[row], tiles.store_spans[row])


@given(layers_and_mappings(flat=False) | layers_and_mappings(), st.booleans())
def test_halos_that_stay_are_not_fetched_again(case: Case, steady: bool) -> None:
    layer, mapping = case
    plain, how = schedule(layer, mapping), {"halo_reuse": True, "steady_windows": steady}
    tiles = schedule(layer, mapping, **how)
    found = moves(layer, mapping, **how).loads[Operand.INPUT]
    assert tiles.load_words[:, Operand.INPUT].tolist() == [len(words) for words in found]
    for row, words in enumerate(found):
        at = tiles.load_runs[row, Operand.INPUT], tiles.load_spans[row, Operand.INPUT]
        check_stretches(layer, Operand.INPUT, words, *at)
        assert words or at == (0, 0)
    assert np.array_equal(tiles.load_words[:, 1:], plain.load_words[:, 1:])
    assert np.array_equal(tiles.held_words, plain.held_words)


@given(strips())
def test_strips_of_a_map_fetch_each_row_once_where_halos_stay(case: Case) -> None:
    layer, mapping = case
    loads = schedule(layer, mapping, halo_reuse=True).load_words[:, Operand.INPUT]
    assert int(loads.sum()) == len(frozenset().union(*moves(layer, mapping).loads[Operand.INPUT]))


def check_stretches(layer: Layer, operand: Operand, words: frozenset[tuple[int, ...]], runs: int, span: int) -> None:
    if not words or (operand is Operand.INPUT and has_gaps(words)):
        return
    assert (runs, span) == runs_and_span(addresses(layer, operand, covering_box(operand, words)))


def test_a_convolution_by_hand() -> None:
    """Two strips of output rows, two halves of the channels, all weights kept on chip."""
    layer = Layer("hand", K=3, C=4, P=4, Q=5, R=3, S=3, padding=(1, 1, 1, 1))
    mapping = Mapping(
        "strips", off_chip=(Loop("P", 2), Loop("C", 2)), on_chip=(Loop("C", 2), Loop("P", 2)),
        registers=(Loop("K", 3), Loop("Q", 5), Loop("R", 3), Loop("S", 3)), hold=(None, 0, None),
    )  # fmt: skip
    tiles = schedule(layer, mapping)
    assert tiles.steps == 4
    # Two output rows need three input rows of five words: one of the four lies in the padding.
    assert tiles.load_words[:, Operand.INPUT].tolist() == [30, 30, 30, 30]
    assert tiles.load_runs[:, Operand.INPUT].tolist() == [2, 2, 2, 2]
    # Weights of two channels, for each filter a stretch of 18, from the first to the last 2 x 36 + 18 words.
    assert tiles.load_words[:, Operand.WEIGHT].tolist() == [54, 54, 0, 0]
    assert tiles.load_runs[:, Operand.WEIGHT].tolist() == [3, 3, 0, 0]
    assert tiles.load_spans[:, Operand.WEIGHT].tolist() == [90, 90, 0, 0]
    # Outputs stay for both halves of the channels and leave finished: two rows of five in each of three planes.
    assert tiles.load_words[:, Operand.OUTPUT].tolist() == [0, 0, 0, 0]
    assert tiles.store_words.tolist() == [0, 30, 0, 30]
    assert tiles.store_runs.tolist() == [0, 3, 0, 3]
    assert tiles.store_final.tolist() == [False, True, False, True]
    assert tiles.accumulates.tolist() == [False, True, False, True]
    assert tiles.held_words.tolist() == [30, 108, 30]


def test_channels_outside_send_partial_sums_out_and_back() -> None:
    layer = Layer("psums", K=2, C=3, P=4)
    mapping = Mapping(
        "outside", off_chip=(Loop("C", 3), Loop("P", 2)), on_chip=(Loop("P", 2),), registers=(Loop("K", 2),)
    )
    tiles = schedule(layer, mapping)
    assert tiles.load_words[:, Operand.OUTPUT].tolist() == [0, 0, 4, 4, 4, 4]
    assert tiles.store_words.tolist() == [4] * 6
    assert tiles.store_final.tolist() == [False] * 4 + [True] * 2


def test_a_mapping_that_does_not_cover_names_the_dimension() -> None:
    layer = Layer("wide", K=9)
    with pytest.raises(InputError, match=r"mapping short: K of layer wide has extent 9, and the factors cover only 8"):
        schedule(layer, Mapping("short", off_chip=(Loop("K", 2),), rows=(Loop("K", 4),)))


def test_a_loop_without_work_names_level_and_limit() -> None:
    layer = Layer("wide", K=9)
    with pytest.raises(InputError, match=r"on_chip K = 5 leaves iterations without work .* use at most 3"):
        schedule(layer, Mapping("long", on_chip=(Loop("K", 5),), rows=(Loop("K", 4),)))


def test_too_many_steps_are_refused() -> None:
    layer = Layer("huge", P=3000, Q=3000)
    with pytest.raises(InputError, match="9000000 tile steps"):
        schedule(layer, Mapping("words", off_chip=(Loop("P", 3000), Loop("Q", 3000))))
