"""Widths of the operands by layer: published ones, and those of a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from workloads.errors import InputError
from workloads.fields import refuse_unknown, subtable, whole
from workloads.layer import OPERAND_NAMES, Bits, Layer
from workloads.network import Network
from workloads.toml_file import read_toml

OTHERS = "others"
"""Stands for the layers a file does not name."""


def _ends(names: str, inner: Bits, ends: Bits) -> Mapping[str, Bits]:
    """The first and the last layer of one width, all between them of another."""
    first, *between, last = names.split()
    return {first: ends} | dict.fromkeys(between, inner) | {last: ends}


def _inputs(bits: Mapping[str, int], weight: int) -> Mapping[str, Bits]:
    return {name: Bits(width, weight) for name, width in bits.items()}


_ALEXNET = "conv1 conv2 conv3 conv4 conv5 fc6 fc7 fc8"
PUBLISHED: Mapping[str, Mapping[str, Mapping[str, Bits]]] = MappingProxyType(
    {
        "bit_fusion": {"alexnet": _ends(_ALEXNET, Bits(4, 4, 4), Bits(8, 8))},
        "stripes": {
            "alexnet": _inputs(
                {"conv1": 9, "conv2": 8, "conv3": 5, "conv4": 5, "conv5": 7, "fc6": 16, "fc7": 16, "fc8": 16}, 16
            )
        },
    }
)
"""By name and network. bit_fusion: Sharma et al., "Bit Fusion", ISCA 2018, Table II, after Mishra et al., "WRPN: Wide
Reduced-Precision Networks", ICLR 2018 (which widens the network, too). stripes: Judd et al., "Stripes", MICRO 2016,
Table I, inputs of convolutions without loss of accuracy; from memory of the paper."""


def published_bits(network: Network, name: str) -> Network:
    """The network with the widths published under a name. Raises InputError for a name, or another network."""
    if name not in PUBLISHED:
        raise InputError(f'unknown widths "{name}": one of {", ".join(PUBLISHED)}, two numbers, or a .toml file')
    found = PUBLISHED[name].get(network.name)
    if found is None:
        raise InputError(f'widths "{name}": of {" and ".join(PUBLISHED[name])}, not of {network.name}')
    return with_layer_bits(network, found)


def read_bits(path: str | Path, network: Network) -> Network:
    """The network with the widths of a file of lines like `conv1 = { input = 8, weight = 4, output = 8 }`.

    `others` stands for the layers it does not name; operands left out keep the widths they have. Raises InputError.
    """
    path = Path(path)
    tables = read_toml(path)
    names = tuple(layer.name for layer in network.layers)
    refuse_unknown(tables, (*names, OTHERS), str(path))
    found = {}
    for name in tables:
        where = f"{path}: layer {name}"
        given = subtable(tables, name, OPERAND_NAMES, str(path))
        try:
            found[name] = Bits(**{key: whole(value, f"{name}.{key}", str(path)) for key, value in given.items()})
        except InputError as error:
            raise InputError(str(error), source=where) from None
    others = found.pop(OTHERS, Bits())
    return with_layer_bits(network, dict.fromkeys(names, others) | found)


def with_layer_bits(network: Network, by_layer: Mapping[str, Bits]) -> Network:
    """The network with other widths in the layers named; None in them keeps what is there.

    Raises InputError for a layer that has tensors of its own.
    """

    def change(layer: Layer) -> Layer:
        given = by_layer.get(layer.name, Bits())
        if given == Bits():
            return layer
        if layer.tensors is not None:
            raise InputError("has tensors of its own: set its bits in the layer list", source=f"layer {layer.name}")
        own = layer.bits
        return replace(
            layer,
            bits=Bits(given.input or own.input, given.weight or own.weight, given.output or own.output),
        )

    return network.map_layers(change)
