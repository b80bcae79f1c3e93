"""Types and shapes of tensors, node by node, by the onnx package's own inference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import checker, defs, helper, numpy_helper, shape_inference

from workloads.errors import InputError
from workloads.onnx_import.source import OnnxNode

MOST_VALUES = 4096
"""Constants up to this many elements are shown to the inference: shapes, axes, pads; never weights."""
FAILURES = (shape_inference.InferenceError, checker.ValidationError, defs.SchemaError, RuntimeError, ValueError)
"""What the inference raises on a node that makes no sense."""


class Types:
    """The type of every tensor seen so far."""

    def __init__(self, model: onnx.ModelProto, path: Path) -> None:
        self.path = path
        self.types: dict[str, onnx.TypeProto] = {}
        self._imports = list(model.opset_import)
        self._context = checker.C.CheckerContext()
        self._context.ir_version = model.ir_version
        self._context.opset_imports = {entry.domain: entry.version for entry in model.opset_import}

    def add_input(self, value: onnx.ValueInfoProto) -> tuple[int, ...]:
        """The shape of a network input; a free extent of its first axis is the batch and becomes 1."""
        tensor = value.type.tensor_type
        if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
            raise InputError(f'input "{value.name}" has no shape: store one in the file', source=self.path)
        shape = []
        for axis, dim in enumerate(tensor.shape.dim):
            extent = dim.dim_value if dim.HasField("dim_value") else 1 if axis == 0 else 0
            if extent < 1:
                named = f' ("{dim.dim_param}")' if dim.dim_param else ""
                raise InputError(
                    f'input "{value.name}": extent of axis {axis}{named} is unknown: fix it in the file, '
                    "only the batch axis (0) may be free",
                    source=self.path,
                )
            shape.append(int(extent))
        self.types[value.name] = helper.make_tensor_type_proto(tensor.elem_type, shape)
        return tuple(shape)

    def add_constant(self, name: str, value: NDArray[Any]) -> None:
        self.types[name] = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)

    def check(self, node: OnnxNode) -> None:
        """Raises InputError when the node does not keep to its operator's definition: attributes, number of inputs."""
        try:
            checker.check_node(node.proto, self._context)
        except (checker.ValidationError, ValueError) as error:  # ValueError: a message that is not UTF-8
            raise node.error(f"malformed: {error}") from error

    def infer(
        self, node: OnnxNode, constants: Mapping[str, NDArray[Any]], read: Mapping[str, int]
    ) -> dict[str, tuple[int, ...]]:
        """Shapes of the outputs in `read`. Raises InputError when the inference fails or leaves an extent unknown."""
        known = {name: constants[name] for name in node.inputs if name in constants}
        try:
            found = shape_inference.infer_node_outputs(
                defs.get_schema(node.op, node.opset, ""),
                node.proto,
                {name: self.types[name] for name in node.inputs if name},
                {
                    name: numpy_helper.from_array(np.ascontiguousarray(value), name)
                    for name, value in known.items()
                    if value.size <= MOST_VALUES
                },
                opset_imports=self._imports,
            )
        except FAILURES as error:
            raise node.error(f"shape inference fails: {error}") from error
        self.types.update(found)
        return {name: self._shape(node, name, found) for name in node.outputs if name in read}

    def _shape(self, node: OnnxNode, name: str, found: Mapping[str, onnx.TypeProto]) -> tuple[int, ...]:
        given = found.get(name)
        if given is None or not given.HasField("tensor_type") or not given.tensor_type.HasField("shape"):
            raise node.error(f'the shape of its output "{name}" is unknown: fix the input shapes or simplify the graph')
        extents = tuple(int(dim.dim_value) if dim.HasField("dim_value") else 0 for dim in given.tensor_type.shape.dim)
        if 0 in extents or any(extent < 0 for extent in extents):
            raise node.error(
                f'output "{name}": extent of axis {extents.index(min(extents))} is unknown after shape inference '
                f"({list(extents)}, unknown as 0): fix the input shapes or simplify the graph"
            )
        return extents
