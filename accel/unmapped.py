"""Layers that no mapping fits: left out of a network's simulation, which goes on with the others.

Nothing stays on chip from before such a layer to after it. What makes its input writes that to the DRAM and what reads
its output finds that there; maps that only live beside it go out and come back too, and no weights are fetched during
it. A pair that it would be half of is not fused.
"""

from __future__ import annotations

from dataclasses import replace

from accel.mapper import NoMapping
from accel.planning import NetworkSimulator, Progress, kept_maps
from workloads import InputError, Layer, Network


def without_unmapped(
    simulator: NetworkSimulator, tell: Progress
) -> tuple[NetworkSimulator, frozenset[str], dict[str, str]]:
    """(simulator of the layers that have a mapping, maps it keeps on chip, why others have none by name, in order).

    Raises the first refusal when no layer has a mapping.
    """
    network = simulator.network
    reasons: dict[str, str] = {}
    first: NoMapping | None = None
    while True:
        try:
            kept = kept_maps(simulator, tell)
        except NoMapping as refusal:
            first = first or refusal
            reasons |= _refused(network, refusal)
            simulator = simulator.without(reasons)
            if all(node.layer is None for node in simulator.lives.nodes):
                raise first from None
        else:
            return simulator, kept, {node.name: reasons[node.name] for node in network.nodes if node.name in reasons}


def _refused(network: Network, refusal: NoMapping) -> dict[str, str]:
    """The refusal of all layers alike, by name: a mapping is searched for one of them."""
    assert refusal.layer is not None
    asked, kind = refusal.layer.name, _kind(refusal.layer)
    reasons = {}
    for node in network.nodes:
        if node.layer is not None and _kind(node.layer) == kind:
            like = InputError(str(refusal), source=f"layer {node.name}, alike")
            reasons[node.name] = str(refusal if node.name == asked else like)
    return reasons


def _kind(layer: Layer) -> Layer:
    return replace(layer, name="", tensors=None)
