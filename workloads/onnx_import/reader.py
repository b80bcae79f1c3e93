"""Reads an ONNX file as data: parsed, checked, nothing outside its folder touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import checker, external_data_helper

from workloads.errors import InputError
from workloads.missing import lack


def read_model(path: Path) -> onnx.ModelProto:
    """The parsed model with its external data loaded.

    Raises InputError when the file is missing, truncated, not ONNX, or keeps data outside its own folder.
    """
    if wrong := lack(path):
        raise InputError(f"{wrong}: needs an .onnx file", source=path)
    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, OSError, ValueError) as error:
        raise InputError(
            f"not a whole ONNX file ({str(error) or type(error).__name__}): needs one that is neither truncated nor of "
            "another format",
            source=path,
        ) from error
    if not model.graph.node or not model.opset_import:
        raise InputError("holds no ONNX graph: needs a model with nodes and an opset", source=path)
    _load_external_data(model, path)
    return model


def _load_external_data(model: onnx.ModelProto, path: Path) -> None:
    folder = path.resolve().parent
    outside = False
    for tensor in _tensors(model.graph):
        if not external_data_helper.uses_external_data(tensor):
            continue
        outside = True
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        if not (folder / location).resolve().is_relative_to(folder):
            raise InputError(
                f'tensor "{tensor.name}" lies in "{location}", outside the folder of the file', source=path
            )
    if not outside:
        return
    try:
        external_data_helper.load_external_data_for_model(model, str(folder))
    except (OSError, ValueError, checker.ValidationError) as error:
        raise InputError(f"external data cannot be read: {error}", source=path) from error


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
