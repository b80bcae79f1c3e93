"""Do the buffers ever hold more tiles than they have room for, or hand out what has not arrived?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.fit import tiles_kept
from accel.program import INPUT, OUTPUT, PSUM, WEIGHT
from accel.simulation import LayerResult, simulate_layer
from accel.spec import Accelerator, load
from mappings import Loop, Mapping
from tests.strategies import accelerators, layers_and_mappings
from workloads import InputError, Layer, Operand


@st.composite
def played(draw: st.DrawFn) -> tuple[LayerResult, Accelerator]:
    """A layer played step by step."""
    layer, mapping = draw(layers_and_mappings())
    spec = draw(accelerators(mapping))
    return simulate_layer(layer, mapping, spec, every_step=True), spec


def ends_of_stays(stays: np.ndarray) -> np.ndarray:
    """Last step of each stay."""
    return np.flatnonzero(np.r_[stays[1:] != stays[:-1], True])


@given(played())
def test_a_tile_is_fetched_when_the_tile_in_its_place_is_done_with(case: tuple[LayerResult, Accelerator]) -> None:
    result, spec = case
    timeline, tiles = result.activity.timeline, result.schedule
    for operand, kind, buffer in (
        (Operand.INPUT, INPUT, spec.data_buffer),
        (Operand.WEIGHT, WEIGHT, spec.weight_buffer),
    ):
        kept = 2 if buffer.double_buffered else 1
        stays = tiles.stays[:, operand]
        ends = ends_of_stays(stays)
        for step in np.flatnonzero(timeline.begun[:, kind] >= 0):
            if stays[step] >= kept:
                assert timeline.begun[step, kind] >= timeline.finished[ends[stays[step] - kept]]


@given(played())
def test_outputs_are_written_where_earlier_ones_have_left(case: tuple[LayerResult, Accelerator]) -> None:
    result, spec = case
    timeline, tiles = result.activity.timeline, result.schedule
    kept = 2 if spec.data_buffer.double_buffered else 1
    stays = tiles.stays[:, Operand.OUTPUT]
    for step in range(tiles.steps):
        for earlier in np.flatnonzero(stays == stays[step] - kept):
            assert timeline.started[step] >= timeline.ready[earlier, OUTPUT]
            if timeline.begun[step, PSUM] >= 0:
                assert timeline.begun[step, PSUM] >= timeline.ready[earlier, OUTPUT]


@given(played())
def test_partial_sums_come_back_after_they_have_left(case: tuple[LayerResult, Accelerator]) -> None:
    result, _ = case
    timeline, tiles = result.activity.timeline, result.schedule
    left: dict[int, int] = {}
    for step, tile in enumerate(tiles.tiles[:, Operand.OUTPUT].tolist()):
        if timeline.begun[step, PSUM] >= 0:
            assert timeline.begun[step, PSUM] >= left[tile]
        if timeline.ready[step, OUTPUT] >= 0:
            left[tile] = timeline.ready[step, OUTPUT]


@given(played())
def test_what_fits_is_what_was_asked_for(case: tuple[LayerResult, Accelerator]) -> None:
    """With room for exactly the tiles kept at once it runs; with a bit less the message says how much it needs."""
    result, spec = case
    tiles = result.schedule
    kept = tiles_kept(tiles.mapping, tiles.layer, spec)
    need = int(tiles.held_words[Operand.WEIGHT]) * result.lowered.width.weight * kept[1]
    simulate_layer(tiles.layer, tiles.mapping, spec.with_values({"weight_buffer.kib": need / 8192}))
    small = spec.with_values({"weight_buffer.kib": (need - 1) / 8192})
    with pytest.raises(InputError, match=rf"weight_buffer.kib = .* too small for {need} bits of weights: needs "):
        simulate_layer(tiles.layer, tiles.mapping, small)


def test_a_mapping_wider_than_the_array_is_refused() -> None:
    spec = load("systolic_32x32")
    mapping = Mapping("wide", rows=(Loop("K", 11), Loop("C", 3)))
    with pytest.raises(InputError, match=r"mapping wide: rows unrolled 33 times over 32 rows"):
        simulate_layer(Layer("wide", K=11, C=3), mapping, spec)
