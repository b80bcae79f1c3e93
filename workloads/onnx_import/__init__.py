"""ONNX import: a file becomes a Network of layers, vector operations and address operations, with its parameters.

Reading order: reader (the file), source (one ONNX node), constants (what is known beforehand), view (layouts that cost
nothing), graph (the walk), then the operators by family: compute, pooling, elementwise, normalisation, movement.
"""

from __future__ import annotations

from pathlib import Path

from workloads.network import Network


def load_onnx(path: str | Path) -> Network:
    """The network of an ONNX file.

    Batch norms and constant scales are folded into the layer that feeds them; a free batch extent is 1.
    Runs no code of the file and reads nothing outside its folder. Raises InputError naming the file, the node and the
    tensor for anything that cannot be imported faithfully: unknown operators, unknown extents, damaged files.
    """
    from workloads.onnx_import.graph import import_graph
    from workloads.onnx_import.reader import read_model

    path = Path(path)
    return import_graph(read_model(path), path)


__all__ = ["load_onnx"]
