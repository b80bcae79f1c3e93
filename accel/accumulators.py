"""How many accumulators a PE that multiplies planes needs: it adds to its neighbours' outputs before it sends them."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from accel.spec import Accelerator
from mappings import Mapping
from mappings.column import MappingColumn
from mappings.dataflows.planar_tiled import reached
from mappings.mapping import registers_used
from workloads import InputError, Layer, Operand

Ints = NDArray[np.int64]


def accumulators(layer: Layer, tile: dict[str, Ints]) -> Ints:
    """Of a PE whose pass covers so many indices of each dimension; flattened axes count without their borders."""
    ones = np.ones(1, dtype=np.int64)
    need = np.maximum(1, prod((extent for axis, extent in tile.items() if axis[0] in "GKN"), start=ones))
    for side, dim in enumerate("PQ"):
        need = need * reached(layer, side, tile.get(dim, ones))
    return need * prod((extent for axis, extent in tile.items() if axis in ("PQ",)), start=ones)


def have_room(layer: Layer, column: MappingColumn, spec: Accelerator) -> NDArray[np.bool_]:
    """(mappings,) whether the accumulators hold all that a pass adds up; always on arrays that multiply no planes."""
    if not _counts(spec):
        return np.ones(len(column), dtype=np.bool_)
    tile: dict[str, Ints] = {}
    for number, (level, axis) in enumerate(column.shape.loops):
        if level in ("registers", "lanes"):
            tile[axis] = tile.get(axis, 1) * column.factors[:, number]
    return np.broadcast_to(
        accumulators(layer, tile) <= _room(spec, column.shape.register_words[Operand.OUTPUT]), len(column)
    )


def require_room(mapping: Mapping, layer: Layer, spec: Accelerator) -> None:
    """Raise InputError when a pass adds up more outputs than a PE has accumulators."""
    if not _counts(spec):
        return
    tile: dict[str, Ints] = {}
    for loop in (*mapping.registers, *mapping.lanes):
        tile[loop.axis] = tile.get(loop.axis, 1) * np.array([loop.factor])
    need, room = int(accumulators(layer, tile)[0]), _room(spec, mapping.register_words[Operand.OUTPUT])
    if need > room:
        raise InputError(
            f"a pass adds up {need} outputs a PE, with those it sends to its neighbours, in {room} accumulators: use "
            "smaller factors of K, P or Q",
            source=f"layer {layer.name} on {spec.name}, mapping {mapping.name}",
        )


def _counts(spec: Accelerator) -> bool:
    return spec.pe_array.skips and spec.pe_array.matching.style == "plane"


def _room(spec: Accelerator, used: int | None) -> int:
    """Of a PE, of whose registers a mapping makes use of so many a lane at most."""
    return registers_used(used, spec.pe_array.registers.output) * spec.pe_array.lanes
