"""Dot products: the lanes of a PE take input channels; one axis takes filters, the other more channels or windows.

channel_parallel: H. Sharma et al., "Bit Fusion: Bit-Level Dynamically Composable Architecture for Accelerating Deep
Neural Networks", ISCA 2018: inputs enter along the rows, sums run down the columns, every PE has weights of its own.
window_parallel: Y. Chen et al., "DaDianNao: A Machine-Learning Supercomputer", MICRO 2014, and P. Judd et al.,
"Stripes: Bit-Serial Deep Neural Network Computing", MICRO 2016: windows side by side share the weights of a filter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, permutations

from mappings.column import MappingColumn, Shape, grid
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.tiling import ONE, Ints, splits
from mappings.mapping import axis_extent
from workloads.layer import Layer

FILTERS, CHANNELS, VOLUME, WINDOWS = "K", "C", "CRS", "NPQ"


@dataclass(frozen=True, slots=True)
class _Spread:
    """The axis over rows, columns and lanes, PEs by axis, and the axes of pixels."""

    rows: str
    columns: str
    lanes: str
    pes: dict[str, int]
    pixels: tuple[str, ...]


def channel_parallel(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Input channels over rows and lanes, filters over columns. Too few channels for the rows: the whole volume too."""
    found = []
    for reduced in (CHANNELS, VOLUME) if array.rows > layer.C else (CHANNELS,):
        pes = {reduced: array.rows * array.lanes, FILTERS: array.columns}
        spread = _Spread(reduced, FILTERS, reduced, pes, ("N", "P", "Q"))
        found += _dot_products("channel_parallel", layer, array, spread)
    return found


def window_parallel(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Filters over rows, windows (output pixels) over columns, input channels over lanes."""
    pes = {FILTERS: array.rows, WINDOWS: array.columns, CHANNELS: array.lanes}
    return _dot_products("window_parallel", layer, array, _Spread(FILTERS, WINDOWS, CHANNELS, pes, (WINDOWS,)))


def _dot_products(name: str, layer: Layer, array: ArrayShape, spread: _Spread) -> list[MappingColumn]:
    """A pass runs the reduction innermost, over all pixels of the tile; the passes of a tile take filters in turn."""
    reduced, pixels = spread.lanes, spread.pixels
    taps = ("R", "S") if reduced == CHANNELS else ()

    def cuts(axis: str, choices: int) -> Ints:
        return splits(axis_extent(layer, axis), spread.pes.get(axis, 1), choices=choices)

    choices = {"N": 4, "P": 6, "Q": 4, WINDOWS: 16}
    found = []
    for order in permutations((pixels, (FILTERS,), (reduced,))):
        off_chip = ("G", *chain.from_iterable(order))
        shape = Shape(
            name,
            off_chip=off_chip,
            on_chip=(FILTERS,),
            registers=(*pixels, *taps, reduced),
            rows=(spread.rows,),
            columns=(spread.columns,),
            lanes=(reduced,),
        )
        found.append(
            grid(
                shape,
                {
                    "off_chip": [ONE] * len(off_chip),
                    "on_chip": [cuts(FILTERS, 6)],
                    "registers": [
                        *(cuts(axis, choices[axis]) for axis in pixels),
                        *(ONE * getattr(layer, tap) for tap in taps),
                        cuts(reduced, 8),
                    ],
                    "rows": [ONE * array.rows],
                    "columns": [ONE * array.columns],
                    "lanes": [ONE * array.lanes],
                },
            )
        )
    return found
