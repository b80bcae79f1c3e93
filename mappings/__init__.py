"""How a layer is computed: tiling, order and unrolling of its loops, with no hardware in it.

Reading order: mapping (the loops), ranges (what a tile of them selects), schedule (what every tile step moves),
dataflows (families of mappings), text and file (how mappings are written down).
"""

from mappings.mapping import Loop, Mapping, axis_extent, axis_relevant
from mappings.schedule import TileSchedule, schedule

__all__ = ["Loop", "Mapping", "TileSchedule", "axis_extent", "axis_relevant", "schedule"]
