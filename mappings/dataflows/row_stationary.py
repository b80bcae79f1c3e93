"""Row stationary: every PE slides one filter row along one input row; a diagonal of PEs makes an output row.

Y.-H. Chen, J. Emer, V. Sze, "Eyeriss: A Spatial Architecture for Energy-Efficient Dataflow for CNNs", ISCA 2016, and
the parameters of "Eyeriss: An Energy-Efficient Reconfigurable Accelerator", JSSC 2017, Table III: a PE set is R rows by
e columns; r sets share an output (input channels), t sets share an input (filters); each PE interleaves p filters and
q channels over n images; m output channels stay in the data buffer until all input channels are done.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mappings.column import MappingColumn, Shape, grid
from mappings.dataflows.array import ArrayShape
from mappings.dataflows.tiling import ONE, Ints, close, splits
from mappings.mapping import Mapping
from workloads.errors import InputError
from workloads.layer import Layer

_MOST_SETS_ALONG_COLUMNS = 4
_ALL_UP_TO = 16
_FEWEST_FILTERS = 3
"""PEs take at least a third of the filters their registers could, or one."""
_AXES_OFF_CHIP = ("G", "N", "P", "K", "C", "R", "S", "K")
_OUTPUT_HOLD = 4
"""Outputs of all inner K iterations stay in the data buffer while the C loop runs."""


@dataclass(frozen=True, slots=True)
class RowStationary:
    """One choice of the parameters of Table III.

    A strip wider than the array is folded: its parts stand side by side along the rows. Sets that do not fit along
    the rows stand along the columns.
    """

    m: int
    n: int
    e: int
    p: int
    q: int
    r: int = 1
    t: int = 1

    def mapping(self, layer: Layer, array: ArrayShape) -> Mapping:
        """The mapping of these parameters for a layer. Raises InputError when they do not cover it or do not fit."""
        folds = -(-self.e // array.columns)
        width = -(-self.e // folds)
        taken = min(layer.R, array.rows) * folds
        sets = self.r * self.t
        along_rows = sets <= array.rows // taken
        if taken > array.rows or (not along_rows and sets > array.columns // width):
            problem = f"{sets} sets of {layer.R} x {self.e} PEs do not fit {array.rows} x {array.columns}"
            raise InputError(f"{problem}: use smaller e, r or t", source=f"row_stationary of layer {layer.name}")
        filters = self.p * self.t
        column = _column(
            layer, array, width, folds, along_rows, 1, self.r, self.t,
            p=ONE * self.p, q=ONE * self.q, n=ONE * self.n, passes=ONE * -(-self.m // filters),
        )  # fmt: skip
        closed = close(column, layer)
        if not len(closed):
            raise InputError(
                f"{self} leaves loops empty or work undone", source=f"row_stationary of layer {layer.name}"
            )
        return closed[0]


def row_stationary(layer: Layer, array: ArrayShape) -> list[MappingColumn]:
    """Candidates over strip width, set arrangement, and filters, channels and images per PE."""
    found = []
    rows = min(layer.R, array.rows)
    taps = _taps(layer, array)
    # Weights that meet a single input gain nothing by staying. They may stream through the registers, as the inputs of
    # more channels than there are registers do, although these then cross once for every filter.
    once = layer.N == layer.P == layer.Q == 1
    for width, folds, along_rows, sets in _strips(layer, array, rows):
        for g, r, t in _arrangements(sets, layer):
            for across in _across(layer, array, width, along_rows, t):
                lanes = min(array.lanes, -(-layer.K // (t * across)))
                filters = t * across * lanes
                q_most = max(1, min(array.input_registers * lanes // taps, -(-layer.C // r)))
                q = splits(layer.C, r, most=q_most, choices=4)
                if once:
                    more = splits(layer.C, r)
                    q = np.r_[q, more[more > q_most]]
                # Filters of one lane.
                p_most = max(1, min(array.output_registers, array.weight_registers // taps, -(-layer.K // filters)))
                # Counts that cut the channels into equal parts; few filters a PE waste the reuse of inputs.
                p = splits(layer.K, filters, most=p_most, choices=12)
                column = _column(
                    layer, array, width, folds, along_rows, g, r, t,
                    p=p[(p >= p_most // _FEWEST_FILTERS) | (p == 1)], q=q,
                    n=splits(layer.N, choices=4), passes=splits(layer.K, p_most * filters, choices=6),
                    across=across, lanes=lanes,
                )  # fmt: skip
                names = column.shape.loops
                kept = column.factors[:, names.index(("registers", "K"))]
                channels = column.factors[:, names.index(("registers", "C"))]
                found.append(column.take(once | (kept * channels * taps <= max(1, array.weight_registers))))
    return found


def _strips(layer: Layer, array: ArrayShape, rows: int) -> list[tuple[int, int, bool, int]]:
    """(columns of a strip, folds, whether sets stand along the rows, sets there is room for), without repeats."""
    found = set()
    for folds in _few(array.rows // rows):
        width = min(array.columns, -(-layer.P // folds))
        balanced = -(-layer.P // (-(-layer.P // (width * folds)) * folds))
        # Twice as many strips of half the width leave columns for other filters.
        narrow = -(-layer.P // (2 * -(-layer.P // (width * folds)) * folds))
        found |= {(columns, folds, True, array.rows // (rows * folds)) for columns in {width, balanced, narrow}}
        # So does a strip that fills the rows, and with room for channels too.
        if folds == array.rows // rows and balanced <= array.columns // 2:
            found.add((balanced, folds, False, array.columns // balanced))
    for sets in range(2, min(array.columns, _MOST_SETS_ALONG_COLUMNS) + 1):
        found.add((min(layer.P, array.columns // sets), 1, False, sets))
    # Low filters leave room to stand a whole strip along the rows, and the sets along all columns.
    standing = min(layer.P, array.rows // rows)
    for folds in {standing, -(-layer.P // -(-layer.P // standing))}:
        found.add((1, folds, False, array.columns))
    if array.columns > layer.P:
        found.add((layer.P, 1, False, array.columns // layer.P))
    return sorted(found)


def _across(layer: Layer, array: ArrayShape, width: int, along_rows: bool, t: int) -> list[int]:
    """How often sets along the rows can stand side by side along the columns, with other filters: once, or as often as
    there is room. Sets of a single PE fill both sides of the array."""
    most = min(array.columns // width, -(-layer.K // t)) if along_rows else 1
    return [most] if layer.R == layer.P == 1 else sorted({1, most})


def _few(most: int) -> list[int]:
    """Every number up to `most` on arrays the size of Eyeriss, a spread of them on much larger ones."""
    return (
        list(range(1, most + 1)) if most <= _ALL_UP_TO else sorted({most, *(1 << n for n in range(most.bit_length()))})
    )


def _arrangements(sets: int, layer: Layer) -> list[tuple[int, int, int]]:
    """(groups, channel sets, filter sets) whose product fills the sets there are."""
    found = set()
    for r in _few(sets):
        r_used, t_used = min(r, layer.C), min(sets // r, layer.K)
        found.add((min(layer.G, sets // (r_used * t_used)), r_used, t_used))
    return sorted(found)


def _column(
    layer: Layer,
    array: ArrayShape,
    width: int,
    folds: int,
    along_rows: bool,
    g: int,
    r: int,
    t: int,
    *,
    p: Ints,
    q: Ints,
    n: Ints,
    passes: Ints,
    across: int = 1,
    lanes: int = 1,
) -> MappingColumn:
    """The mappings of Table III's parameters; R and S beyond the array and the registers go to off-chip loops.

    Sets along the rows are repeated `across` times, with other filters. Lanes of a PE, where it has several, share its
    inputs: `lanes` filters at a time.
    """
    sets = ("G", "C", "K")
    shape = Shape(
        "row_stationary",
        off_chip=_AXES_OFF_CHIP,
        registers=("N", "Q", "C", "S", "K"),
        rows=("R", "P", *sets) if along_rows else ("R", "P"),
        columns=("P", "K") if along_rows else ("P", *sets),
        lanes=("K",) if array.lanes > 1 else (),
        hold=(None, None, _OUTPUT_HOLD),
    )
    spatial = [ONE * g, ONE * r, ONE * t]
    rows, columns = [ONE * min(layer.R, array.rows), ONE * folds], [ONE * width]
    return grid(
        shape,
        {
            "off_chip": [ONE] * 7 + [passes],
            "registers": [n, ONE * layer.Q, q, ONE * _taps(layer, array), p],
            "rows": rows + spatial if along_rows else rows,
            "columns": columns + ([ONE * across] if along_rows else spatial),
            "lanes": [ONE * lanes] if array.lanes > 1 else [],
        },
    )


def _taps(layer: Layer, array: ArrayShape) -> int:
    """Taps of a filter row that a PE holds, with the inputs under them."""
    return max(1, min(layer.S, array.input_registers, array.weight_registers))
