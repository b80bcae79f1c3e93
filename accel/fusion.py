"""Fused pairs: two operations that take turns, band by band, so that the map between them never leaves the chip.

A pair is a convolution and what alone reads its output, next in order: a convolution (pointwise after depthwise, or any
other), a pooling, or an operation word by word (an addition, an activation). The producer makes a band, some rows of
all channels of the map; the consumer takes each of its own bands as soon as the rows beneath it are there. Rows that
the windows of two bands share wait in the buffer: nothing is computed or fetched twice, and the map's way to the DRAM
and back is saved. What it costs:

- The data buffer holds the rows that wait, once: maker and reader alternate, so no band is made while one is read. It
  also holds whatever maps the plan keeps beside either of the two.
- Both mappings have their loops over bands outermost, so inputs and outputs are finished within a turn; rows of the
  producer's own input that two bands share are fetched by both. Weights stay for all turns where the mapping holds
  them, and then leave less room for those of the other layer; else every turn fetches them again.
- Two convolutions share the array: every turn is set up anew (`layer_setup_cycles`), its registers are empty, and
  nothing of it is loaded before the turn before is over. A vector unit stands beside the array, which keeps its
  configuration. It works in turn too, and its output rows of one turn have a place of their own.

Latency and energy are the sums over both; that vector unit and array could overlap is not used. A map that anything
else reads, or that is a result, has to be written whole and cannot be fused away; each operation is in one pair at
most. Pairs are taken, best first, where they improve the network's objective; mappings are searched for the bands.
Fused-layer processing with retained rows follows M. Alwani et al., "Fused-Layer CNN Accelerators", MICRO 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod

from accel.banding import BandedMapping, BandSearch
from accel.encode import widths
from accel.fit import buffer_bits
from accel.report import LayerReport
from accel.residency import MapLives, Residency, words_from_dram
from accel.simulation import simulate_layer
from accel.tally import Tally
from accel.vector import vector_layer
from mappings import Mapping, schedule
from mappings.bands import Bands, Window, held_pixels
from workloads import InputError, Layer, Network, Node
from workloads.fusion import ACTIVATIONS

_WORD_BY_WORD = ACTIVATIONS | {
    *("add", "subtract", "multiply", "divide"),
    *("affine", "batch_norm", "clip", "leaky_relu", "prelu", "power", "lrn"),
}
"""Read nothing but the pixel they write, in all its channels."""
_SHARES = (0.75, 0.4, 0.15)
"""Of the data buffer not taken by kept maps, what the waiting rows may fill: these are tried."""


@dataclass(frozen=True, slots=True)
class Half:
    """One operation of a pair: its residency, its mapping if it runs on the array, and its simulated row."""

    residency: Residency
    mapping: Mapping | None
    row: LayerReport


@dataclass(frozen=True, slots=True)
class FusedPair:
    """A pair that fits. `turns` are the producer's; `held_bits` of the map between wait at most."""

    producer: str
    consumer: str
    halves: tuple[Half, Half]
    turns: int
    held_bits: int

    @property
    def by_name(self) -> dict[str, Half]:
        return dict(zip((self.producer, self.consumer), self.halves, strict=True))

    def summary(self) -> dict[str, str | int]:
        """Plain values for a report."""
        names: dict[str, str | int] = {"producer": self.producer, "consumer": self.consumer}
        return names | {"turns": self.turns, "held_bits": self.held_bits}


@dataclass(frozen=True, slots=True)
class Split:
    """Rows of a band of the producer and of the consumer, and the pixels there is room for between them."""

    made: int
    read: int
    held_pixels: int


def reading_window(node: Node, source: Node) -> Window | None:
    """The rows an operation reads of a map for each row it makes; None when it does not go row by row."""
    layer = node.layer
    if layer is not None:
        if layer.weight_is_activation or node.op != "conv":
            return None
        return Window((layer.R - 1) * layer.dilation[0] + 1, layer.stride[0], layer.padding[0])
    if len(node.shape) != 4:
        return None
    if node.op in ("max_pool", "average_pool"):
        spread = node.attributes.get("dilation", (1, 1))[0]
        taps, step = node.attributes["kernel"][0], node.attributes["stride"][0]
        return Window((taps - 1) * spread + 1, step, node.attributes["padding"][0])
    return Window() if node.op in _WORD_BY_WORD and node.shape == source.shape else None


class Fuser:
    """Finds fused pairs of a network, beside the maps that are kept on chip anyway."""

    def __init__(self, network: Network, lives: MapLives, kept: frozenset[str], how: BandSearch) -> None:
        self._network, self._lives, self._kept, self._how = network, lives, kept, how
        self._estimates: dict[object, Tally | None] = {}
        self._loose = max((how.loose_rows(layer) for layer in network.layers[:1]), default=0)

    def candidates(self) -> Iterator[int]:
        """Places of producers whose map the next operation alone reads, row by row, and that is not kept whole."""
        for place, (node, after) in enumerate(zip(self._lives.nodes, self._lives.nodes[1:], strict=False)):
            alone = tuple(user.name for user in self._network.consumers(node.name)) == (after.name,)
            whole = node.layer is None or node.op != "conv" or node.layer.P == 1 or node.name in self._kept
            if alone and not whole and reading_window(after, node) is not None:
                yield place

    def best_split(self, place: int, others: Tally) -> tuple[float, Split] | None:
        """(the network's objective by estimate, bands) of the best split; `others`: all operations but the pair."""
        found: list[tuple[float, Split]] = []
        for split in self._splits(place):
            costs = (self._estimate(place, half, split) for half in (0, 1))
            total = others
            for cost in costs:
                if cost is None:
                    break
                total = total + cost
            else:
                found.append((total.objective(self._how.objective), split))
        return min(found, key=lambda entry: entry[0], default=None)

    def pair(self, place: int, split: Split) -> FusedPair | None:
        """The pair with searched mappings, simulated; None when the two do not fit the buffers together."""
        made = self._find(place, 0, split, None, 0)
        if made is None:
            return None
        if self._lives.nodes[place + 1].layer is None:
            return self._with_vector(place, made)
        read = self._find(place, 1, split, made, made.standing_weight_bits)
        if read is None:
            return None
        if not self._weights_fit(made, read.standing_weight_bits):
            made = self._find(place, 0, split, None, read.standing_weight_bits)
        if made is None:
            return None
        held = held_pixels(made.bands, read.bands, self._window(place))
        halves = []
        for half, (own, other) in enumerate(((made, read), (read, made))):
            residency = replace(
                self._residency(place, half, held),
                reserved_weight_bits=other.standing_weight_bits,
                turn_loops=own.turn_loops,
            )
            row = self._simulate(own, residency)
            if row is None:
                return None
            halves.append(Half(residency, own.mapping, row))
        return self._paired(place, (halves[0], halves[1]), made, held)

    def _with_vector(self, place: int, made: BandedMapping) -> FusedPair | None:
        node = self._lives.nodes[place + 1]
        held = held_pixels(made.bands, self._row_by_row(node), self._window(place))
        residency = self._residency(place, 0, held)
        row = self._simulate(made, residency)
        if row is None:
            return None
        after = self._residency(place, 1, held)
        words = sum(prod(self._network.shape_of(name)) for name in node.inputs)
        kept = self._kept | {self._lives.nodes[place].name}
        last = vector_layer(node, words, self._how.spec, after, words_from_dram(self._network, node, kept))
        return self._paired(place, (Half(residency, made.mapping, row), Half(after, None, last)), made, held)

    def _paired(self, place: int, halves: tuple[Half, Half], made: BandedMapping, held: int) -> FusedPair:
        producer, consumer = (node.name for node in self._lives.nodes[place : place + 2])
        first, last = halves
        named = (
            replace(first, row=replace(first.row, layer=producer, fused_with=consumer)),
            replace(last, row=replace(last.row, layer=consumer, fused_with=producer)),
        )
        return FusedPair(producer, consumer, named, len(made.bands.ends), held * self._pixel_bits(place))

    def _simulate(self, own: BandedMapping, residency: Residency) -> LayerReport | None:
        try:
            how = self._how
            return simulate_layer(own.layer, own.mapping, how.spec, seed=how.seed, residency=residency).report
        except InputError:  # bands as they came out need more room than was set aside
            return None

    def _splits(self, place: int) -> Iterator[Split]:
        """Bands as tall as shares of the data buffer allow, without repeats."""
        source, after = self._layer(place), self._lives.nodes[place + 1]
        window = self._window(place)
        most = after.shape[2]
        free = self._lives.capacity_bits - self._lives.alive_bits(self._kept, place, place + 1)
        seen: set[int] = set()
        for share in _SHARES:
            low, high = 0, most
            while low < high:
                middle = (low + high + 1) // 2
                if self._split(source, after, window, middle).held_pixels * self._pixel_bits(place) <= share * free:
                    low = middle
                else:
                    high = middle - 1
            if low and low not in seen:
                seen.add(low)
                yield self._split(source, after, window, low)

    def _split(self, source: Layer, after: Node, window: Window, rows: int) -> Split:
        """Bands of so many rows of the consumer, with room for those a mapping may cover beyond what it is meant to."""
        made = min(source.P, rows * window.stride)
        most = Bands(source.N, source.P, source.Q, (made + self._loose) * source.Q)
        read = self._row_by_row(after, rows + self._loose if after.layer is not None else 1)
        held = held_pixels(most, read, window) + self._loose * window.stride * source.Q
        return Split(made, rows, min(held, source.N * source.P * source.Q))

    def _row_by_row(self, node: Node, rows: int = 1) -> Bands:
        images, _, height, width = node.shape
        return Bands(images, height, width, rows * width)

    def _allowed(self, place: int, half: int, split: Split, made: Bands | None) -> Callable[[Bands], bool]:
        source, window = self._layer(place), self._window(place)
        if half == 0:
            image = source.P * source.Q
            most = (split.made + self._loose) * source.Q
            return lambda bands: (min(bands.pixels, image) if bands.by_image else bands.pixels) <= most
        against = made or Bands(source.N, source.P, source.Q, split.made * source.Q)
        return lambda bands: held_pixels(against, bands, window) <= split.held_pixels

    def _estimate(self, place: int, half: int, split: Split) -> Tally | None:
        node, residency = self._lives.nodes[place + half], self._residency(place, half, split.held_pixels)
        if node.layer is None:
            words = sum(prod(self._network.shape_of(name)) for name in node.inputs)
            kept = self._kept | {self._lives.nodes[place].name}
            return Tally.of(
                [vector_layer(node, words, self._how.spec, residency, words_from_dram(self._network, node, kept))]
            )
        layer = replace(node.layer, name="", tensors=None)
        rows = (split.made, split.read)[half]
        key = (layer, half, split, residency)
        if key not in self._estimates:
            found = self._how.estimate(layer, rows, residency, self._allowed(place, half, split, None))
            if found is not None and self._lives.nodes[place + 1].layer is not None:
                turns = len(self._row_by_row(node, rows).ends)
                found = found + Tally((turns - 1) * self._how.spec.controller.layer_setup_cycles)
            self._estimates[key] = found
        return self._estimates[key]

    def _find(
        self, place: int, half: int, split: Split, made: BandedMapping | None, standing: int
    ) -> BandedMapping | None:
        residency = replace(self._residency(place, half, split.held_pixels), reserved_weight_bits=standing)
        allowed = self._allowed(place, half, split, made.bands if made else None)
        shared = self._lives.nodes[place + 1].layer is not None
        return self._how.find(self._layer(place + half), (split.made, split.read)[half], residency, allowed, shared)

    def _residency(self, place: int, half: int, held: int) -> Residency:
        """What a half finds on chip, and what the waiting rows, kept maps and a vector unit's results take up."""
        planned = self._lives.residency(place + half, self._kept | {self._lives.nodes[place].name})
        reserved = self._lives.alive_bits(self._kept, place, place + 1) + held * self._pixel_bits(place)
        after = self._lives.nodes[place + 1]
        if after.layer is None and after.name not in self._kept:
            reserved += after.words // (after.shape[0] * after.shape[2]) * self._how.spec.pe_array.bits.output
        return Residency(planned.input, planned.output, reserved)

    def _weights_fit(self, own: BandedMapping, standing: int) -> bool:
        need = buffer_bits(schedule(own.layer, own.mapping), self._how.spec, Residency(reserved_weight_bits=standing))
        return need[1] <= self._how.spec.weight_buffer.kib * 8192

    def _pixel_bits(self, place: int) -> int:
        """Bits of all channels of a pixel of the map between."""
        layer = self._layer(place)
        return layer.G * layer.K * widths(layer.bits, self._how.spec).output

    def _layer(self, place: int) -> Layer:
        layer = self._lives.nodes[place].layer
        assert layer is not None
        return layer

    def _window(self, place: int) -> Window:
        source, after = self._lives.nodes[place : place + 2]
        window = reading_window(after, source)
        assert window is not None
        return window
