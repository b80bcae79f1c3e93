"""The on-chip memory of weights, as stored."""

from __future__ import annotations

from accel.spec.base import Count, Part, Positive
from accel.spec.formats import CodecName


class WeightBuffer(Part):
    """Holds weight tiles."""

    kib: Positive
    """Capacity in KiB of 8192 bits."""
    double_buffered: bool = True
    """The next tile loads while this one is used; each tile then gets half of the capacity."""
    compressed: bool = False
    """Weights stay as they are coded off chip (`dma.codec.weight`), and PEs that skip zeros read them so."""
    format: CodecName = "none"
    """As `compressed`, in a format that may differ from the one off chip."""
    width_bits: Count = 64
    """Bits of one access to one bank."""
    banks: Count = 32
    """Equal banks the capacity is divided into."""
    slices: Count = 1
    """Separate memories it consists of, each beside the PEs it serves: accesses are to kib / slices, wires are those
    of its part of the array."""
