"""Which feature maps stay in the data buffer from the operation that makes them to the last that reads them."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from accel.lower import Residency
from accel.spec import Accelerator
from workloads import Network, Node

_TILE_SHARE = 4
"""A quarter of the buffer stays free for the tiles of whatever is not kept."""


def sources(network: Network, name: str) -> tuple[str, ...]:
    """The tensors behind a name: concatenations, reshapes and the like are addresses of what their inputs hold."""
    if name in network.inputs:
        return (name,)
    node = network.node(name)
    if not node.is_address:
        return (name,)
    return tuple(dict.fromkeys(source for one in node.inputs for source in sources(network, one)))


def plan(network: Network, spec: Accelerator, refused: Iterable[str] = ()) -> dict[str, Residency]:
    """Residency by node. Maps are kept in graph order as long as all that live at once fit; results are written out.

    `refused` names nodes whose tiles did not fit beside kept maps: nothing stays while they run.
    """
    if not spec.data_buffer.keep_maps:
        return {node.name: Residency() for node in network.nodes}
    nodes = [node for node in network.nodes if not node.is_address]
    order = {node.name: index for index, node in enumerate(nodes)}
    reads = {node.name: tuple(dict.fromkeys(s for one in node.inputs for s in sources(network, one))) for node in nodes}
    last_read = {source: order[name] for name, found in reads.items() for source in found}
    capacity = int(spec.data_buffer.kib * 8192)
    room = capacity - capacity // _TILE_SHARE
    alive = [0] * len(nodes)
    kept: set[str] = set()
    blocked = {order[name] for name in refused}
    for node in nodes:
        if node.name not in last_read:
            continue
        span = range(order[node.name], last_read[node.name] + 1)
        bits = node.words * spec.pe_array.bits.input
        if blocked.isdisjoint(span) and all(alive[index] + bits <= room for index in span):
            kept.add(node.name)
            for index in span:
                alive[index] += bits
    found = {node.name: Residency() for node in network.nodes}
    for node in nodes:
        inputs = bool(reads[node.name]) and all(source in kept for source in reads[node.name])
        found[node.name] = Residency(inputs, node.name in kept, alive[order[node.name]])
    return found


def words_from_dram(network: Network, node: Node, residencies: dict[str, Residency]) -> int:
    """Words of a node's operands that are not kept on chip."""
    words = 0
    for name in node.inputs:
        kept = [residencies[source].output for source in sources(network, name) if source not in network.inputs]
        if not kept or not all(kept):
            words += prod(network.shape_of(name))
    return words
