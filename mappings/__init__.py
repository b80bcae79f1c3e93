"""How a layer is computed: tiling, order and unrolling of its loops, with no hardware in it.

Reading order: mapping (the loops), ranges (what a tile of them selects), schedule (what every tile step moves),
dataflows (families of mappings), text and file (how mappings are written down); then orders and space (which mappings
there are), searching (how the best is found).
"""

from mappings.dataflows import ArrayShape
from mappings.footprint import Footprint
from mappings.mapping import Loop, Mapping, axis_extent, axis_relevant
from mappings.schedule import TileSchedule, schedule
from mappings.searching import Budget, Found, search
from mappings.space import MapSpace

__all__ = [
    "ArrayShape",
    "Budget",
    "Footprint",
    "Found",
    "Loop",
    "MapSpace",
    "Mapping",
    "TileSchedule",
    "axis_extent",
    "axis_relevant",
    "schedule",
    "search",
]
