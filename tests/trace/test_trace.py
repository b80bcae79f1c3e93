"""Does the trace tell the story of the report, in a form that viewers read?"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

import accel
import workloads
from accel.evaluation import Evaluation, evaluate
from accel.fit import buffer_bits, tiles_kept
from accel.residency import Residency
from accel.spec import Accelerator
from accel.trace import events as trace_module
from accel.trace import trace_events, trace_json
from accel.trace.occupancy import buffer_changes
from accel.trace.timebase import Timebase
from accel.trace.tracks import WAITS, Track
from mappings import Budget
from workloads import InputError, Operand

SHORT = Budget(50)

CHIPS = ("eyeriss_v1", "systolic_32x32", "tpu_v1", "zhang_fpga15")
NETWORK = "lenet5"
Event = dict[str, Any]


@cache
def played(chip: str) -> tuple[Evaluation, Accelerator, tuple[Event, ...]]:
    spec = accel.load(chip)
    evaluation = evaluate(workloads.load(NETWORK), spec, every_step=True, budget=SHORT)
    return evaluation, spec, tuple(trace_events(evaluation.report, evaluation.results, spec))


def slices(events: tuple[Event, ...]) -> dict[int, list[Event]]:
    tracks: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            tracks[event["tid"]].append(event)
    return tracks


@pytest.mark.parametrize("chip", CHIPS)
def test_it_is_json_with_events_in_order_of_time(chip: str) -> None:
    evaluation, spec, events = played(chip)
    document = json.loads(trace_json(evaluation.report, evaluation.results, spec))
    assert document["traceEvents"] == list(events)
    times = [event["ts"] for event in events]
    assert times == sorted(times)
    assert all(event["ts"] >= 0 and event.get("dur", 0) >= 0 for event in events)
    names = {event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert {"PE array", "controller", "off-chip DMA", "weight buffer, filling", "data buffer, filling"} <= names


@pytest.mark.parametrize("chip", CHIPS)
def test_slices_on_a_track_do_not_overlap(chip: str) -> None:
    for track, found in slices(played(chip)[2]).items():
        for before, after in pairwise(found):
            end_ns = round(before["ts"] * 1000) + round(before["dur"] * 1000)
            assert end_ns <= round(after["ts"] * 1000), Track(track)


@pytest.mark.parametrize("chip", CHIPS)
def test_stall_slices_add_up_to_the_stalls_of_the_report(chip: str) -> None:
    evaluation, _, events = played(chip)
    tracks = slices(events)
    waited: dict[str, int] = defaultdict(int)
    for event in (*tracks[Track.PE_ARRAY], *tracks[Track.VECTOR_UNIT]):
        if event["name"].startswith("wait: "):
            waited[event["name"]] += event["args"]["cycles"]
    totals = evaluation.report.totals()
    for cause, name in WAITS.items():
        assert waited[name] == totals[f"stall_{cause.name.lower()}_cycles"], name


@pytest.mark.parametrize("chip", CHIPS)
def test_the_array_and_the_vector_unit_account_for_every_cycle(chip: str) -> None:
    evaluation, _, events = played(chip)
    tracks = slices(events)
    cycles = sum(event["args"]["cycles"] for event in (*tracks[Track.PE_ARRAY], *tracks[Track.VECTOR_UNIT]))
    assert cycles == sum(row.latency_cycles for row in evaluation.report.layers)
    steps = [event for event in tracks[Track.PE_ARRAY] if event["name"].startswith("step ")]
    assert len(steps) == sum(row.tile_steps for row in evaluation.report.layers)


@pytest.mark.parametrize("chip", CHIPS)
def test_transfers_carry_the_bits_of_the_report(chip: str) -> None:
    evaluation, _, events = played(chip)
    moved: dict[str, int] = defaultdict(int)
    for event in slices(events)[Track.DMA]:
        moved[event["name"]] += event.get("args", {}).get("bits", 0)
    rows = [row for row in evaluation.report.layers if row.macs]
    assert moved["load input"] == sum(row.dram_read_input_bits for row in rows)
    assert moved["load weights"] == sum(row.dram_read_weight_bits for row in rows)
    assert moved["load partial sums"] == sum(row.dram_read_psum_bits for row in rows)
    assert moved["store output"] == sum(row.dram_write_output_bits + row.dram_write_psum_bits for row in rows)


@pytest.mark.parametrize("chip", CHIPS)
def test_bandwidth_over_time_is_the_traffic(chip: str) -> None:
    """The counter holds bytes a nanosecond: its area is the bytes moved."""
    evaluation, _, events = played(chip)
    counter = [event for event in events if event["name"] == "DRAM, GB/s"]
    area_bytes = sum(
        (before["args"]["read"] + before["args"]["write"]) * (after["ts"] - before["ts"]) * 1000
        for before, after in pairwise(counter)
    )
    traffic_bytes = sum(row.dram_bits for row in evaluation.report.layers if row.macs) / 8
    assert area_bytes == pytest.approx(traffic_bytes, rel=0.01)


@pytest.mark.parametrize("chip", CHIPS)
def test_counters_are_never_negative_and_end_at_zero(chip: str) -> None:
    last: dict[str, dict[str, float]] = {}
    for event in played(chip)[2]:
        if event["ph"] == "C":
            assert all(value >= 0 for value in event["args"].values())
            last[event["name"]] = event["args"]
    assert {"data buffer, KiB", "weight buffer, KiB", "DRAM, GB/s"} <= set(last)
    assert all(value == 0 for values in last.values() for value in values.values())


@pytest.mark.parametrize("chip", CHIPS)
def test_buffers_hold_no_more_than_the_mapping_asked_for(chip: str) -> None:
    evaluation, spec, _ = played(chip)
    for _, result in evaluation.results:
        changes = buffer_changes(result, spec)
        most = {operand: int(changes[operand].levels()[1].max()) for operand in Operand}
        _, weight_tiles = tiles_kept(result.schedule.mapping, result.schedule.layer, spec)
        held = result.schedule.held_words[Operand.WEIGHT] * result.lowered.width.weight
        # Registers that take a tile whole free its place when they start: the next one may come just before.
        assert most[Operand.WEIGHT] <= held * max(weight_tiles, 2)
        data, _, accumulator = buffer_bits(result.schedule, spec, Residency())
        if not spec.data_buffer.keep_maps:
            assert most[Operand.INPUT] + most[Operand.OUTPUT] <= data + accumulator


def test_times_are_simulated_microseconds() -> None:
    evaluation, _, events = played("eyeriss_v1")
    layers = slices(events)[Track.LAYERS]
    assert [event["name"] for event in layers] == [row.layer for row in evaluation.report.layers]
    for event, row in zip(layers, evaluation.report.layers, strict=True):
        assert event["dur"] == pytest.approx(row.latency_ms * 1000, abs=0.001)
    end_us = layers[-1]["ts"] + layers[-1]["dur"]
    assert end_us == pytest.approx(sum(row.latency_ms for row in evaluation.report.layers) * 1000, abs=0.01)


def test_touching_moments_round_alike() -> None:
    time = Timebase(clock_mhz=700.0, offset_cycles=12_345)
    assert [time.ns(cycle) for cycle in (0, 7, 14)] == [17636, 17646, 17656]


def test_results_without_every_step_are_refused() -> None:
    spec = accel.load("systolic_32x32")
    evaluation = evaluate(workloads.load("alexnet"), spec, budget=Budget(100))
    assert any(result.activity.steps_played < result.schedule.steps for _, result in evaluation.results)
    with pytest.raises(ValueError, match="every_step=True"):
        trace_events(evaluation.report, evaluation.results, spec)


def test_a_trace_too_large_to_view_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation, spec, _ = played("eyeriss_v1")
    monkeypatch.setattr(trace_module, "MAX_STEPS", 3)
    with pytest.raises(InputError, match="too large to view"):
        trace_events(evaluation.report, evaluation.results, spec)
