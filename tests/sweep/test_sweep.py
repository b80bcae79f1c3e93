"""Does a sweep visit the whole grid, alike on any executor, and survive its failures?"""

from __future__ import annotations

from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from typing import Any

import pandas as pd
import pytest

import accel
import workloads
from accel.sweep_point import TOTALS, Outcome
from accel.sweeping import NOT_RUN, SweepInterrupted
from mappings import Budget
from workloads import InputError, Layer
from workloads.layer_set import independent_layers

SHORT = Budget(50)
"""To search a layer for: a sweep is to make up for what is missed."""
sweep, simulate = partial(accel.sweep, budget=SHORT), partial(accel.simulate, budget=SHORT)

GRID = {"pe_array.rows": [4, 8], "data_buffer.kib": [16, 32]}
TINY = independent_layers("tiny", [Layer("conv", K=8, C=4, P=6, Q=6, R=3, S=3), Layer("fc", "matmul", K=10, C=64)])


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return sweep([TINY], ["systolic_32x32"], set=GRID)


def test_a_row_for_every_point_in_the_order_of_the_grid(frame: pd.DataFrame) -> None:
    assert list(frame.columns) == ["network", "accelerator", *GRID, *TOTALS, "mapped_at", "error"]
    assert frame[list(GRID)].to_numpy().tolist() == [[4, 16], [4, 32], [8, 16], [8, 32]]
    assert (frame["error"] == "").all()
    assert frame.attrs["swept"] == list(GRID)


def test_rows_are_what_a_single_simulation_says(frame: pd.DataFrame) -> None:
    spec = accel.load("systolic_32x32").with_values({"pe_array.rows": 8, "data_buffer.kib": 16})
    report = simulate(TINY, spec)
    row = frame.iloc[2]
    assert row["latency_cycles"] == report.latency_cycles
    assert row["energy_pj"] == report.energy_pj
    assert row["dram_bits"] == report.dram_bits
    assert row["edp_js"] == pytest.approx(report.energy_pj * report.latency_cycles * 1e-12 / (spec.clock_mhz * 1e6))


def test_threads_and_processes_give_the_same_frame(frame: pd.DataFrame) -> None:
    """The network, whose nodes hold read-only views, is sent to the processes."""
    with ThreadPoolExecutor(2) as threads:
        pd.testing.assert_frame_equal(sweep([TINY], ["systolic_32x32"], set=GRID, executor=threads), frame)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        pd.testing.assert_frame_equal(sweep([TINY], ["systolic_32x32"], set=GRID, executor=processes), frame)


def test_a_failing_point_is_a_row_with_its_error() -> None:
    found = sweep([TINY], ["systolic_32x32"], set={"data_buffer.kib": [64, 0.001, -1]})
    assert found["error"].iloc[0] == ""
    assert "data_buffer.kib = 0.001 is too small" in found["error"].iloc[1]
    assert "data_buffer.kib = -1" in found["error"].iloc[2]
    assert found["latency_cycles"].isna().tolist() == [False, True, True]
    assert found["latency_cycles"].dtype == "Int64"


def test_a_bug_in_one_point_does_not_end_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(import_module("accel.evaluation"), "evaluate", broken)
    (row,) = sweep([TINY], ["systolic_32x32"]).to_dict("records")
    assert row["error"] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(("ran", "when"), [(0, ""), (1, ""), (3, ""), (4, "of other points"), (4, "done")])
def test_ctrl_c_keeps_the_points_that_ran(frame: pd.DataFrame, ran: int, when: str) -> None:
    """`ran` of them alone; with all four, Ctrl-C comes when they try each other's mappings, or at the very end."""

    def stop(done: int, total: int, what: str) -> None:
        if when in what if when else done == ran:
            raise KeyboardInterrupt

    with pytest.raises(SweepInterrupted) as interrupted:
        sweep([TINY], ["systolic_32x32"], set=GRID, progress=stop)
    found = interrupted.value.frame
    assert list(found["error"]) == [""] * ran + [NOT_RUN] * (4 - ran)
    assert found.attrs == frame.attrs
    alone = sweep([TINY], ["systolic_32x32"], set={"pe_array.rows": [4], "data_buffer.kib": [16]})
    for name in TOTALS if ran else ():
        assert found[name].iloc[0] == alone[name].iloc[0]


def test_ctrl_c_keeps_what_other_workers_have_done() -> None:
    """The first point is waited for while the last is done already; the others are not."""
    points = [Future[Outcome]() for _ in range(3)]

    class Slow(Executor):
        def submit(self, work: Any, /, *given: Any, **options: Any) -> Future[Any]:
            future = points[len(asked)]
            asked.append(given)
            if len(asked) == 3:
                future.set_result(work(*given, **options))
            return future

    def stop(done: int, total: int, what: str) -> None:
        raise KeyboardInterrupt

    asked: list[Any] = []
    with pytest.raises(SweepInterrupted) as interrupted:
        sweep([TINY], ["systolic_32x32"], set={"pe_array.rows": [4, 8, 16]}, executor=Slow(), progress=stop)
    assert list(interrupted.value.frame["error"]) == [NOT_RUN, NOT_RUN, ""]


def test_batch_and_names() -> None:
    found = sweep(["lenet5"], ["systolic_32x32", accel.load("tpu_v1")], batch=2)
    assert found[["network", "accelerator"]].to_numpy().tolist() == [
        ["lenet5", "systolic_32x32"],
        ["lenet5", "tpu_v1"],
    ]
    assert (found["macs"] == 2 * workloads.load("lenet5").macs).all()


def test_the_objective_is_what_the_mappings_of_every_point_minimise() -> None:
    latency, energy = (sweep([TINY], ["zhang_fpga15"], objective=each).iloc[0] for each in ("latency", "energy"))
    assert latency["latency_cycles"] < energy["latency_cycles"]
    assert latency["energy_pj"] > energy["energy_pj"]
    report = simulate(TINY, accel.load("zhang_fpga15"), objective="latency")
    assert (latency["latency_cycles"], latency["energy_pj"]) == (report.latency_cycles, report.energy_pj)


def test_progress_counts_the_points() -> None:
    seen: list[tuple[int, int]] = []
    sweep([TINY], ["systolic_32x32"], set=GRID, progress=lambda done, total, what: seen.append((done, total)))
    assert seen[:4] == [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert seen[-1] == (4, 4)
    offered = seen[4:-1]
    assert all(done == 0 or offered[place - 1] == (done - 1, total) for place, (done, total) in enumerate(offered))


@pytest.mark.parametrize(
    ("networks", "specs", "changes", "told"),
    [
        ([], ["tpu_v1"], {}, "network = []"),
        (["lenet5"], [], {}, "accelerator = []"),
        ("lenet5", ["tpu_v1"], {}, "needs a list"),
        (["lenet5"], ["tpu_v1"], {"pe_array.rows": []}, "pe_array.rows = []"),
        (["lenet5"], ["tpu_v1"], {"pe_array.row": [1]}, 'did you mean "pe_array.rows"'),
        (["lenet5"], ["tpu_v1"], {"pe_array.rows": range(1, 500), "pe_array.columns": range(1, 500)}, "249001 points"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(networks: Any, specs: Any, changes: Any, told: str) -> None:
    with pytest.raises(InputError) as error:
        sweep(networks, specs, set=changes)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"objective": "speed"}, r'objective = "speed": needs one of latency, energy, edp, dram'),
        ({"budget": 5}, r"budget = 5: needs a Budget, like Budget\(mappings=1000\)"),
        ({"seed": -1}, r"seed = -1: needs a whole number from 0 up"),
        ({"seed": "one"}, r'seed = "one": needs a whole number'),
    ],
)
def test_wishes_that_make_no_sense_are_refused_at_once(wish: dict[str, Any], told: str) -> None:
    chip = accel.load("systolic_32x32")
    for refuses in (
        lambda: sweep([TINY], [chip], **wish),
        lambda: simulate(TINY, chip, **wish),
        lambda: accel.map_layer(TINY.layers[0], chip, **wish),
    ):
        with pytest.raises(InputError, match=told):
            refuses()
