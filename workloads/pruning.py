"""Densities of pruned networks by layer: published ones, and those of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

from workloads.errors import InputError
from workloads.fields import refuse_unknown, share, subtable
from workloads.layer import OPERAND_NAMES, Density, Layer
from workloads.network import Network
from workloads.toml_file import read_toml

Percents = Mapping[str, tuple[int, int]]
"""By layer: nonzero weights, and nonzero outputs, in percent."""

HAN_2015: Mapping[str, Percents] = MappingProxyType(
    {
        "alexnet": {
            "conv1": (84, 88), "conv2": (38, 52), "conv3": (35, 37), "conv4": (37, 40), "conv5": (37, 34),
            "fc6": (9, 36), "fc7": (9, 40), "fc8": (25, 100),
        },
        "vgg16": {
            "conv1_1": (58, 53), "conv1_2": (22, 89), "conv2_1": (34, 80), "conv2_2": (36, 81), "conv3_1": (53, 68),
            "conv3_2": (24, 70), "conv3_3": (42, 64), "conv4_1": (32, 51), "conv4_2": (27, 45), "conv4_3": (34, 34),
            "conv5_1": (35, 32), "conv5_2": (29, 29), "conv5_3": (36, 19), "fc6": (4, 38), "fc7": (4, 42),
            "fc8": (23, 100),
        },
    }
)  # fmt: skip
"""S. Han, J. Pool, J. Tran, W. Dally, "Learning both Weights and Connections for Efficient Neural Networks", NIPS 2015,
Tables 4 and 5."""

PRUNINGS: Mapping[str, Mapping[str, Percents]] = MappingProxyType({"han2015": HAN_2015})


def pruned(network: Network, name: str) -> Network:
    """The network with the densities published under a name; a layer's input has those of the layer before it.

    Pooling in between changes them; the papers do not print how. Raises InputError for a name, or a network that was
    not pruned under it.
    """
    if name not in PRUNINGS:
        raise InputError(f'unknown densities "{name}": one of {", ".join(PRUNINGS)}')
    published = PRUNINGS[name].get(network.name)
    if published is None:
        raise InputError(f'densities "{name}": of {" and ".join(PRUNINGS[name])}, not of {network.name}')
    given = 1.0
    found: dict[str, Density] = {}
    for layer, (weight, output) in published.items():
        found[layer] = Density(given, weight / 100, output / 100)
        given = output / 100

    def change(layer: Layer) -> Layer:
        return replace(layer, density=found[layer.name])

    return network.map_layers(change)


def with_density_file(network: Network, path: str | Path) -> Network:
    """The network with the densities of a TOML file, a line like `conv1 = { input = 0.9, weight = 0.4 }` a layer.

    A layer or an operand that is not named keeps its own. Raises InputError naming the file, the layer and the value.
    """
    document = read_toml(path)
    refuse_unknown(document, [layer.name for layer in network.layers], str(path))

    def change(layer: Layer) -> Layer:
        where = f"{path}: {layer.name}"
        given = subtable(document, layer.name, OPERAND_NAMES, str(path))
        stated = {key: share(value, key, where) for key, value in given.items()}
        return replace(layer, density=Density(**(asdict(layer.density) | stated)))

    return network.map_layers(change)
