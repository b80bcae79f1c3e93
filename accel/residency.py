"""What of a layer stays on chip: feature maps, from the operation that makes them to the last that reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import prod

from accel.spec import Accelerator
from workloads import Network, Node


@dataclass(frozen=True, slots=True)
class Residency:
    """What of a layer stays on chip: maps that skip the DRAM, and bits of the buffers that others take up.

    `turn_loops`: outer off-chip loops between whose iterations another layer takes the array and the buffers. Every
    such turn is set up anew, and loads nothing before the turn before is over.
    """

    input: bool = False
    output: bool = False
    reserved_bits: int = 0
    reserved_weight_bits: int = 0
    turn_loops: int = 0


NOWHERE = Residency()
"""Nothing of the layer stays on chip before or after it."""


_TILE_SHARE = 4
"""A quarter of the buffer stays free for the tiles of whatever is not kept, unless a search finds tiles that fit."""


def sources(network: Network, name: str) -> tuple[str, ...]:
    """The tensors behind a name: concatenations, reshapes and the like are addresses of what their inputs hold."""
    if name in network.inputs:
        return (name,)
    node = network.node(name)
    if not node.is_address:
        return (name,)
    return tuple(dict.fromkeys(source for one in node.inputs for source in sources(network, one)))


@dataclass(frozen=True, slots=True)
class MapLife:
    """The places in graph order of the operation that makes a map and of the last that reads it; the map's bits."""

    made: int
    last_read: int
    bits: int

    @property
    def places(self) -> range:
        return range(self.made, self.last_read + 1)


@dataclass(frozen=True, slots=True, eq=False)
class MapLives:
    """The operations of a network in order, the maps each reads, and the lives of all maps that are read.

    `nodes` leaves addresses out, and layers that are not simulated. Results and network inputs have no life: they are
    written out, and come in. Nor has a map that a layer not simulated makes, reads or runs beside: what room that would
    leave is not known.
    """

    nodes: tuple[Node, ...]
    reads: Mapping[str, tuple[str, ...]]
    lives: Mapping[str, MapLife]
    capacity_bits: int

    @classmethod
    def of(cls, network: Network, spec: Accelerator, without: Collection[str] = ()) -> MapLives:
        """`without`: names of the layers that are not simulated."""
        every = tuple(node for node in network.nodes if not node.is_address)
        reads = {
            node.name: tuple(dict.fromkeys(source for one in node.inputs for source in sources(network, one)))
            for node in every
        }
        last_reader = {source: name for name, found in reads.items() for source in found}
        order = {node.name: number for number, node in enumerate(every)}
        nodes = tuple(node for node in every if node.name not in without)
        places = {node.name: place for place, node in enumerate(nodes)}
        bits = spec.pe_array.bits.input
        lives: dict[str, MapLife] = {}
        for node in nodes:
            if node.name not in last_reader:
                continue
            last = last_reader[node.name]
            if all(other.name in places for other in every[order[node.name] : order[last] + 1]):
                lives[node.name] = MapLife(places[node.name], places[last], node.words * bits)
        return cls(nodes, reads, lives, int(spec.data_buffer.kib * 8192))

    def alive_bits(self, kept: Collection[str], *places: int) -> int:
        """Bits of the kept maps that live at any of the places."""
        lives = (self.lives[name] for name in kept)
        return sum(life.bits for life in lives if any(place in life.places for place in places))

    def fits(self, kept: Collection[str], name: str, share: float = 1.0) -> bool:
        """Whether the kept maps that live together with a map fit a share of the buffer."""
        return all(self.alive_bits(kept, place) <= share * self.capacity_bits for place in self.lives[name].places)

    def greedy(self) -> frozenset[str]:
        """Maps in graph order, as long as all that live at once leave room for tiles."""
        kept: set[str] = set()
        for name in self.lives:
            if self.fits({*kept, name}, name, 1 - 1 / _TILE_SHARE):
                kept.add(name)
        return frozenset(kept)

    def residency(self, place: int, kept: Collection[str]) -> Residency:
        """What an operation finds on chip, leaves there, and has no room for."""
        name = self.nodes[place].name
        inputs = bool(self.reads[name]) and all(source in kept for source in self.reads[name])
        return Residency(inputs, name in kept, self.alive_bits(kept, place))

    def residencies(self, kept: Collection[str]) -> dict[str, Residency]:
        """Residency by operation."""
        return {node.name: self.residency(place, kept) for place, node in enumerate(self.nodes)}

    def alive_at(self, kept: Collection[str], place: int) -> Iterator[str]:
        """The kept maps that live at a place."""
        return (name for name in kept if place in self.lives[name].places)


def plan(network: Network, spec: Accelerator) -> dict[str, Residency]:
    """Residency by operation when maps are kept in graph order for as long as there is room."""
    lives = MapLives.of(network, spec)
    return lives.residencies(lives.greedy() if spec.data_buffer.keep_maps else ())


def words_from_dram(network: Network, node: Node, kept: Collection[str]) -> int:
    """Words of a node's operands that are not kept on chip."""
    words = 0
    for name in node.inputs:
        if not all(source in kept for source in sources(network, name)):
            words += prod(network.shape_of(name))
    return words
