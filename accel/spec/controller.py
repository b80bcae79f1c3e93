"""The global controller."""

from __future__ import annotations

from accel.spec.base import Part, WholeNumber


class Controller(Part):
    """Issues loads, passes and stores; cycles in which the array waits for its configuration."""

    layer_setup_cycles: WholeNumber = 0
    tile_setup_cycles: WholeNumber = 0
    steady_windows: bool = False
    """Address generators that count on by a fixed step: what windows share with those before stays, where
    `data_buffer.halo_reuse` or `pe_array.keep_registers` let it, only while they move by the same step each time.
    After a rest, or by another step, they are loaded whole. False: only windows that turn back are."""
