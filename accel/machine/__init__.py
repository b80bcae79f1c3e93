"""The five parts as SimPy processes, playing a tile program.

Reading order: clockwork (what the parts share), controller, data_buffer and weight_buffer, dma, pe_array,
machine (puts them together), activity (what is reported), fast_forward (skips what repeats).
"""

from accel.machine.activity import Activity, Stall
from accel.machine.fast_forward import run
from accel.machine.machine import play

__all__ = ["Activity", "Stall", "play", "run"]
