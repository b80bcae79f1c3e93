"""Weight-, output- and input-stationary: the layer as a matrix product, one operand kept in the array.

The product has output pixels (N, P, Q flattened), filters (K) and filter volume (C, R, S flattened). Two of the three
are laid over rows and columns, the third streams past (Samajdar et al., "A systematic methodology for characterizing
scalability of DNN accelerators using SCALE-Sim", ISPASS 2020).
"""

from __future__ import annotations

from mappings.column import MappingColumn, Shape, grid
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.tiling import ONE, orders, splits, unrollings
from mappings.mapping import axis_extent
from workloads.layer import Layer

PIXELS, FILTERS, VOLUME = "NPQ", "K", "CRS"


def weight_stationary(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Filter volume over rows, filters over columns; pixels stream."""
    return _stationary("weight_stationary", layer, array, rows=VOLUME, columns=FILTERS, stream=PIXELS)


def output_stationary(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Pixels over rows, filters over columns; the filter volume streams."""
    return _stationary("output_stationary", layer, array, rows=PIXELS, columns=FILTERS, stream=VOLUME)


def input_stationary(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Filter volume over rows, pixels over columns; filters stream."""
    return _stationary("input_stationary", layer, array, rows=VOLUME, columns=PIXELS, stream=FILTERS)


def _stationary(
    name: str, layer: Layer, array: ArrayShape, *, rows: str, columns: str, stream: str
) -> list[MappingColumn]:
    """Folds are passes; the stream is cut only as far as the buffers demand, and goes on across tile steps."""
    row_splits = splits(axis_extent(layer, rows), array.rows * array.lanes)
    column_splits = splits(axis_extent(layer, columns), array.columns)
    stream_splits = splits(axis_extent(layer, stream), choices=10)
    found = []
    for order in orders(rows, columns, stream):
        shape = Shape(
            name,
            off_chip=("G", *order),
            on_chip=(columns, rows),
            registers=(stream,),
            rows=(rows,),
            columns=(columns,),
            lanes=(rows,),
        )
        found.append(
            grid(
                shape,
                {
                    "off_chip": [ONE] * 4,
                    "on_chip": [column_splits, row_splits],
                    "registers": [stream_splits],
                    "rows": [unrollings(-(-axis_extent(layer, rows) // array.lanes), array.rows, array.bypass)],
                    "columns": [unrollings(axis_extent(layer, columns), array.columns, array.bypass)],
                    "lanes": [ONE * array.lanes],
                },
            )
        )
    return found
