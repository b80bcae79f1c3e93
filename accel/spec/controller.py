"""The global controller."""

from __future__ import annotations

from accel.spec.base import Part, WholeNumber


class Controller(Part):
    """Cycles in which the array waits for its configuration."""

    layer_setup_cycles: WholeNumber = 0
    tile_setup_cycles: WholeNumber = 0
