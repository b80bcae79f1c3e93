"""Input broadcast: one input word after another goes to all PEs, each of which owns some of the outputs.

S. Han et al., "EIE: Efficient Inference Engine on Compressed Deep Neural Network", ISCA 2016: output r belongs to PE
r mod the number of PEs and stays in its registers; an input is multiplied with its whole column of weights.
"""

from __future__ import annotations

from mappings.column import MappingColumn, Shape, grid
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.tiling import ONE, splits
from mappings.mapping import axis_extent
from workloads.layer import Layer

PIXELS, FILTERS, VOLUME = "NPQ", "K", "CRS"


def input_broadcast(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Filters over the whole array; a pass is an input word, or, with several output pixels, the words of one."""
    pes = array.rows * array.columns * array.lanes
    single = axis_extent(layer, PIXELS) == 1
    walked = VOLUME if single else PIXELS
    shape = Shape(
        "input_broadcast",
        off_chip=("G", FILTERS, PIXELS, VOLUME),
        on_chip=(walked,),
        registers=(FILTERS,) if single else (VOLUME, FILTERS),
        rows=(FILTERS,),
        columns=(FILTERS,),
        lanes=(FILTERS,),
    )
    filters = splits(layer.K, pes, most=max(1, array.output_registers))
    return [
        grid(
            shape,
            {
                "off_chip": [ONE] * 4,
                "on_chip": [splits(axis_extent(layer, walked))],
                "registers": [filters] if single else [splits(axis_extent(layer, VOLUME)), filters],
                "rows": [ONE * array.rows],
                "columns": [ONE * array.columns],
                "lanes": [ONE * array.lanes],
            },
        )
    ]
