"""What is done to a list of nodes before it becomes a network: activations merged, dead nodes dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from workloads.errors import InputError
from workloads.network import ADDRESS_OPS, Node

ACTIVATIONS = frozenset(
    {
        *("relu", "relu6", "sigmoid", "tanh", "hard_sigmoid", "hard_swish"),
        *("silu", "gelu", "gelu_tanh", "erf", "sqrt"),
    }
)
"""Elementwise functions without parameters: the ones a node may carry as its `activation`."""


def require_activation(kind: str, where: str) -> None:
    """Raises InputError when a node cannot carry `kind`."""
    if kind not in ACTIVATIONS:
        raise InputError(f'activation = "{kind}": must be one of {", ".join(sorted(ACTIVATIONS))}', source=where)


def needed_nodes(nodes: Sequence[Node], results: Sequence[str]) -> tuple[Node, ...]:
    """The nodes that `results` depend on, in the same order."""
    needed = set(results)
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return tuple(node for node in nodes if node.name in needed)


def fuse_activations(nodes: Sequence[Node], results: Sequence[str] = ()) -> tuple[Node, ...]:
    """The nodes with each activation merged into the node that it alone reads; the producer's name stays.

    The merged node takes the activation's place in the order, so that the last node stays the result. What is itself
    one of the `results` is read by the user too.
    """
    readers = Counter(source for node in nodes for source in node.inputs) + Counter(results)
    merged: dict[str, Node] = {}
    renamed: dict[str, str] = {}
    for node in nodes:
        inputs = tuple(renamed.get(source, source) for source in node.inputs)
        producer = merged.get(inputs[0]) if inputs else None
        if node.op in ACTIVATIONS and producer is not None and readers[node.inputs[0]] == 1 and _can_fuse(producer):
            renamed[node.name] = producer.name
            del merged[producer.name]
            merged[producer.name] = replace(producer, activation=node.op)
        else:
            merged[node.name] = replace(node, inputs=inputs)
    return tuple(merged.values())


def _can_fuse(producer: Node) -> bool:
    return producer.activation is None and producer.op not in ADDRESS_OPS | ACTIVATIONS
