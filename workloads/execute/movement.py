"""Operations that move elements and compute nothing: the same on integers and on real values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.network import Node

MOVING_OPS = frozenset({"slice", "reshape", "flatten", "transpose", "identity", "shuffle"})
"""Address operations of one operand."""


def move(node: Node, x: NDArray[Any]) -> NDArray[Any]:
    """The operand's elements where the node puts them. Raises InputError for an operation without known meaning."""
    if node.op == "transpose":
        return x.transpose(node.attributes["axes"])
    if node.op == "slice":
        starts, steps = node.attributes["starts"], node.attributes["steps"]
        for axis, (start, step, extent) in enumerate(zip(starts, steps, node.shape, strict=True)):
            x = np.take(x, range(start, start + step * extent, step), axis)
        return x
    if node.op == "shuffle":
        n, c, h, w = x.shape
        groups = node.attributes["groups"]
        return x.reshape(n, groups, c // groups, h, w).swapaxes(1, 2).reshape(x.shape)
    if node.op in MOVING_OPS:
        return x.reshape(node.shape)
    raise InputError(f'operation "{node.op}" cannot be executed on values', source=f"node {node.name}")


def pad(node: Node, x: NDArray[Any], fill: Any) -> NDArray[Any]:
    """The operand with elements around it: `fill`, or its own edges or reflection."""
    mode = node.attributes["mode"]
    options = {"constant_values": fill} if mode == "constant" else {}
    return np.asarray(np.pad(x, node.attributes["amounts"], mode, **options))
