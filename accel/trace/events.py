"""The Chrome trace event format, as Perfetto reads it.

"Trace Event Format", Google, https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU: slices
are events "X" with `ts` and `dur`, counters "C", names of tracks "M". `ts` and `dur` are microseconds, here of
simulated time from the start of the network, in whole nanoseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accel.program import OUTPUT
from accel.report import LayerReport, Report
from accel.simulation import LayerResult
from accel.spec import Accelerator
from accel.trace.occupancy import Changes, buffer_changes
from accel.trace.timebase import Timebase
from accel.trace.tracks import TRACK_NAMES, Slice, Track, layer_slices, vector_slices
from workloads import InputError, Operand

Event = dict[str, Any]
Ints = NDArray[np.int64]

MAX_STEPS = 400_000
"""More tile steps than this are refused: the file would have hundreds of megabytes, and viewers give up."""

_PROCESS = 1
_BITS_PER_KIB = 8192


def trace_json(report: Report, results: Sequence[tuple[str, LayerResult]], spec: Accelerator) -> str:
    """The trace as JSON text, one event a line. Raises InputError as `trace_events` does."""
    encode = json.JSONEncoder(separators=(",", ":")).encode
    lines = ",\n".join(encode(event) for event in trace_events(report, results, spec))
    about = {
        "network": report.network,
        "accelerator": report.accelerator,
        "clock_mhz": report.clock_mhz,
        "prefetched_cycles": report.prefetched_cycles,
    }
    return f'{{"displayTimeUnit":"ns","otherData":{json.dumps(about)},"traceEvents":[\n{lines}\n]}}\n'


def trace_events(report: Report, results: Sequence[tuple[str, LayerResult]], spec: Accelerator) -> list[Event]:
    """Every event, names of tracks first and then by time.

    `results` must have been made with `every_step=True`. Layers stand one after another in the order of the report,
    each with its own latency: first weights that were prefetched during the layer before (`prefetched_cycles`) are
    shown where their layer starts. Rows of the report without a result are vector operations.
    Raises InputError when there are more than MAX_STEPS tile steps; ValueError when steps were skipped.
    """
    found = dict(results)
    steps = sum(result.schedule.steps for result in found.values())
    if steps > MAX_STEPS:
        raise InputError(f"a trace of {steps} tile steps is too large to view: choose larger tiles or fewer layers")
    events: list[Event] = []
    offset_cycles = 0
    for row in report.layers:
        time = Timebase(report.clock_mhz, offset_cycles)
        result = found.get(row.layer)
        if result is not None and result.activity.steps_played < result.schedule.steps:
            raise ValueError(f"layer {row.layer}: a trace needs every tile step, simulate with every_step=True")
        events.extend(_slice_event(time, item) for item in _row_slices(row, result))
        if result is not None:
            events.extend(_occupancy_events(time, result, spec))
            events.extend(_bandwidth_events(time, result))
        offset_cycles += row.latency_cycles
    events.sort(key=lambda event: (event["ts"], event["ph"]))
    return [*_names(report), *events]


def _row_slices(row: LayerReport, result: LayerResult | None) -> Iterator[Slice]:
    about = {"op": row.op, "cycles": row.latency_cycles, "bottleneck": row.bottleneck, "mapping": row.mapping}
    yield Slice(Track.LAYERS, row.layer, 0, row.latency_cycles, about)
    if result is None:
        yield from vector_slices(row)
    else:
        yield from layer_slices(result)


def _slice_event(time: Timebase, item: Slice) -> Event:
    begin, end = time.ns(item.begin), time.ns(item.end)
    event: Event = {"ph": "X", "pid": _PROCESS, "tid": int(item.track), "name": item.name, "ts": begin / 1000}
    event["dur"] = (end - begin) / 1000
    if item.arguments:
        event["args"] = item.arguments
    return event


def _occupancy_events(time: Timebase, result: LayerResult, spec: Accelerator) -> Iterator[Event]:
    changes = buffer_changes(result, spec)
    counters = {
        "data buffer, KiB": {"input": Operand.INPUT, "output": Operand.OUTPUT},
        "weight buffer, KiB": {"weight": Operand.WEIGHT},
    }
    if spec.data_buffer.accumulator_kib:
        del counters["data buffer, KiB"]["output"]
        counters["accumulator, KiB"] = {"output": Operand.OUTPUT}
    for name, series in counters.items():
        yield from _counter_events(time, name, {key: changes[operand] for key, operand in series.items()})


def _counter_events(time: Timebase, name: str, series: dict[str, Changes]) -> Iterator[Event]:
    """One event a moment, with the level of every series: viewers stack them."""
    levels = {key: changes.levels() for key, changes in series.items()}
    moments = np.unique(np.concatenate([own for own, _ in levels.values()]))
    columns: dict[str, list[float]] = {}
    for key, (own, bits) in levels.items():
        before = np.searchsorted(own, moments, side="right") - 1
        kib = np.where(before >= 0, bits[np.maximum(before, 0)], 0) / _BITS_PER_KIB
        columns[key] = kib.round(3).tolist()
    for place, moment in enumerate(moments.tolist()):
        values = {key: column[place] for key, column in columns.items()}
        yield {"ph": "C", "pid": _PROCESS, "name": name, "ts": time.ns(moment) / 1000, "args": values}


def _bandwidth_events(time: Timebase, result: LayerResult) -> Iterator[Event]:
    """Bytes a nanosecond while a transfer holds the bus, zero between transfers."""
    program, timeline = result.lowered.program, result.activity.timeline
    steps, kinds = np.nonzero(program.bits > 0)
    begun = timeline.begun[steps, kinds]
    order = np.argsort(begun, kind="stable")
    steps, kinds, begun = steps[order], kinds[order], begun[order]
    cycles = program.transfer_cycles[steps, kinds]
    rate = program.bits[steps, kinds] / np.maximum(cycles, 1) / 8.0 * time.clock_mhz / 1000.0
    following = np.r_[begun[1:], -1]
    columns = (begun, begun + cycles, following, rate.round(3), kinds == OUTPUT)
    for begin, end, next_begin, value, writes in zip(*(column.tolist() for column in columns), strict=True):
        yield _bandwidth(time, begin, 0.0 if writes else value, value if writes else 0.0)
        if end != next_begin:
            yield _bandwidth(time, end, 0.0, 0.0)


def _bandwidth(time: Timebase, cycle: int, read: float, write: float) -> Event:
    values = {"read": read, "write": write}
    return {"ph": "C", "pid": _PROCESS, "name": "DRAM, GB/s", "ts": time.ns(cycle) / 1000, "args": values}


def _names(report: Report) -> Iterator[Event]:
    yield _name("process_name", {"name": report.title}, 0)
    for track, name in TRACK_NAMES.items():
        yield _name("thread_name", {"name": name}, track)
        yield _name("thread_sort_index", {"sort_index": int(track)}, track)


def _name(kind: str, arguments: dict[str, Any], track: int) -> Event:
    return {"ph": "M", "pid": _PROCESS, "tid": int(track), "name": kind, "ts": 0, "args": arguments}
