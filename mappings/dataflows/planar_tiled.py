"""Planar tiles: every PE owns a part of the plane, and takes all its channels with a group of filters.

A. Parashar et al., "SCNN: An Accelerator for Compressed-sparse Convolutional Neural Networks", ISCA 2017, dataflow
PT-IS-CP: output columns and rows are split over the array, as many filters at a time as the accumulators hold.
"""

from __future__ import annotations

from mappings.column import MappingColumn, Shape, grid
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.tiling import ONE, splits
from workloads.layer import Layer


def planar_tiled(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Output rows over rows, columns over columns; a pass is a group of filters, PEs wait for each other at its end."""
    shape = Shape(
        "planar_tiled",
        off_chip=("G", "N", "P", "Q", "K", "C"),
        registers=("C", "K", "R", "S", "P", "Q"),
        rows=("P",),
        columns=("Q",),
    )
    found = []
    for p in splits(layer.P, array.rows, choices=4):
        for q in splits(layer.Q, array.columns, choices=4):
            room = max(1, array.output_registers // int(p * q))
            found.append(
                grid(
                    shape,
                    {
                        "off_chip": [ONE] * 6,
                        "registers": [
                            splits(layer.C),
                            ONE * min(layer.K, room),
                            ONE * layer.R,
                            ONE * layer.S,
                            ONE * p,
                            ONE * q,
                        ],
                        "rows": [ONE * array.rows],
                        "columns": [ONE * array.columns],
                    },
                )
            )
    return found
