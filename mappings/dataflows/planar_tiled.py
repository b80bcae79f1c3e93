"""Planar tiles: every PE owns a part of the plane, and takes all its channels with a group of filters.

A. Parashar et al., "SCNN: An Accelerator for Compressed-sparse Convolutional Neural Networks", ISCA 2017, dataflow
PT-IS-CP: output columns and rows are split over the array, as many filters at a time as the accumulators hold outputs
of, the borders of the neighbours' tiles among them. PEs that a small plane leaves over take filters of their own.
"""

from __future__ import annotations

import numpy as np

from mappings.column import MappingColumn, Shape, grid
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.tiling import ONE, Ints, splits
from workloads.layer import Layer

_SHAPE = Shape(
    "planar_tiled",
    off_chip=("G", "N", "P", "Q", "K", "C"),
    registers=("C", "K", "R", "S", "P", "Q"),
    rows=("P", "K"),
    columns=("Q", "K"),
    lanes=("K",),
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
            lanes, filters = _group(min(-(-layer.K // apart), most), array.lanes)
            found.append(
                grid(
                    _SHAPE,
                    {
                        "off_chip": [ONE] * 6,
                        "registers": [
                            splits(layer.C),
                            ONE * filters,
                            ONE * layer.R,
                            ONE * layer.S,
                            ONE * p,
                            ONE * q,
                        ],
                        "rows": [ONE * rows, ONE * (array.rows // rows)],
                        "columns": [ONE * columns, ONE * (array.columns // columns)],
                        "lanes": [ONE * lanes],
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


def _group(filters: int, lanes: int) -> tuple[int, int]:
    """(lanes, filters a lane) of about `filters`, never more: of at least half of the lanes, those that lose fewest."""
    most = min(lanes, filters)
    used = max(range(-(-most // 2), most + 1), key=lambda used: (filters // used * used, used))
    return used, filters // used
