"""The slices of every part's track, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np

from accel.machine import Stall
from accel.machine.machine import stalls_by_step
from accel.program import INPUT, OUTPUT, PSUM, WEIGHT
from accel.report import LayerReport
from accel.simulation import LayerResult


class Track(IntEnum):
    """One track each; the number orders them on the screen."""

    LAYERS = 1
    CONTROLLER = 2
    DMA = 3
    DATA_BUFFER_IN = 4
    DATA_BUFFER_OUT = 5
    WEIGHT_BUFFER = 6
    PE_ARRAY = 7
    VECTOR_UNIT = 8


TRACK_NAMES = {
    Track.LAYERS: "layers",
    Track.CONTROLLER: "controller",
    Track.DMA: "off-chip DMA",
    Track.DATA_BUFFER_IN: "data buffer, filling",
    Track.DATA_BUFFER_OUT: "data buffer, draining",
    Track.WEIGHT_BUFFER: "weight buffer, filling",
    Track.PE_ARRAY: "PE array",
    Track.VECTOR_UNIT: "vector unit",
}

WAITS = {
    Stall.DATA: "wait: data",
    Stall.WEIGHT: "wait: weights",
    Stall.OUTPUT: "wait: output",
    Stall.CONTROLLER: "wait: controller",
}
"""Names of the stalls on the tracks of the PE array and the vector unit, by cause."""

_KINDS = {
    INPUT: ("load input", Track.DATA_BUFFER_IN),
    WEIGHT: ("load weights", Track.WEIGHT_BUFFER),
    PSUM: ("load partial sums", Track.DATA_BUFFER_IN),
    OUTPUT: ("store output", Track.DATA_BUFFER_OUT),
}


@dataclass(frozen=True, slots=True)
class Slice:
    """Something a part did from cycle `begin` to cycle `end` of its layer."""

    track: Track
    name: str
    begin: int
    end: int
    arguments: dict[str, Any] = field(default_factory=dict)


def layer_slices(result: LayerResult) -> Iterator[Slice]:
    """Every slice of one layer, track by track. On a track none overlaps another."""
    yield from _controller(result)
    yield from _transfers(result)
    yield from _computation(result)


def vector_slices(row: LayerReport) -> Iterator[Slice]:
    """The slices of a row without a result: an operation of the vector unit, its waits in the order they arise."""
    begin = 0
    for name, cycles in (
        (WAITS[Stall.CONTROLLER], row.stall_controller_cycles),
        (WAITS[Stall.DATA], row.stall_data_cycles),
        (WAITS[Stall.WEIGHT], row.stall_weight_cycles),
        (row.op, row.compute_cycles),
        (WAITS[Stall.OUTPUT], row.stall_output_cycles),
    ):
        if cycles:
            yield Slice(Track.VECTOR_UNIT, name, begin, begin + cycles, {"cycles": cycles})
        begin += cycles


def _controller(result: LayerResult) -> Iterator[Slice]:
    program = result.lowered.program
    if program.layer_setup_cycles:
        yield Slice(Track.CONTROLLER, "set up layer", 0, program.layer_setup_cycles)
    for step, issued in enumerate(result.activity.timeline.issued.tolist()):
        yield Slice(Track.CONTROLLER, f"release step {step}", issued - program.setup_cycles, issued)


def _transfers(result: LayerResult) -> Iterator[Slice]:
    """Bus time on the DMA's track; on the buffers' tracks the same, a latency later where words arrive."""
    program, timeline = result.lowered.program, result.activity.timeline
    steps, kinds = np.nonzero(program.bits > 0)
    begun = timeline.begun[steps, kinds]
    order = np.argsort(begun, kind="stable")
    writing = False
    columns = (steps, kinds, begun, program.transfer_cycles[steps, kinds], program.bits[steps, kinds])
    for step, kind, begin, cycles, bits in zip(*(column[order].tolist() for column in columns), strict=True):
        name, buffer = _KINDS[kind]
        if (kind == OUTPUT) != writing:
            writing = kind == OUTPUT
            if program.turnaround_cycles:
                yield Slice(Track.DMA, "turn around", begin - program.turnaround_cycles, begin)
        end = begin + cycles
        arguments = {"step": step, "bits": bits}
        yield Slice(Track.DMA, name, begin, end, arguments)
        late = 0 if kind == OUTPUT else program.latency_cycles
        yield Slice(buffer, name, begin + late, end + late, arguments)


def _computation(result: LayerResult) -> Iterator[Slice]:
    timeline, activity = result.activity.timeline, result.activity
    stalls = stalls_by_step(result.lowered.program, timeline)
    gaps = stalls.tolist()
    started, finished = timeline.started.tolist(), timeline.finished.tolist()
    tiles = _tiles(result)
    for step, (begin, end) in enumerate(zip(started, finished, strict=True)):
        at = begin - sum(gaps[step])
        for cause in (Stall.CONTROLLER, Stall.DATA, Stall.WEIGHT, Stall.OUTPUT):
            cycles = gaps[step][cause]
            if cycles:
                yield Slice(Track.PE_ARRAY, WAITS[cause], at, at + cycles, {"cycles": cycles, "before step": step})
                at += cycles
        yield Slice(Track.PE_ARRAY, f"step {step}", begin, end, {"cycles": end - begin, "tile": tiles[step]})
    if activity.latency_cycles > finished[-1]:
        rest = activity.latency_cycles - finished[-1]
        yield Slice(Track.PE_ARRAY, WAITS[Stall.OUTPUT], finished[-1], activity.latency_cycles, {"cycles": rest})


def _tiles(result: LayerResult) -> list[str]:
    """Each step's place along the axes the layer is tiled on: "K 0-63, C 16-31"."""
    schedule = result.schedule
    tiled = {loop.axis for loop in schedule.mapping.off_chip}
    columns = [column for column, axis in enumerate(schedule.axes) if axis in tiled]
    names = [schedule.axes[column] for column in columns]
    first = schedule.starts[:, columns]
    last = first + schedule.extents[:, columns] - 1
    return [
        ", ".join(f"{name} {begin}-{end}" for name, begin, end in zip(names, begins, ends, strict=True))
        or "whole layer"
        for begins, ends in zip(first.tolist(), last.tolist(), strict=True)
    ]
