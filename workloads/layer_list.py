"""Layer lists: a TOML file with one `[[layer]]` table a layer, for those who only have shapes.

    name = "two layers"                           # optional, as is citation
    [[layer]]
    name = "conv1"
    op = "conv"                                   # or "matmul"
    K = 64                                        # any of G N K C P Q R S; omitted ones are 1
    C = 3
    P = 112
    Q = 112
    R = 7
    S = 7
    stride = 2                                    # or [h, w]
    dilation = [1, 1]                             # [h, w]
    padding = [3, 3, 2, 2]                        # [top, left, bottom, right]
    density = { input = 0.4, weight = 0.3 }       # shares of nonzero words
    pattern = { weight = "2:4" }                  # where zeros lie when drawn, see workloads.pattern
    skew = { input = 0.5 }                        # how unevenly they are spread over channels, 0 to 1
    codebook_bits = 4                             # weights are drawn from 16 values
    bits = { input = 8, weight = 8, output = 16 }
    tensors = "conv1.npz"                         # integer arrays input and weight; they replace the density

The layers are independent: none reads another's output. `tensors` is relative to the list's folder, its `input` in
(G*C, H, W) or (N, G*C, H, W) and its `weight` in (G*K, C, R, S). `weight_is_activation = true` marks a product of two
activations. Reading a list runs no code: TOML is data, and pickled arrays are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workloads.errors import InputError
from workloads.fields import flag, refuse_unknown, share, subtable, text, whole, wholes
from workloads.layer import DIMS, OPERAND_NAMES, Bits, Density, Layer
from workloads.layer_set import independent_layers
from workloads.network import Network
from workloads.pattern import Pattern, Patterns
from workloads.tensor_file import load_tensors
from workloads.toml_file import read_toml

FIELDS = (
    *("name", "op", *DIMS, "stride", "dilation", "padding"),
    *("density", "pattern", "skew", "codebook_bits", "bits", "tensors", "weight_is_activation"),
)


def load_layer_list(path: str | Path) -> Network:
    """The network of independent layers that a TOML file lists; its name is the file's unless given.

    Raises InputError naming the file, the layer, the field, the value and what would do.
    """
    path = Path(path)
    document = read_toml(path)
    refuse_unknown(document, ("name", "citation", "layer"), str(path))
    name = text(document, "name", str(path), path.stem)
    citation = text(document, "citation", str(path)) if "citation" in document else ""
    tables = document.get("layer")
    if not isinstance(tables, list) or not tables:
        raise InputError("no layer: needs one [[layer]] table at least", source=path)
    layers = [_layer(table, number, path) for number, table in enumerate(tables, start=1)]
    try:
        return independent_layers(name, layers, citation)
    except InputError as error:
        raise InputError(str(error), source=path) from None


def dump_layer_list(network: Network) -> str:
    """The compute layers of a network as the TOML text of a layer list. Tensors stay behind: they are files.

    Raises InputError when it has none.
    """
    if not network.layers:
        raise InputError(f"has no layer with MACs for a list, only {', '.join(left_out(network))}", source=network.name)
    head = [f"name = {_quoted(network.name)}"]
    if network.citation:
        head.append(f"citation = {_quoted(network.citation)}")
    return "\n".join(head) + "\n" + "".join("\n" + _dump(layer) for layer in network.layers)


def left_out(network: Network) -> tuple[str, ...]:
    """The kinds of operations that a layer list of the network lacks, each once: those without MACs."""
    kinds = [kind for node in network.nodes for kind in (node.op if node.layer is None else None, node.activation)]
    return tuple(dict.fromkeys(kind for kind in kinds if kind is not None))


def _layer(table: object, number: int, path: Path) -> Layer:
    where = f"{path}: layer {number}"
    if not isinstance(table, dict):
        raise InputError(f"{table!r}: needs a [[layer]] table", source=where)
    name = text(table, "name", where)
    where = f"{path}: layer {name}"
    refuse_unknown(table, FIELDS, where)
    op = text(table, "op", where)
    extents: dict[str, Any] = {dim: whole(table[dim], dim, where) for dim in DIMS if dim in table}
    stride = _stride(table.get("stride", 1), where)
    dilation = _two(table.get("dilation", [1, 1]), "dilation", where)
    padding = _four(table.get("padding", [0, 0, 0, 0]), where)
    bits, density, patterns = _bits(table, where), _density(table, where), _patterns(table, where)
    is_activation = flag(table.get("weight_is_activation", False), "weight_is_activation", where)
    try:
        layer = Layer(
            name,
            op,
            **extents,
            stride=stride,
            dilation=dilation,
            padding=padding,
            bits=bits,
            density=density,
            weight_is_activation=is_activation,
            patterns=patterns,
        )
    except InputError as error:
        raise InputError(str(error), source=path) from None
    if "tensors" not in table:
        return layer
    tensors = load_tensors(path.parent / text(table, "tensors", where), layer, where)
    try:
        return layer.with_tensors(tensors)
    except InputError as error:
        raise InputError(str(error), source=path) from None


def _stride(value: object, where: str) -> tuple[int, int]:
    if isinstance(value, list):
        return _two(value, "stride", where)
    step = whole(value, "stride", where)
    return (step, step)


def _two(value: object, what: str, where: str) -> tuple[int, int]:
    h, w = wholes(value, what, "h, w", where)
    return (h, w)


def _four(value: object, where: str) -> tuple[int, int, int, int]:
    top, left, bottom, right = wholes(value, "padding", "top, left, bottom, right", where, least=0)
    return (top, left, bottom, right)


def _bits(table: Mapping[str, Any], where: str) -> Bits:
    given = subtable(table, "bits", OPERAND_NAMES, where)
    widths = {key: whole(value, f"bits.{key}", where) for key, value in given.items()}
    try:
        return Bits(**widths)
    except InputError as error:
        raise InputError(str(error), source=where) from None


def _density(table: Mapping[str, Any], where: str) -> Density:
    given = subtable(table, "density", OPERAND_NAMES, where)
    return Density(**{key: share(value, f"density.{key}", where) for key, value in given.items()})


def _patterns(table: Mapping[str, Any], where: str) -> Patterns:
    kinds, skews = subtable(table, "pattern", OPERAND_NAMES, where), subtable(table, "skew", OPERAND_NAMES, where)
    bits = whole(table["codebook_bits"], "codebook_bits", where) if "codebook_bits" in table else 0
    found = {}
    try:
        for operand in {**kinds, **skews}:
            kind = text(kinds, operand, f"{where}, pattern", "unstructured")
            found[operand] = Pattern.parse(kind, share(skews.get(operand, 0.0), f"skew.{operand}", where))
        return Patterns(**found, codebook_bits=bits)
    except InputError as error:
        raise error if str(error).startswith(where) else InputError(str(error), source=where) from None


def _dump(layer: Layer) -> str:
    lines = ["[[layer]]", f"name = {_quoted(layer.name)}", f"op = {_quoted(layer.op)}"]
    lines += [f"{dim} = {extent}" for dim, extent in zip(DIMS, layer.extents, strict=True) if extent != 1]
    if layer.stride != (1, 1):
        same = layer.stride[0] == layer.stride[1]
        lines.append(f"stride = {layer.stride[0] if same else list(layer.stride)}")
    if layer.dilation != (1, 1):
        lines.append(f"dilation = {list(layer.dilation)}")
    if any(layer.padding):
        lines.append(f"padding = {list(layer.padding)}")
    for key, values, default in (("density", layer.density, 1.0), ("bits", layer.bits, None)):
        stated = {operand: getattr(values, operand) for operand in OPERAND_NAMES}
        inside = ", ".join(f"{operand} = {value}" for operand, value in stated.items() if value != default)
        if inside:
            lines.append(f"{key} = {{ {inside} }}")
    kinds = {operand: str(getattr(layer.patterns, operand)) for operand in OPERAND_NAMES}
    if inside := ", ".join(f'{operand} = "{kind}"' for operand, kind in kinds.items() if kind != "unstructured"):
        lines.append(f"pattern = {{ {inside} }}")
    skews = {operand: getattr(layer.patterns, operand).skew for operand in OPERAND_NAMES}
    if inside := ", ".join(f"{operand} = {skew}" for operand, skew in skews.items() if skew):
        lines.append(f"skew = {{ {inside} }}")
    if layer.patterns.codebook_bits:
        lines.append(f"codebook_bits = {layer.patterns.codebook_bits}")
    if layer.weight_is_activation:
        lines.append("weight_is_activation = true")
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    # A JSON text is a TOML text too, but for the one control character that JSON lets through.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
