"""Which mapping a layer takes on SCNN where its cycles are compared with published ones."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import ceil, prod

import numpy as np

from accel import Accelerator, load
from accel.mapper import array_shape
from mappings import Loop, Mapping
from mappings.dataflows import candidates
from mappings.dataflows.planar_tiled import reached
from workloads import Layer


@cache
def machine() -> Accelerator:
    """The preset with room for every layer."""
    return load("scnn").with_values({"data_buffer.kib": 65536, "weight_buffer.kib": 65536})


def mapping_of(layer: Layer, most_filters: int | None = None) -> Mapping:
    """The mapping of `planar_tiled` with the fewest cycles without zeros; at most so many filters a group."""
    chip = machine()
    shape = array_shape(chip)
    found = [
        mapping
        for column in candidates("planar_tiled", layer, shape)
        for mapping in (_grouped(column[row], layer, most_filters) for row in range(len(column)))
        if mapping.pass_extent("C") == layer.C
    ]
    return min(found, key=lambda mapping: _dense_cycles(mapping, layer, chip))


def _grouped(mapping: Mapping, layer: Layer, most: int | None) -> Mapping:
    """The mapping with at most so many filters a pass, one a lane; lanes they leave over keep their share of a tile."""
    if not most:
        return mapping
    filters = min(most, mapping.pass_extent("K"))
    lanes, inner = [Loop("K", filters)], {loop.axis: loop.factor for loop in mapping.registers if loop.axis != "K"}
    for loop in mapping.lanes:
        if loop.axis != "K" and loop.factor * prod(lane.factor for lane in lanes) <= machine().pe_array.lanes:
            lanes.append(loop)
        elif loop.axis != "K":
            inner[loop.axis] = inner.get(loop.axis, 1) * loop.factor
    return replace(
        mapping,
        off_chip=(*(loop for loop in mapping.off_chip if loop.axis != "K"), Loop("K", ceil(layer.K / filters))),
        registers=tuple(Loop(axis, inner[axis]) for axis in "CPQRS" if axis in inner),
        lanes=tuple(lanes),
    )


def _dense_cycles(mapping: Mapping, layer: Layer, chip: Accelerator) -> int:
    """Cycles of all passes if nothing were zero: vectors of a full PE's tile, or its halo where that takes longer."""
    matching = chip.pe_array.matching
    inner = {axis: _extent(mapping, axis) for axis in "PQK"}
    outputs = inner["P"] * inner["Q"]
    vectors = layer.C * ceil(outputs / matching.inputs) * ceil(inner["K"] * layer.R * layer.S / matching.weights)
    height, width = (int(reached(layer, side, np.array(inner[axis]))) for side, axis in enumerate("PQ"))
    border = max((height - inner["P"]) * width, (width - inner["Q"]) * inner["P"]) // 2
    passes = prod(loop.factor for loop in mapping.off_chip)
    return passes * max(vectors, border * inner["K"] // matching.halo_words_per_cycle)


def _extent(mapping: Mapping, axis: str) -> int:
    """Indices of an axis in one pass of one PE."""
    return prod(loop.factor for loop in (*mapping.registers, *mapping.lanes) if loop.axis == axis)
