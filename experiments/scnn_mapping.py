"""Which mapping a layer takes on SCNN where its cycles are compared with published ones, and on which machine.

Both follow the paper. A PE keeps its part of the whole plane while it goes through all groups of filters: the loop nest
has no loop over parts of the plane. Maps that do not fit the activation memories are taken in parts all the same: the
fewest that fit, coded, with the densities of its evaluation 9 of the 72 layers, all of VGG, as the paper says. Of such
mappings a layer takes the one with the fewest cycles without zeros. Weights come as fast as they are wanted: the paper
is as fast with all DRAM from 50 down to some 4 GB/s, where ours, waiting for every weight of a group at that rate,
would be slower than the dense baseline.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import ceil, prod

import numpy as np

from accel import Accelerator, load
from accel.task import array_shape
from mappings import Loop, Mapping
from mappings.dataflows import candidates
from mappings.dataflows.planar_tiled import reached
from workloads import Layer

MEMORY_BITS, CODED_BITS = 10 * 8192, 20
"""Of the input, and of the output memory of a PE, indices in it; of a nonzero with its index. Both from Table 2."""
NEVER_BINDS = 65536


@cache
def machine(weight_port_bits: int = NEVER_BINDS) -> Accelerator:
    """The preset with room for every layer, and a weight port that does not bind unless it is told to."""
    return load("scnn").with_values(
        {
            "data_buffer.kib": 65536,
            "weight_buffer.kib": 65536,
            "weight_buffer.width_bits": NEVER_BINDS,
            "pe_array.ports.weight": weight_port_bits,
        }
    )


def mapping_of(layer: Layer, most_filters: int | None = None) -> Mapping:
    """The mapping of `planar_tiled` as the paper has it (see above); at most so many filters a group."""
    chip = machine()
    shape = array_shape(chip)
    found = [
        mapping
        for column in candidates("planar_tiled", layer, shape)
        for mapping in (_grouped(column[row], layer, most_filters) for row in range(len(column)))
        if mapping.pass_extent("C") == layer.C
    ]
    return min(
        found,
        key=lambda mapping: (
            not _fits(mapping, layer),
            parts_of_the_plane(mapping),
            _dense_cycles(mapping, layer, chip),
        ),
    )


def parts_of_the_plane(mapping: Mapping) -> int:
    """Parts of the plane that the array takes one after the other."""
    return prod(loop.factor for loop in mapping.off_chip if loop.axis in "PQ")


def _fits(mapping: Mapping, layer: Layer) -> bool:
    """Whether a PE's coded inputs and outputs fit their memories."""
    outputs = _extent(mapping, "P") * _extent(mapping, "Q")
    inputs = ceil(_extent(mapping, "P") * layer.H / layer.P) * ceil(_extent(mapping, "Q") * layer.W / layer.Q)
    maps = inputs * layer.C * layer.density.input, outputs * layer.K * layer.density.output
    return all(layer.G * words * CODED_BITS <= MEMORY_BITS for words in maps)


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
