"""The walk over an ONNX graph: constants are evaluated, every other node is handed to its operator's import."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from workloads.errors import InputError
from workloads.network import Network
from workloads.onnx_import import compute, elementwise, movement, normalisation, pooling
from workloads.onnx_import.assembly import Assembly
from workloads.onnx_import.call import Call, Operator
from workloads.onnx_import.constants import EVALUATORS, NOT_FINITE, evaluate
from workloads.onnx_import.inference import Types
from workloads.onnx_import.source import STANDARD_DOMAINS, OnnxNode
from workloads.onnx_import.view import View

OPERATORS: dict[str, Operator] = {
    **compute.OPERATORS,
    **pooling.OPERATORS,
    **elementwise.OPERATORS,
    **normalisation.OPERATORS,
    **movement.OPERATORS,
}
SHAPE_OPERATORS = frozenset({"Shape", "Size"})
"""Read a tensor's shape, never its values: constants, since every shape is known."""


def import_graph(model: onnx.ModelProto, path: Path) -> Network:
    """The network of a parsed model. Raises InputError as `load_onnx` says."""
    opset = next((int(entry.version) for entry in model.opset_import if entry.domain in STANDARD_DOMAINS), 0)
    nodes = [OnnxNode(proto, path, opset) for proto in model.graph.node]
    for node in nodes:
        _require_known(node)
    walk = _Walk(model, path)
    for node in _needed(nodes, {value.name for value in model.graph.output}):
        walk.step(node)
    return walk.finish([value.name for value in model.graph.output])


class _Walk:
    def __init__(self, model: onnx.ModelProto, path: Path) -> None:
        graph = model.graph
        self.path = path
        self.assembly = Assembly(path.stem, path)
        self.types = Types(model, path)
        self.constants: dict[str, NDArray[Any]] = {}
        self.views: dict[str, View] = {}
        self.readers = Counter(
            name for node in graph.node if node.op_type not in SHAPE_OPERATORS for name in set(node.input)
        )
        self.readers.update(value.name for value in graph.output)
        for tensor in graph.initializer:
            self._set_constant(tensor.name, _array(tensor, path))
        for value in graph.input:
            if value.name not in self.constants:
                shape = self.types.add_input(value)
                name = self.assembly.builder.add_input(self.assembly.unique(value.name), shape)
                self.views[value.name] = View.of(name, shape)

    def step(self, node: OnnxNode) -> None:
        """Evaluates or imports one node whose inputs are known."""
        self.types.check(node)
        for name in node.outputs:
            if name and (name in self.constants or name in self.views):
                raise node.error(f'makes "{name}", which is made before it too')
        for name in node.inputs:
            if name and name not in self.constants and name not in self.views:
                raise node.error(f'reads "{name}", which nothing before it makes')
        if node.op in SHAPE_OPERATORS:
            return self._set_constant(node.outputs[0], self._shape_value(node))
        if all(not name or name in self.constants for name in node.inputs):
            return self._evaluate(node)
        if node.op not in OPERATORS:
            raise node.error("is known for constant inputs only: rewrite the graph so that its inputs are constants")
        shapes = self.types.infer(node, self.constants, self.readers)
        results = self._import(Call(node, self.assembly, self.constants, self.views, shapes))
        for name, view in zip(node.outputs, results, strict=False):
            if name in shapes:
                self._set_view(node, name, view, shapes[name])
        for name in node.outputs[len(results) :]:
            if name in shapes:
                raise node.error(f'its output "{name}" is read: only its first {len(results)} can be')

    def finish(self, outputs: list[str]) -> Network:
        """The network, every graph output laid out in memory."""
        for name in outputs:
            if name not in self.views:
                raise InputError(f'output "{name}" does not depend on any input', source=self.path)
            self.assembly.in_memory(self.views[name])
        return self.assembly.finish()

    def _import(self, call: Call) -> tuple[View, ...]:
        """The views of a node's outputs; whatever its operator's import trips over is told with file and node."""
        try:
            with np.errstate(**NOT_FINITE):
                return OPERATORS[call.node.op](call)
        except InputError as error:
            if str(error).startswith(str(self.path)):
                raise
            raise call.node.error(str(error)) from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise call.node.error(f"cannot be imported: {error}") from error

    def _evaluate(self, node: OnnxNode) -> None:
        if node.op not in EVALUATORS:
            raise node.error("has constant inputs only, which it is not evaluated on: fold it before the export")
        values = evaluate(node, [self.constants[name] if name else None for name in node.inputs])
        for name, value in zip(node.outputs, values, strict=False):
            self._set_constant(name, value)

    def _shape_value(self, node: OnnxNode) -> NDArray[Any]:
        source = node.inputs[0]
        shape = self.constants[source].shape if source in self.constants else self.views[source].shape
        if node.op == "Size":
            return np.asarray(np.prod(shape), np.int64)
        return np.asarray(shape[slice(node.attribute("start", 0), node.attribute("end"))], np.int64)

    def _set_constant(self, name: str, value: NDArray[Any]) -> None:
        self.constants[name] = value
        self.types.add_constant(name, value)

    def _set_view(self, node: OnnxNode, name: str, view: View, shape: tuple[int, ...]) -> None:
        if view.shape != shape:
            raise node.error(f'output "{name}" comes out as {list(view.shape)}, shape inference says {list(shape)}')
        self.views[name] = replace(view, exclusive=view.exclusive and self.readers[name] <= 1)


def _array(tensor: onnx.TensorProto, path: Path) -> NDArray[Any]:
    try:
        return numpy_helper.to_array(tensor)
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(f'tensor "{tensor.name}" is damaged: {error}', source=path) from error


def _require_known(node: OnnxNode) -> None:
    if not node.is_standard:
        raise node.error(f'its domain "{node.proto.domain}" is not standard ONNX: export with standard operators')
    if node.op in compute.REFUSED:
        raise node.error(compute.REFUSED[node.op])
    if node.op not in OPERATORS and node.op not in EVALUATORS and node.op not in SHAPE_OPERATORS:
        known = ", ".join(sorted(OPERATORS))
        raise node.error(f"is not a supported operator: rewrite it with some of {known}")


def _needed(nodes: list[OnnxNode], wanted: set[str]) -> list[OnnxNode]:
    """The nodes some output depends on, in order; the rest would do no work."""
    needed = []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            wanted = wanted.union(node.inputs)
            needed.append(node)
    return needed[::-1]
