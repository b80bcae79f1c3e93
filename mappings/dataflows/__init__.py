"""Named dataflows: families of mappings for a layer on an array, as columns of candidate factors.

A dataflow decides what is unrolled where and in which order registers are reused; it is data, never a code path of
the machine. Each is a function `(layer, array) -> list[MappingColumn]` whose outermost off-chip factors are left at 1:
`close` sets them to what the layer needs and drops the candidates that cannot be.
"""

from __future__ import annotations

from collections.abc import Callable

from mappings.column import MappingColumn, together
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.dot_product import channel_parallel, window_parallel
from mappings.dataflows.input_broadcast import input_broadcast
from mappings.dataflows.no_local_reuse import no_local_reuse
from mappings.dataflows.planar_tiled import planar_tiled
from mappings.dataflows.row_stationary import row_stationary
from mappings.dataflows.stationary import input_stationary, output_stationary, weight_stationary
from mappings.dataflows.tiling import close
from mappings.dataflows.windowed import windowed, windowed_rows
from workloads.errors import InputError
from workloads.layer import Layer

Dataflow = Callable[[Layer, ArrayShape], list[MappingColumn]]

DATAFLOWS: dict[str, Dataflow] = {
    "weight_stationary": weight_stationary,
    "output_stationary": output_stationary,
    "input_stationary": input_stationary,
    "row_stationary": row_stationary,
    "no_local_reuse": no_local_reuse,
    "input_broadcast": input_broadcast,
    "planar_tiled": planar_tiled,
    "channel_parallel": channel_parallel,
    "window_parallel": window_parallel,
    "windowed": windowed,
    "windowed_rows": windowed_rows,
}


def candidates(name: str, layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Every candidate of a named dataflow that covers the layer; a column a shape.

    Raises InputError for an unknown name.
    """
    if name not in DATAFLOWS:
        raise InputError(f'unknown dataflow "{name}": one of {", ".join(DATAFLOWS)}')
    closed = (close(column, layer) for column in together(DATAFLOWS[name](layer, array)))
    return [column for column in closed if len(column)]


__all__ = ["DATAFLOWS", "ArrayShape", "candidates", "close"]
