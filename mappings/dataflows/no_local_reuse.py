"""No local reuse: output and input channels unrolled, everything else in time, operands straight from the buffers.

The unrolled adder trees of C. Zhang et al., "Optimizing FPGA-based Accelerator Design for Deep Convolutional Neural
Networks", FPGA 2015: Tm output channels by Tn input channels, the filter window outside the output pixels.
"""

from __future__ import annotations

from mappings.column import MappingColumn, Shape, grid
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.tiling import ONE, orders, splits
from workloads.layer import Layer


def no_local_reuse(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Output channels over rows, input channels over columns and lanes; a pass runs the window over a strip of rows."""
    found = []
    for order in orders("P", "K", "C"):
        shape = Shape(
            "no_local_reuse",
            off_chip=("N", "G", *order),
            on_chip=("K", "C"),
            registers=("R", "S", "P", "Q"),
            rows=("K",),
            columns=("C",),
            lanes=("C",),
        )
        found.append(
            grid(
                shape,
                {
                    "off_chip": [ONE] * 5,
                    "on_chip": [splits(layer.K, array.rows), splits(layer.C, array.columns * array.lanes)],
                    "registers": [ONE * layer.R, ONE * layer.S, splits(layer.P), ONE * layer.Q],
                    "rows": [ONE * array.rows],
                    "columns": [ONE * array.columns],
                    "lanes": [ONE * array.lanes],
                },
            )
        )
    return found
