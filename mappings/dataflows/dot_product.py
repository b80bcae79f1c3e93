"""Dot products: the lanes of a PE take input channels; one axis takes filters, the other more channels or windows.

channel_parallel: H. Sharma et al., "Bit Fusion: Bit-Level Dynamically Composable Architecture for Accelerating Deep
Neural Networks", ISCA 2018: inputs enter along the rows, sums run down the columns, every PE has weights of its own.
window_parallel: Y. Chen et al., "DaDianNao: A Machine-Learning Supercomputer", MICRO 2014, and P. Judd et al.,
"Stripes: Bit-Serial Deep Neural Network Computing", MICRO 2016: windows side by side share the weights of a filter.
"""

from __future__ import annotations

from dataclasses import dataclass

from mappings.column import MappingColumn, Shape, grid
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.tiling import ONE, orders, splits
from mappings.mapping import axis_extent
from workloads.layer import Layer

PIXELS, FILTERS, CHANNELS, VOLUME = "NPQ", "K", "C", "CRS"


@dataclass(frozen=True, slots=True)
class _Spread:
    """The axis over rows, columns and lanes, and PEs by axis."""

    rows: str
    columns: str
    lanes: str
    pes: dict[str, int]


def channel_parallel(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Input channels over rows and lanes, filters over columns. Too few channels for the rows: the whole volume."""
    reduced = VOLUME if array.rows > layer.C else CHANNELS
    pes = {reduced: array.rows * array.lanes, FILTERS: array.columns, PIXELS: 1}
    return _dot_products("channel_parallel", layer, array, _Spread(reduced, FILTERS, reduced, pes))


def window_parallel(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Filters over rows, windows (output pixels) over columns, input channels over lanes."""
    pes = {FILTERS: array.rows, PIXELS: array.columns, CHANNELS: array.lanes}
    return _dot_products("window_parallel", layer, array, _Spread(FILTERS, PIXELS, CHANNELS, pes))


def _dot_products(name: str, layer: Layer, array: ArrayShape, spread: _Spread) -> list[MappingColumn]:
    """A pass runs the reduction innermost, over all pixels of the tile; the passes of a tile take filters in turn."""
    reduced = spread.lanes
    taps = ("R", "S") if reduced == CHANNELS else ()
    found = []
    for order in orders(PIXELS, FILTERS, reduced):
        shape = Shape(
            name,
            off_chip=("G", *order),
            on_chip=(FILTERS,),
            registers=(PIXELS, *taps, reduced),
            rows=(spread.rows,),
            columns=(spread.columns,),
            lanes=(reduced,),
        )
        cuts = {axis: splits(axis_extent(layer, axis), count) for axis, count in spread.pes.items()}
        found.append(
            grid(
                shape,
                {
                    "off_chip": [ONE] * 4,
                    "on_chip": [cuts[FILTERS]],
                    "registers": [cuts[PIXELS], *(ONE * getattr(layer, tap) for tap in taps), cuts[reduced]],
                    "rows": [ONE * array.rows],
                    "columns": [ONE * array.columns],
                    "lanes": [ONE * array.lanes],
                },
            )
        )
    return found
