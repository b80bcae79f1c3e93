"""SCALE-Sim topology files: a convolution or a matrix product a line, told apart by the header.

    Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
    Layer, M, N, K,

Samajdar et al.: A Systematic Methodology for Characterizing Scalability of DNN Accelerators using SCALE-Sim,
ISPASS 2020.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from workloads.errors import InputError
from workloads.fields import whole
from workloads.layer import Layer
from workloads.layer_set import independent_layers
from workloads.network import Network
from workloads.pattern import UNIFORM, Pattern, Patterns

CONV_COLUMNS = ("IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width", "Channels", "Num Filter", "Strides")
GEMM_COLUMNS = ("M", "N", "K")


def load_scalesim_csv(path: str | Path) -> Network:
    """The network of independent layers that a topology file lists, named after the file.

    The IFMAP extents hold the padding already, so none is added. There are `ceil((ifmap - filter + stride) / stride)`
    outputs along an axis, as SCALE-Sim counts them: where the stride does not divide, the last window reaches beyond
    the map, and what it reads there is zero. A second stride column is that of the width. A sparsity column "N:M"
    says that N weights of every M input channels are nonzero. M counts output pixels, K the summed products, N the
    filters. A layer name that appears again gets "#2", "#3", ...

    Raises InputError naming the file, the line, the column, the value and what would do.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [(number, _cells(row)) for number, row in enumerate(csv.reader(file), start=1)]
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", source=path) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"not a CSV file: {error}", source=path) from None
    lines = [(number, cells) for number, cells in lines if cells]
    if not lines:
        raise InputError("empty: needs a SCALE-Sim topology with a header line", source=path)
    columns = _columns(lines[0][1], path)
    if len(lines) == 1:
        raise InputError("no layer after the header: needs one at least", source=path)
    seen: Counter[str] = Counter()
    layers = []
    for number, cells in lines[1:]:
        seen[cells[0]] += 1
        name = cells[0] if seen[cells[0]] == 1 else f"{cells[0]}#{seen[cells[0]]}"
        layers.append(_layer(name, cells[1:], columns, f"{path}: line {number}"))
    try:
        return independent_layers(path.stem, layers)
    except InputError as error:
        raise InputError(str(error), source=path) from None


def _cells(row: list[str]) -> list[str]:
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _columns(header: list[str], path: Path) -> tuple[str, ...]:
    names = [" ".join(cell.lower().split()) for cell in header[1:]]
    if names[:3] == [column.lower() for column in GEMM_COLUMNS]:
        return GEMM_COLUMNS
    maps = [column.lower() for column in CONV_COLUMNS[:-1]]
    if names[:6] == maps and len(names) > 6 and names[6].startswith("stride"):
        return CONV_COLUMNS
    problem = f'header "{", ".join(header)}": needs "Layer name, {", ".join(CONV_COLUMNS)}" or "Layer, M, N, K"'
    raise InputError(problem, source=path)


def _layer(name: str, cells: list[str], columns: tuple[str, ...], where: str) -> Layer:
    if not name:
        raise InputError("the layer name is empty: needs one", source=where)
    patterns = UNIFORM
    if len(cells) > len(columns) and ":" in cells[-1]:
        patterns = Patterns(weight=_ratio(cells.pop(), where))
    allowed = columns if columns is GEMM_COLUMNS else (*columns, "Stride Width")
    if not len(columns) <= len(cells) <= len(allowed):
        problem = f"{len(cells)} numbers after the layer name: needs {len(columns)}, {', '.join(columns)}"
        raise InputError(problem, source=where)
    values = {column: _whole(cell, column, where) for column, cell in zip(allowed, cells, strict=False)}
    if columns is GEMM_COLUMNS:
        return Layer(name, op="matmul", K=values["N"], C=values["K"], P=values["M"], patterns=patterns)
    strides = (values["Strides"], values.get("Stride Width", values["Strides"]))
    p, below = _outputs(values, "Height", strides[0], where)
    q, beyond = _outputs(values, "Width", strides[1], where)
    return Layer(
        name,
        K=values["Num Filter"],
        C=values["Channels"],
        P=p,
        Q=q,
        R=values["Filter Height"],
        S=values["Filter Width"],
        stride=strides,
        padding=(0, 0, below, beyond),
        patterns=patterns,
    )


def _outputs(values: dict[str, int], axis: str, stride: int, where: str) -> tuple[int, int]:
    """(outputs along an axis, zeros that the last window reads beyond the map)."""
    size, taps = values[f"IFMAP {axis}"], values[f"Filter {axis}"]
    if taps > size:
        problem = f"Filter {axis} = {taps}: needs at most IFMAP {axis} = {size}, which is to hold the padding"
        raise InputError(problem, source=where)
    outputs = -(-(size - taps + stride) // stride)
    return outputs, (outputs - 1) * stride + taps - size


def _whole(cell: str, column: str, where: str) -> int:
    if not cell.isascii() or not cell.isdigit() or len(cell) > 10:
        raise InputError(f'{column} = "{cell}": needs a whole number from 1 up', source=where)
    return whole(int(cell), column, where)


def _ratio(cell: str, where: str) -> Pattern:
    nonzero, _, block = cell.partition(":")
    n, m = (_whole(part.strip(), "Sparsity", where) for part in (nonzero, block))
    if n > m:
        raise InputError(f'Sparsity = "{cell}": needs N:M with N at most M', source=where)
    return Pattern("n_of_m", n, m)
