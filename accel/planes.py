"""What a PE that multiplies planes can run: all taps of a channel at once, into accumulators for all they add to.

A PE adds to its neighbours' outputs before it sends them.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from accel.spec import Accelerator
from mappings import Mapping, axis_extent
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


def planes_fit(layer: Layer, column: MappingColumn, spec: Accelerator) -> NDArray[np.bool_]:
    """(mappings,) whether PEs have accumulators and taps; always on arrays that multiply no planes."""
    if not _planar(spec):
        return np.ones(len(column), dtype=np.bool_)
    need, room = _need_and_room(layer, column, spec)
    return np.broadcast_to(need <= room, len(column)) & _taps_together(layer, column)


def require_planes(mapping: Mapping, layer: Layer, spec: Accelerator) -> None:
    """Raise InputError when a pass adds up more outputs than a PE has accumulators, or a PE lacks taps of a channel."""
    if not _planar(spec):
        return
    where = f"layer {layer.name} on {spec.name}, mapping {mapping.name}"
    column = MappingColumn.of([mapping])
    need, room = _need_and_room(layer, column, spec)
    if need[0] > room:
        raise InputError(
            f"a pass adds up {need[0]} outputs a PE, with those it sends to its neighbours, in {room} accumulators: "
            "use smaller factors of K, P or Q",
            source=where,
        )
    if not _taps_together(layer, column).all():
        raise InputError(
            "R or S is split: a PE takes all taps of a channel at once, give them register loops alone", source=where
        )


def _taps_together(layer: Layer, column: MappingColumn) -> NDArray[np.bool_]:
    """(mappings,) whether the taps of a channel are all on one PE in one pass.

    A flattened axis over PEs or lanes counts as split, however its indices are dealt.
    """
    together = np.ones(len(column), dtype=np.bool_)
    spread = _within(column, ("rows", "columns", "lanes"))
    passes = _within(column, ("registers", "rows", "columns", "lanes"))
    for axis in {axis for _, axis in column.shape.loops}:
        taps = prod(getattr(layer, dim) for dim in axis if dim in "RS")
        if taps == 1:
            continue
        extent = axis_extent(layer, axis)
        block = np.minimum(passes.get(axis, 1), extent)
        # Taps of a channel lie side by side unless channels are the inner part of a flattened axis.
        side_by_side = axis[0] == "C" or "C" not in axis
        whole = block % (taps if side_by_side else extent) == 0
        together &= whole & (spread.get(axis, 1) == 1)
    return together


def _within(column: MappingColumn, levels: tuple[str, ...]) -> dict[str, Ints]:
    """(mappings,) by axis, the product of its factors in these levels."""
    found: dict[str, Ints] = {}
    for number, (level, axis) in enumerate(column.shape.loops):
        if level in levels:
            found[axis] = found.get(axis, 1) * column.factors[:, number]
    return found


def _planar(spec: Accelerator) -> bool:
    return spec.pe_array.skips and spec.pe_array.matching.style == "plane"


def _need_and_room(layer: Layer, column: MappingColumn, spec: Accelerator) -> tuple[Ints, int]:
    """Accumulators that a pass needs, by mapping, and those of a PE that the mappings make use of."""
    used = registers_used(column.shape.register_words[Operand.OUTPUT], spec.pe_array.registers.output)
    return accumulators(layer, _within(column, ("registers", "lanes"))), used * spec.pe_array.lanes
