"""The on-chip memory of activations and partial sums."""

from __future__ import annotations

from accel.spec.base import Count, NotNegative, Part, Positive
from accel.spec.formats import CodecName


class DataBuffer(Part):
    """Holds input tiles, and output tiles unless there is an accumulator memory."""

    kib: Positive
    """Capacity in KiB of 8192 bits."""
    accumulator_kib: NotNegative = 0.0
    """A memory of its own for outputs and partial sums; 0: they share `kib`."""
    double_buffered: bool = True
    """The next tile loads while this one is computed; each tile then gets half of the capacity."""
    keep_maps: bool = False
    """A layer's output stays here for the next layer when it fits."""
    halo_reuse: bool = False
    """Input words that a tile shares with the tile before it stay (a circular buffer) when windows slide along one
    side, the same way as before or after a rest (see `controller.steady_windows`); False: tiles are fetched whole,
    halos again with each of them."""
    format: CodecName = "none"
    """Maps lie here so: inputs, for PEs that skip their zeros, and finished outputs; partial sums word by word. A tile
    gets its share of the coded map, as if all its tiles were equally dense; a map kept for the next layer gets room
    for all of its words."""
    width_bits: Count = 64
    """Bits of one access to one bank."""
    banks: Count = 32
    """Equal banks the capacity is divided into."""
    slices: Count = 1
    """Separate memories it consists of, each beside the PEs it serves: accesses are to kib / slices, wires are those
    of its part of the array."""
