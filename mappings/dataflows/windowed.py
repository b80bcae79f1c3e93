"""Window after window: filters over the PEs, the window of an output pixel over the lanes and through time.

The neural functional units of T. Chen et al., "DianNao", ASPLOS 2014, and Y. Chen et al., "DaDianNao", MICRO 2014: the
lanes of a PE take different inputs of one window, an adder tree sums their products. Arrays that skip zeros keep the
form (Cnvlutin, ISCA 2016; Cambricon-X, MICRO 2016), or give clusters of PEs windows of their own (SparTen, MICRO 2019).
"""

from __future__ import annotations

from mappings.column import MappingColumn, Shape, grid
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.tiling import ONE, orders, splits
from mappings.mapping import axis_extent
from workloads.layer import Layer

PIXELS, FILTERS, VOLUME = "NPQ", "K", "CRS"


def windowed(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Filters over rows and columns: all PEs work on the same windows, whole or in parts."""
    return _windows("windowed", layer, array, FILTERS)


def windowed_rows(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Filters over columns: every row of PEs works on windows of its own."""
    return _windows("windowed_rows", layer, array, PIXELS)


def _windows(name: str, layer: Layer, array: ArrayShape, rows: str) -> list[MappingColumn]:
    """A PE takes as many filters and pixels at a time as it has registers for their sums.

    A pass is whole windows, an even part of them, or as much as the registers hold of inputs and weights.
    """
    found = []
    room = max(1, array.output_registers * array.lanes)
    pixels, volume = axis_extent(layer, PIXELS), axis_extent(layer, VOLUME)
    apart = array.rows if rows == PIXELS else 1
    spread = array.columns * (array.rows if rows == FILTERS else 1)
    parts = splits(volume, array.lanes, choices=5)
    for order in orders(PIXELS, FILTERS, VOLUME):
        shape = Shape(
            name,
            off_chip=("G", *order),
            on_chip=(FILTERS, PIXELS, VOLUME),
            registers=(VOLUME, PIXELS, FILTERS),
            rows=(rows,),
            columns=(FILTERS,),
            lanes=(VOLUME,),
        )
        for filters in splits(layer.K, spread, most=room, choices=4).tolist():
            for own in splits(pixels, apart, most=max(1, room // filters), choices=3).tolist():
                held = min(array.input_registers // own, array.weight_registers // filters, -(-volume // array.lanes))
                for part in {*parts.tolist(), max(1, held)}:
                    found.append(
                        grid(
                            shape,
                            {
                                "off_chip": [ONE] * 4,
                                "on_chip": [
                                    splits(layer.K, spread * filters, choices=4),
                                    splits(pixels, apart * own, choices=6),
                                    splits(volume, array.lanes * part, choices=2),
                                ],
                                "registers": [ONE * part, ONE * own, ONE * filters],
                                "rows": [ONE * array.rows],
                                "columns": [ONE * array.columns],
                                "lanes": [ONE * array.lanes],
                            },
                        )
                    )
    return found
