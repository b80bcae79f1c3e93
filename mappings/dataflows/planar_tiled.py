"""Planar tiles: every PE owns a part of the plane, and takes all its channels with a group of filters.

A. Parashar et al., "SCNN: An Accelerator for Compressed-sparse Convolutional Neural Networks", ISCA 2017, dataflow
PT-IS-CP: output columns and rows are split over the array, as many filters at a time as the accumulators hold outputs
of, the borders of the neighbours' tiles among them. PEs that a small plane leaves over take filters of their own.
"""

from __future__ import annotations

from math import prod

import numpy as np

from mappings.column import MappingColumn, Shape, grid
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.tiling import ONE, Ints, splits
from workloads.layer import Layer

_SHAPE = Shape(
    "planar_tiled",
    off_chip=("G", "N", "P", "Q", "K", "C"),
    registers=("C", "P", "Q", "K", "R", "S"),
    rows=("P", "K"),
    columns=("Q", "K"),
    lanes=("K", "P", "Q"),
)


def planar_tiled(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Output rows over rows, columns over columns; a pass is a group of filters, PEs wait for each other at its end."""
    found = []
    rows, columns = min(array.rows, layer.P), min(array.columns, layer.Q)
    apart = array.rows // rows * (array.columns // columns)
    for p in splits(layer.P, rows, choices=4):
        for q in splits(layer.Q, columns, choices=4):
            reach = int(reached(layer, 0, ONE * p)[0] * reached(layer, 1, ONE * q)[0])
            most = max(1, array.output_registers * array.lanes // reach)
            filters = min(-(-layer.K // apart), most)
            k, high, wide = _lanes(
                filters, _parts(layer.P, rows, int(p)), _parts(layer.Q, columns, int(q)), array.lanes
            )
            inner = [splits(layer.C), ONE * p // high, ONE * q // wide, ONE * (filters // k)]
            found.append(
                grid(
                    _SHAPE,
                    {
                        "off_chip": [ONE] * 6,
                        "registers": [*inner, ONE * layer.R, ONE * layer.S],
                        "rows": [ONE * rows, ONE * (array.rows // rows)],
                        "columns": [ONE * columns, ONE * (array.columns // columns)],
                        "lanes": [ONE * k, ONE * high, ONE * wide],
                    },
                )
            )
    return found


def reached(layer: Layer, side: int, outputs: Ints) -> Ints:
    """Output rows (side 0) or columns (1) that the inputs beneath `outputs` of them can add to, at most."""
    have, inputs = ((layer.P, layer.H), (layer.Q, layer.W))[side]
    span = ((layer.R, layer.S)[side] - 1) * layer.dilation[side]
    beneath = -(-outputs * inputs // have)
    return np.minimum(have, (beneath - 1 + span) // layer.stride[side] + 1)


def _parts(extent: int, unrolled: int, tile: int) -> list[int]:
    """Equal parts of a PE's tile that lanes may share, so that the smallest tile has an index for each of them."""
    least = ((extent - 1) % (unrolled * tile) + 1) // unrolled
    return [parts for parts in range(1, max(1, least) + 1) if tile % parts == 0]


def _lanes(filters: int, rows: list[int], columns: list[int], lanes: int) -> tuple[int, int, int]:
    """Lanes over filters, rows and columns of a tile: of ways with over half the lanes, one that keeps most filters."""
    ways = [
        (k, high, wide)
        for k in range(1, min(lanes, filters) + 1)
        for high in rows
        for wide in columns
        if k * high * wide <= lanes
    ]
    most = max(prod(way) for way in ways)
    ways = [way for way in ways if 2 * prod(way) > most]
    return max(ways, key=lambda way: (filters // way[0] * way[0], prod(way), way[0]))
