"""Is every candidate of every dataflow a legal mapping of the layer that stays within the array?"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import Mapping, axis_extent
from mappings.dataflows import DATAFLOWS, ArrayShape, candidates
from mappings.dataflows.planar_tiled import reached
from tests.strategies import layers
from workloads import InputError, Layer

MOST_CHECKED = 6
"""Candidates looked at of each column, evenly spread: some columns hold thousands."""

arrays = st.builds(
    ArrayShape,
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    lanes=st.integers(1, 3),
    input_registers=st.sampled_from([0, 1, 2, 12]),
    weight_registers=st.sampled_from([0, 1, 3, 40]),
    output_registers=st.sampled_from([0, 1, 4, 24]),
)


def some(name: str, layer: Layer, array: ArrayShape) -> list[Mapping]:
    """Candidates of a dataflow, from the first to the last of each column."""
    found = []
    for column in candidates(name, layer, array):
        step = max(1, len(column) // MOST_CHECKED)
        found += [column[row] for row in (*range(0, len(column), step), len(column) - 1)]
    return found


@pytest.mark.parametrize("name", DATAFLOWS)
@given(layer=layers(), array=arrays)
def test_candidates_cover_the_layer_within_the_array(name: str, layer: Layer, array: ArrayShape) -> None:
    found = some(name, layer, array)
    assert found, "every layer has a mapping in every dataflow"
    for mapping in found:
        mapping.check(layer)
        assert prod(loop.factor for loop in mapping.rows) <= array.rows
        assert prod(loop.factor for loop in mapping.columns) <= array.columns
        assert prod(loop.factor for loop in mapping.lanes) <= array.lanes
        assert mapping.name == name


@given(layer=layers(), array=arrays)
def test_row_stationary_keeps_within_the_registers(layer: Layer, array: ArrayShape) -> None:
    """A PE's filter rows, and the partial sums of its filters, fit where there are registers at all.

    Weights that meet a single input may stream.
    """
    for mapping in some("row_stationary", layer, array):
        inner = {loop.axis: loop.factor for loop in mapping.registers}
        weights = inner.get("C", 1) * inner.get("S", 1) * inner.get("K", 1)
        assert weights <= max(1, array.weight_registers) or layer.N == layer.P == layer.Q == 1
        assert inner.get("K", 1) <= max(1, array.output_registers)


@given(layer=layers(), tile=st.integers(1, 9), first=st.integers(0, 20))
def test_planar_tiles_reach_no_more_outputs_than_counted(layer: Layer, tile: int, first: int) -> None:
    """Inputs beneath a run of output rows, wherever it lies, through every tap: the rows they add to."""
    first = min(first, layer.P - 1)
    tile = min(tile, layer.P - first)
    beneath = [h for h in range(layer.H) if first <= h * layer.P // layer.H < first + tile]
    rows = {
        (h + layer.padding[0] - r * layer.dilation[0]) // layer.stride[0]
        for h in beneath
        for r in range(layer.R)
        if (h + layer.padding[0] - r * layer.dilation[0]) % layer.stride[0] == 0
    }
    assert len(rows & set(range(layer.P))) <= reached(layer, 0, np.array([tile]))[0]


def test_planar_tiles_with_their_borders_fill_the_accumulators() -> None:
    """Tiles of 2 x 2 under 3 x 3 filters reach 4 x 4 outputs: 64 filters in 1024 accumulators, over 16 lanes."""
    layer = Layer("tiles", K=384, C=8, P=14, Q=14, R=3, S=3, padding=(1, 1, 1, 1))
    mapping = candidates("planar_tiled", layer, ArrayShape(8, 8, 16, output_registers=64))[0][0]
    assert (mapping.pass_extent("K"), mapping.pass_extent("P"), mapping.pass_extent("Q")) == (64, 16, 16)
    assert prod(loop.factor for loop in mapping.lanes) == 16


def test_pes_that_a_plane_leaves_over_take_filters() -> None:
    mapping = candidates("planar_tiled", Layer("fc", K=4096, C=64), ArrayShape(8, 8, 16, output_registers=64))[0][0]
    assert prod(loop.factor for loop in (*mapping.rows, *mapping.columns) if loop.axis == "K") == 64


@pytest.mark.parametrize(
    ("name", "rows", "columns", "stream"),
    [
        ("weight_stationary", "CRS", "K", "NPQ"),
        ("output_stationary", "NPQ", "K", "CRS"),
        ("input_stationary", "CRS", "NPQ", "K"),
    ],
)
def test_stationary_dataflows_lay_the_matrix_product_as_named(name: str, rows: str, columns: str, stream: str) -> None:
    layer = Layer("conv", N=2, K=40, C=5, P=6, Q=7, R=3, S=3)
    mapping = candidates(name, layer, ArrayShape(8, 16))[0][0]
    assert [(loop.axis, loop.factor) for loop in mapping.rows] == [(rows, 8)]
    assert [(loop.axis, loop.factor) for loop in mapping.columns] == [(columns, 16)]
    # The first candidate streams everything in one go; folds over the array are passes.
    assert [(loop.axis, loop.factor) for loop in mapping.registers] == [(stream, axis_extent(layer, stream))]
    folds = {loop.axis: loop.factor for loop in mapping.on_chip}
    assert folds.get(rows, 1) == -(-axis_extent(layer, rows) // 8)
    assert folds.get(columns, 1) == -(-axis_extent(layer, columns) // 16)


@pytest.mark.parametrize("name", sorted(DATAFLOWS))
@given(layer=layers(), array=arrays, rows=st.integers(0, 6), columns=st.integers(0, 6))
def test_a_larger_array_has_all_shapes_of_a_smaller_one(
    name: str, layer: Layer, array: ArrayShape, rows: int, columns: int
) -> None:
    """A search changes factors and stays within the shapes: what runs on fewer PEs must not be out of its reach."""
    larger = replace(array, rows=array.rows + rows, columns=array.columns + columns)
    few, many = ({column.shape for column in candidates(name, layer, it)} for it in (array, larger))
    assert few <= many


def test_an_unknown_dataflow_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r'unknown dataflow "row": one of weight_stationary, .*row_stationary'):
        candidates("row", Layer("one"), ArrayShape(1, 1))
