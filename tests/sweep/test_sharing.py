"""Is more hardware never worse in a sweep, whatever a search misses?"""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import accel
from accel.evaluation import simulate
from accel.objective import Objective, objective_value
from accel.sharing import neighbours, shared
from accel.sweep_point import Outcome, Point, failed, run_point
from accel.sweeping import sweep
from mappings import Loop, Mapping
from mappings.file import MappingBook
from workloads import InputError, Layer
from workloads.layer_set import independent_layers

CONV = Layer("conv", K=8, C=4, P=6, Q=6, R=3, S=3)
NET, CHIP = independent_layers("tiny", [CONV]), "systolic_32x32"
ONE_BY_ONE = Mapping("output_stationary", off_chip=tuple(Loop(dim, getattr(CONV, dim)) for dim in "KCPQRS"))
"""A tile of a single MAC: any search finds better."""


def at(kib: float, mapping: str | MappingBook = "auto", **changes: Any) -> Point:
    """A point of a sweep over the size of the data buffer."""
    return Point(NET, CHIP, (("data_buffer.kib", kib), *changes.items()), mapping, 0, 1)


def poor(kib: float) -> Outcome:
    """What a search that misses everything would find."""
    return run_point(at(kib, MappingBook({"conv": ONE_BY_ONE})))


def told(asked: int) -> None:
    """Nobody."""


@given(
    st.integers(1, 3),
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True), max_size=3),
    st.booleans(),
)
def test_neighbours_differ_in_one_field_with_no_value_between(groups: int, axes: list[list[int]], words: bool) -> None:
    given_axes: list[list[Any]] = [[f"{value}" for value in axis] if words else axis for axis in axes]
    points = list(product(range(groups), *given_axes))

    def beside(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
        apart = [axis for axis, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(apart) != 1 or apart == [0]:
            return False
        axis = given_axes[apart[0] - 1]
        rank = (axis if words else sorted(axis)).index
        return abs(rank(one[apart[0]]) - rank(other[apart[0]])) == 1

    found = neighbours(groups, given_axes)
    expected = [{n for n, other in enumerate(points) if beside(one, other)} for one in points]
    assert [set(places) for places in found] == expected
    assert all(len(places) == len(set(places)) for places in found)


@pytest.mark.parametrize("place", range(4))
def test_what_one_point_finds_reaches_all(place: int) -> None:
    sizes = [16, 32, 64, 128]
    points = [at(kib) for kib in sizes]
    outcomes = [poor(kib) for kib in sizes]
    outcomes[place] = run_point(points[place])
    rounds: list[int] = []
    beside = neighbours(1, [sizes])
    final = shared(points, outcomes, beside, None, rounds.append)
    for point, outcome, before in zip(points, final, outcomes, strict=True):
        spec = accel.load(CHIP).with_values(dict(point.changes))
        report = simulate(NET, spec, mapping=outcomes[place].mapping)
        assert outcome.value == report.latency_cycles * report.energy_pj
        assert outcome.row["latency_cycles"] == report.latency_cycles
        assert outcome.value < before.value or before is outcomes[place]
        assert outcome.row["mapped_at"] == ("" if before is outcomes[place] else f"data_buffer.kib={sizes[place]}")
    assert final[place] == outcomes[place]
    assert len(rounds) <= len(sizes)
    with ThreadPoolExecutor(2) as executor:
        assert shared(points, outcomes, beside, executor, told) == final


def test_none_is_better_with_what_another_beside_it_ran_with() -> None:
    axes = {"data_buffer.kib": [1, 64, 4], "pe_array.rows": [4, 16]}
    points = [
        at(kib, **{"pe_array.rows": rows}) for kib, rows in product(*axes.values())
    ]  # fmt: skip
    beside = neighbours(1, list(axes.values()))
    final = shared(points, [run_point(point) for point in points], beside, None, told)
    for outcome, point, others in zip(final, points, beside, strict=True):
        spec = accel.load(CHIP).with_values(dict(point.changes))
        for other in others:
            try:
                report = simulate(NET, spec, mapping=final[other].mapping)
            except InputError:
                continue
            assert outcome.value <= objective_value(report, "edp")


def test_a_point_that_found_nothing_takes_what_fits() -> None:
    points = [at(32), at(64), at(-1)]
    outcomes = [run_point(points[0]), failed(points[1], InputError("nothing found")), run_point(points[2])]
    final = shared(points, outcomes, neighbours(1, [[32, 64, -1]]), None, told)
    assert final[1].row["error"] == ""
    assert final[1].row["mapped_at"] == "data_buffer.kib=32"
    assert final[2] == outcomes[2]
    assert "data_buffer.kib = -1" in final[2].row["error"]


def test_mappings_of_dataflows_that_are_not_searched_are_not_taken() -> None:
    axis = [["weight_stationary"], ["output_stationary"], ["weight_stationary", "output_stationary"]]
    found = sweep([NET], [CHIP], set={"mapping.dataflows": axis}, objective="latency")
    alone = [
        simulate(NET, accel.load(CHIP).with_values({"mapping.dataflows": names}), objective="latency") for names in axis
    ]
    assert found["latency_cycles"].tolist() == [report.latency_cycles for report in alone]
    assert alone[0].latency_cycles != alone[1].latency_cycles
    points = [replace(at(32), mapping=name) for name in ("weight_stationary", "any", "output_stationary")]
    outcomes = [poor(32) for _ in points]
    outcomes[0] = run_point(points[0])
    final = shared(points, outcomes, [[1, 2], [0, 2], [0, 1]], None, told)
    assert final[1].mapping == outcomes[0].mapping
    assert final[2] == outcomes[2]


def test_mappings_from_a_file_and_fused_pairs_are_left_alone() -> None:
    book = MappingBook({"conv": ONE_BY_ONE})
    sizes = {"data_buffer.kib": [16, 2048]}
    for options in ({"mapping": book}, {"fuse": True}):
        found = sweep([NET], [CHIP], set=sizes, **options)
        alone = [
            simulate(NET, accel.load(CHIP).with_values({"data_buffer.kib": kib}), **options)
            for kib in sizes["data_buffer.kib"]
        ]
        assert found["energy_pj"].tolist() == [report.energy_pj for report in alone]
        assert found["mapped_at"].tolist() == ["", ""]


def test_a_worker_that_dies_meanwhile_costs_no_row() -> None:
    class Dead(Executor):
        def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(OSError("the worker was killed"))
            return future

    outcomes = [poor(16), run_point(at(32))]
    with pytest.warns(UserWarning, match=r"tiny on systolic_32x32: mappings of other points not tried \(the worker"):
        assert shared([at(16), at(32)], outcomes, [[1], [0]], Dead(), told) == outcomes


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("data_buffer.kib", [8, 16, 32, 108, 512]),
        ("weight_buffer.kib", [4, 8, 16, 64]),
        ("dma.channels", [1, 2, 4]),
        ("pe_array.rows", [6, 12, 24, 48]),
        ("pe_array.columns", [7, 14, 28]),
    ],
)
@pytest.mark.parametrize("objective", ["latency", "dram"])
def test_more_is_never_worse(field: str, values: list[int], objective: Objective) -> None:
    """Compared without tolerance: cycles and bits are whole numbers."""
    found = sweep(["lenet5"], ["eyeriss_v1"], set={field: values}, objective=objective)
    column = {"latency": "latency_cycles", "dram": "dram_bits"}[objective]
    assert all(more <= less for less, more in pairwise(found[column]))
