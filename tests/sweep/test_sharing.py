"""Is more hardware never worse in a sweep, whatever a search misses?"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import pairwise, product
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import accel
from accel.objective import Objective, objective_value
from accel.sharing import neighbours, share
from accel.sweep_point import Outcome, Point, failed, run_point
from mappings import Budget, Loop, Mapping
from mappings.file import MappingBook
from workloads import InputError, Layer
from workloads.layer_set import independent_layers

SHORT = Budget(50)
"""To search a layer for: a sweep is to make up for what is missed."""
sweep, simulate = partial(accel.sweep, budget=SHORT), partial(accel.simulate, budget=SHORT)
CONV = Layer("conv", K=8, C=4, P=6, Q=6, R=3, S=3)
NET, CHIP = independent_layers("tiny", [CONV]), "systolic_32x32"
ONE_BY_ONE = Mapping("output_stationary", off_chip=tuple(Loop(dim, getattr(CONV, dim)) for dim in "KCPQRS"))
"""A tile of a single MAC: any search finds better."""


def at(kib: float, mapping: str | MappingBook = "auto", **changes: Any) -> Point:
    """A point of a sweep over the size of the data buffer."""
    return Point(NET, CHIP, (("data_buffer.kib", kib), *changes.items()), mapping, 0, 1, budget=SHORT)


def poor(kib: float) -> Outcome:
    """What a search that misses everything would find."""
    return run_point(at(kib, MappingBook({"conv": ONE_BY_ONE})))


def told(done: int, total: int, what: str) -> None:
    """Nobody."""


def shared(
    points: Sequence[Point], outcomes: Sequence[Outcome], axes: Sequence[Sequence[Any]], *how: Any
) -> list[Outcome]:
    """The outcomes after they were shared."""
    final = list(outcomes)
    share(points, final, axes, *how)
    return final


VALUES = st.one_of(st.integers(0, 9), st.floats(0, 9), st.sampled_from(["a", "b", "c", ("x",)]), st.just(float("nan")))


@given(st.integers(1, 2), st.lists(st.lists(VALUES, min_size=1, max_size=5), max_size=3), st.data())
def test_neighbours_differ_in_one_field_with_nothing_fine_between(
    groups: int, axes: list[list[Any]], data: st.DataObject
) -> None:
    places = list(product(range(groups), *(range(len(axis)) for axis in axes)))
    fine = data.draw(st.lists(st.booleans(), min_size=len(places), max_size=len(places)))
    number_of = {place: number for number, place in enumerate(places)}

    def before(axis: list[Any], one: int, other: int) -> bool:
        """Numbers by size, others after them, and what is equal, as they are listed."""
        sizes = [
            value if isinstance(value, int | float) and value == value else inf for value in (axis[one], axis[other])
        ]
        return sizes[0] < sizes[1] or (sizes[0] == sizes[1] and one < other)

    def beside(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
        apart = [axis for axis, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(apart) != 1 or apart == [0] or not (fine[number_of[one]] or fine[number_of[other]]):
            return False
        (axis,) = apart
        return not any(
            fine[number_of[(*one[:axis], between, *one[axis + 1 :])]]
            for between in range(len(axes[axis - 1]))
            if is_between(axes[axis - 1], one[axis], between, other[axis])
        )

    def is_between(axis: list[Any], one: int, between: int, other: int) -> bool:
        return (before(axis, one, between) and before(axis, between, other)) or (
            before(axis, other, between) and before(axis, between, one)
        )

    found = neighbours(groups, axes, fine)
    expected = [{number_of[other] for other in places if beside(one, other)} for one in places]
    assert [set(numbers) for numbers in found] == expected
    assert all(len(numbers) == len(set(numbers)) for numbers in found)


@pytest.mark.parametrize("place", range(4))
def test_what_one_point_finds_reaches_all(place: int) -> None:
    sizes = [16, 32, 64, 128]
    points = [at(kib) for kib in sizes]
    outcomes = [poor(kib) for kib in sizes]
    outcomes[place] = run_point(points[place])
    seen: list[tuple[int, int]] = []
    final = shared(points, outcomes, [sizes], None, lambda done, total, what: seen.append((done, total)))
    for point, outcome, before in zip(points, final, outcomes, strict=True):
        spec = accel.load(CHIP).with_values(dict(point.changes))
        report = simulate(NET, spec, mapping=outcomes[place].mapping)
        assert outcome.value == report.latency_cycles * report.energy_pj
        assert outcome.row["latency_cycles"] == report.latency_cycles
        assert outcome.value < before.value or before is outcomes[place]
        assert outcome.row["mapped_at"] == ("" if before is outcomes[place] else f"data_buffer.kib={sizes[place]}")
    assert final[place] == outcomes[place]
    assert all(done < total for done, total in seen)
    with ThreadPoolExecutor(2) as executor:
        assert shared(points, outcomes, [sizes], executor, told) == final


def test_none_is_better_with_what_another_beside_it_ran_with() -> None:
    axes = {"data_buffer.kib": [1, 64, 4], "pe_array.rows": [4, 16]}
    points = [
        at(kib, **{"pe_array.rows": rows}) for kib, rows in product(*axes.values())
    ]  # fmt: skip
    final = shared(points, [run_point(point) for point in points], list(axes.values()), None, told)
    beside = neighbours(1, list(axes.values()), [True] * len(points))
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
    final = shared(points, outcomes, [[32, 64, -1]], None, told)
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
    final = shared(points, outcomes, [["weights", "any", "outputs"]], None, told)
    assert final[1].mapping == outcomes[0].mapping
    assert final[2] == outcomes[2]


def test_numbers_of_numpy_are_numbers() -> None:
    assert neighbours(1, [list(np.array([8, 1, 64]))], [True] * 3) == neighbours(1, [[8, 1, 64]], [True] * 3)


def test_a_point_that_cannot_be_run_stands_in_nobodys_way() -> None:
    points = [at(32), at(-1), at(64), at(8)]
    outcomes = [run_point(points[0]), run_point(points[1]), poor(64), poor(8)]
    final = shared(points, outcomes, [[32, -1, 64, 8]], None, told)
    assert final[1] == outcomes[1]
    assert final[2].row["mapped_at"] == "data_buffer.kib=32"


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


@pytest.mark.parametrize("submits", [True, False])
def test_a_worker_that_dies_meanwhile_costs_no_row(submits: bool) -> None:
    """A pool whose worker was killed takes no more work, not even what would fail."""

    class Dead(Executor):
        def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            if not submits:
                raise BrokenExecutor("a worker was killed")
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor("a worker was killed"))
            return future

    outcomes = [poor(16), run_point(at(32))]
    with pytest.warns(UserWarning, match=r"tiny on systolic_32x32: mappings of other points not tried \(a worker"):
        assert shared([at(16), at(32)], outcomes, [[16, 32]], Dead(), told) == outcomes
    found = sweep([NET], [CHIP], executor=Dead())
    assert found["error"].tolist() == ["BrokenExecutor: a worker was killed"]


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
