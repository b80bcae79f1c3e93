"""Two layers in turns: a map made band by band, read band by band, and the pixels of it that must be held meanwhile.

A band is what one turn of a layer makes of its output map: all channels of a stretch of pixels, in the order (N, P, Q)
they lie in memory. A mapping runs in bands when its outermost off-chip loops cut pixels alone: `in_bands` puts such
loops around any mapping of a single band.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, Shape
from mappings.mapping import Loop, Mapping, PerOperand, axis_extent
from workloads.layer import Layer, Operand

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of its input that a row of a layer's output needs."""

    rows: int = 1
    stride: int = 1
    padding: int = 0
    """Rows above the input that are there in name only."""


@dataclass(frozen=True, slots=True)
class Bands:
    """A map of N images of P x Q pixels in turns of `pixels` at most; where `by_image`, none spans two images."""

    N: int
    P: int
    Q: int
    pixels: int
    by_image: bool = True

    @property
    def ends(self) -> Ints:
        """Pixels there are after each turn, counted over all images."""
        image = self.P * self.Q
        if not self.by_image:
            return np.minimum(np.arange(0, self.N * image, self.pixels) + self.pixels, self.N * image)
        within = np.minimum(np.arange(0, image, self.pixels) + self.pixels, image)
        ends: Ints = (np.arange(self.N)[:, None] * image + within).reshape(-1)
        return ends

    def needs(self, window: Window, rows: int, columns: int) -> tuple[Ints, Ints]:
        """(first, past the last) pixel each turn needs of an input of `rows` x `columns` an image."""
        ends = self.ends
        image, row = np.divmod(np.r_[0, ends[:-1]] // self.Q, self.P)
        last_image, last_row = np.divmod((ends - 1) // self.Q, self.P)
        low = np.clip(row * window.stride - window.padding, 0, rows)
        high = np.clip(last_row * window.stride - window.padding + window.rows, 0, rows)
        return (image * rows + low) * columns, (last_image * rows + high) * columns


def held_pixels(made: Bands, read: Bands, window: Window) -> int:
    """The most pixels of a map that wait at once, when its reader takes each of its turns as soon as it can.

    Rows that windows of several turns share stay until the last of them: no pixel is made or fetched twice.
    """
    first, last = read.needs(window, made.P, made.Q)
    ends = made.ends
    # What waits is largest when a turn of the producer ends: then the reader has taken all turns it could before.
    due: Ints = np.asarray(np.searchsorted(last, np.r_[0, ends[:-1]], side="right"), dtype=np.int64)
    still = due < len(first)
    waiting: Ints = ends[still] - first[due[still]]
    return int(waiting.max(initial=0))


def band_layer(layer: Layer, rows: int) -> Layer:
    """A layer as large as one band of `rows` output rows of an image: the loops of a turn are a mapping of it."""
    return replace(layer, N=1, P=min(rows, layer.P), padding=(0, 0, 0, 0), tensors=None)


def column_in_bands(column: MappingColumn, layer: Layer, hold_weights: bool) -> MappingColumn:
    """Mappings of a `band_layer`, each made one of the whole layer by loops over bands around it.

    With `hold_weights` all weights stay in their buffer from the first turn to the last.
    """
    loops = column.shape.loops
    lead = _band_axes(tuple(axis for _, axis in loops))
    factors = []
    for axis in lead:
        places = [place for place, (_, own) in enumerate(loops) if own == axis]
        factors.append(-(-axis_extent(layer, axis) // np.prod(column.factors[:, places], axis=1, dtype=np.int64)))
    old = column.shape
    shape = Shape(
        old.name, (*lead, *old.off_chip), old.on_chip, old.registers, old.rows, old.columns, old.lanes,
        _holds(old.hold, len(lead), hold_weights), old.register_words,
    )  # fmt: skip
    return MappingColumn(shape, np.column_stack([*factors, column.factors]))


def column_band_pixels(column: MappingColumn, layer: Layer) -> tuple[Ints, bool]:
    """(pixels of a band of each mapping of a `band_layer`, whether a band ends with its image)."""
    loops = column.shape.loops
    axis = _band_axes(tuple(axis for _, axis in loops))[-1]
    places = [place for place, (_, own) in enumerate(loops) if own == axis]
    covered = np.prod(column.factors[:, places], axis=1, dtype=np.int64)
    return covered * (1 if "Q" in axis else layer.Q), "N" not in axis


def in_bands(mapping: Mapping, layer: Layer, hold_weights: bool) -> tuple[Mapping, int]:
    """(mapping of the whole layer, how many of its outermost off-chip loops run over bands); as `column_in_bands`."""
    lead = []
    for axis in _band_axes(mapping.axes()):
        covered = mapping.tile_extent(axis)
        for loop in mapping.off_chip:
            covered *= loop.factor if loop.axis == axis else 1
        factor = -(-axis_extent(layer, axis) // covered)
        if factor > 1:
            lead.append(Loop(axis, factor))
    hold = _holds(mapping.hold, len(lead), hold_weights)
    found = Mapping(
        mapping.name, (*lead, *mapping.off_chip), mapping.on_chip, mapping.registers, mapping.rows, mapping.columns,
        mapping.lanes, hold, mapping.register_words,
    )  # fmt: skip
    return found, len(lead)


def bands_of(mapping: Mapping, layer: Layer, loops: int) -> Bands:
    """The bands that the `loops` outermost off-chip loops of a mapping of `in_bands` cut the output map into."""
    blocks = dict(zip((loop.axis for loop in mapping.off_chip[:loops]), mapping.blocks("off_chip"), strict=False))
    image = layer.P * layer.Q
    for axis, block in blocks.items():
        if "P" in axis:
            return Bands(layer.N, layer.P, layer.Q, block * (1 if "Q" in axis else layer.Q), by_image="N" not in axis)
    whole = image if "N" in blocks else layer.N * image
    return Bands(layer.N, layer.P, layer.Q, whole, by_image="N" in blocks)


def _band_axes(axes: tuple[str, ...]) -> tuple[str, ...]:
    """The axes that N and P lie in, images first."""
    found = (next((axis for axis in axes if dim in axis), dim) for dim in "NP")
    return tuple(dict.fromkeys(found))


def _holds(hold: PerOperand, lead: int, hold_weights: bool) -> PerOperand:
    moved = [None if depth is None else depth + lead for depth in hold]
    if hold_weights:
        moved[Operand.WEIGHT] = 0
    return (moved[0], moved[1], moved[2])
