"""Workloads: what is to be computed, with no word of how it is mapped or on what it runs.

Reading order: `layer` (the eight-dimensional loop nest), `network` (nodes in a graph), `builder` (how one is made, with
`shapes` and `fusion` below it), `zoo` (the networks of the papers), `parameters` (counting them), `layer_list` and
`scalesim_csv` (networks from files), `load` (one door to all of them), `pattern` and `zeros` (where zeros lie),
`operands` (integers for a layer that has none).
"""

from workloads.errors import InputError
from workloads.layer import Bits, Density, Layer, Operand, Tensors
from workloads.load import load
from workloads.network import Network, Node
from workloads.pattern import Pattern, Patterns

__all__ = [
    "Bits",
    "Density",
    "InputError",
    "Layer",
    "Network",
    "Node",
    "Operand",
    "Pattern",
    "Patterns",
    "Tensors",
    "load",
]
