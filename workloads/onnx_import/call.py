"""One node being imported, as its operator's import sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from workloads.onnx_import.assembly import Assembly
from workloads.onnx_import.constants import parameter
from workloads.onnx_import.source import OnnxNode
from workloads.onnx_import.view import View


@dataclass(frozen=True, slots=True)
class Call:
    """A node, its inputs' values so far, and the shapes that inference gives its outputs."""

    node: OnnxNode
    assembly: Assembly
    constants: Mapping[str, NDArray[Any]]
    views: Mapping[str, View]
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the first output."""
        return self.shapes[self.node.outputs[0]]

    def has(self, index: int) -> bool:
        """Whether the optional input is given."""
        return index < len(self.node.inputs) and bool(self.node.inputs[index])

    def view(self, index: int = 0) -> View:
        """An input that must depend on the network's input."""
        name = self.node.inputs[index]
        if name not in self.views:
            raise self.node.error(f'input {index} ("{name}") is a constant: needs an activation there')
        return self.views[name]

    def constant(self, index: int) -> NDArray[Any] | None:
        """An input's value when it is a constant, None when it depends on the network's input or is left out."""
        return self.constants.get(self.node.inputs[index]) if self.has(index) else None

    def required(self, index: int) -> NDArray[Any]:
        """An input that must be a constant."""
        value = self.constant(index)
        if value is None:
            name = self.node.inputs[index] if self.has(index) else ""
            raise self.node.error(f'input {index} ("{name}") is not a constant: needs one')
        return value

    def parameter(self, index: int, name: str) -> NDArray[Any] | None:
        """What newer opsets give as constant input `index` and older ones as attribute `name`."""
        values = [self.required(i) if i and self.has(i) else None for i in range(index + 1)]
        return parameter(self.node, values, index, name)

    def activation(self, view: View, kind: str) -> View:
        """An elementwise function without parameters, in whatever layout its input has."""
        view = self.unpadded(view)
        return view.on(self.assembly.builder.activation(self.name(), view.node, kind))

    def unpadded(self, view: View) -> View:
        """The view with its pending padding, if any, put into memory."""
        return view if view.padding is None else self.assembly.plain(view)

    def name(self, suffix: str = "") -> str:
        """A fresh node name from the ONNX node's."""
        return self.assembly.unique(self.node.label + suffix)


Operator = Callable[[Call], tuple[View, ...]]
"""Imports a node: adds what it needs to the assembly and returns the views of its outputs."""
