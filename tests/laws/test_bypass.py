"""Does a systolic array with bypasses cost what the part of it costs that a mapping uses?"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import accel
from accel.closed_form import costs
from accel.kernels.estimate_layout import COMPUTE
from accel.report import COLUMNS
from accel.simulation import simulate_layer
from accel.task import array_shape
from mappings import Loop, Mapping, MapSpace
from mappings.column import Shape
from mappings.exhaustive import exhaustive, whole_space
from tests.strategies import accelerators, layers_and_mappings
from workloads import Layer

# Idle PEs leak and lengthen wires, and `utilization` counts them.
SAME = tuple(name for name in COLUMNS if not name.startswith("energy") and name != "utilization")


def systolic(spec: accel.Accelerator, rows: int, columns: int, bypass: bool) -> accel.Accelerator:
    """The accelerator with an array of another size behind the same ports."""
    array = {"arrangement": "systolic", "rows": rows, "columns": columns, "bypass": bypass}
    array |= {f"ports.{port}": getattr(spec.pe_array.ports, port) for port in ("input", "weight", "psum", "output")}
    return spec.with_values({f"pe_array.{name}": value for name, value in array.items()})


def costed(layer: Layer, mapping: Mapping, spec: accel.Accelerator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Simulated and estimated."""
    report = simulate_layer(layer, mapping, spec).report
    row = accel.estimate(layer, [mapping], spec).iloc[0]
    return {name: getattr(report, name) for name in SAME}, {name: row[name] for name in SAME if name in row.index}


sizes = st.integers(0, 40)


@given(layers_and_mappings(), st.data(), sizes, sizes)
def test_a_large_array_with_bypasses_costs_what_one_of_the_size_used_does(case, data, rows, columns):
    layer, mapping = case
    drawn = data.draw(accelerators(mapping, arrangement="systolic"))
    spec = drawn.with_values({"data_buffer.kib": 4096.0, "weight_buffer.kib": 4096.0})
    used = mapping.used("rows"), mapping.used("columns")
    exact = costed(layer, mapping, systolic(spec, *used, False))
    assert costed(layer, mapping, systolic(spec, used[0] + rows, used[1] + columns, True)) == exact


@pytest.mark.parametrize(("stream", "loads"), [("N", 1), ("C", 0)])
@given(rows=sizes, columns=sizes)
def test_without_them_every_fold_pays_for_the_whole_array(stream, loads, rows, columns):
    """2R + C + T - 2 cycles a fold where an operand is loaded first, R + C + T - 2 where none is (SCALE-Sim, ISPASS
    2020), on 3 x 5 PEs used, 2 folds and a stream of 50."""
    layer = Layer("product", op="matmul", N=50, C=6, K=5) if loads else Layer("product", op="matmul", N=6, C=50, K=5)
    down = "C" if loads else "N"
    mapping = Mapping(
        "folds", on_chip=(Loop(down, 2),), registers=(Loop(stream, 50),), rows=(Loop(down, 3),), columns=(Loop("K", 5),)
    )
    chip = accel.load("systolic_32x32")
    for bypass, size in ((False, (3 + rows, 5 + columns)), (True, (3, 5))):
        spec = systolic(chip, 3 + rows, 5 + columns, bypass)
        fold = 50 + (1 + loads) * size[0] + size[1] - 2
        assert simulate_layer(layer, mapping, spec).report.compute_cycles == 2 * fold


@pytest.mark.parametrize("side", ["rows", "columns"])
def test_more_of_them_never_worsen_the_best_mapping(side):
    """The least latency over every mapping of a shape, and without bypasses it does get worse."""
    layer = Layer("small", K=6, N=4, C=3)
    spread = ("K", "N", "C")
    shape = Shape("every", spread, ("N", "C"), ("C", "N"), rows=spread, columns=spread)
    chip = systolic(accel.load("systolic_32x32"), 2, 2, True)
    best: dict[bool, list[float]] = {True: [], False: []}
    for size in (1, 2, 3, 5, 12, 40):
        every = exhaustive(MapSpace(layer, array_shape(chip.with_values({f"pe_array.{side}": size}))), shape)
        assert every is not None
        for bypass, found in best.items():
            spec = chip.with_values({f"pe_array.{side}": size, "pe_array.bypass": bypass})
            found.append(costs(layer, every, spec).objective("latency").min())
    assert np.isfinite(best[True][0])
    assert all(after <= before for before, after in pairwise(best[True])), best
    assert best[True][0] > best[True][-1] < best[False][-1] > min(best[False])


def test_the_whole_space_has_every_way_to_lay_an_unrolling_over_the_array():
    """Four filters over 2 x 2 PEs have less skew than over 4 x 1, though they are unrolled as far."""
    spec = systolic(accel.load("systolic_32x32"), 4, 4, True)
    layer = Layer("filters", K=4, N=2)
    space = MapSpace(layer, array_shape(spec))
    whole, every = whole_space(space, 2_000_000), [exhaustive(space, shape) for shape in space.shapes()]
    assert whole is not None
    least = [
        min(costs(layer, column, spec).columns[:, COMPUTE].min() for column in columns if column is not None)
        for columns in (whole, every)
    ]
    assert least[0] == least[1]
