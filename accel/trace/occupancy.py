"""What lies in the buffers over time, from the schedule's stays and the times of the timeline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.fit import tiles_kept
from accel.program import INPUT, OUTPUT, PSUM, WEIGHT
from accel.simulation import LayerResult
from accel.spec import Accelerator
from workloads import Operand

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Bits an operand takes (+) and gives back (-) of its buffer: `cycles` in no order, `bits` beside them."""

    cycles: Ints
    bits: Ints

    def levels(self) -> tuple[Ints, Ints]:
        """(moments, bits in the buffer from then on), one row a moment, rising; the last level is zero."""
        moments, place = np.unique(self.cycles, return_inverse=True)
        steps = np.zeros(len(moments), dtype=np.int64)
        np.add.at(steps, place.reshape(-1), self.bits)
        return moments, np.cumsum(steps)


def buffer_changes(result: LayerResult, spec: Accelerator) -> dict[Operand, Changes]:
    """By operand, when its tiles enter and leave their buffer; bits as the buffer holds them.

    A loaded tile takes its place when its transfer begins and leaves after the last computation of its stay, or when
    the registers have taken it whole. Outputs take theirs when their computation (or the reload of their partial sums)
    begins and leave when stored. A map that stays on chip is there from the layer's start (input), or to its end
    (output); one that only waits for a later layer is not shown.
    """
    return {
        Operand.INPUT: _inputs(result),
        Operand.WEIGHT: _weights(result, spec),
        Operand.OUTPUT: _outputs(result),
    }


def _inputs(result: LayerResult) -> Changes:
    layer, width = result.schedule.layer, result.lowered.width
    loaded = result.lowered.program.bits[:, INPUT] > 0
    if not loaded.any():  # the map was left on chip by the layer before
        whole = layer.words(Operand.INPUT) * width.input
        return Changes(np.array([0, result.activity.latency_cycles]), np.array([whole, -whole]))
    bits = _held(result, Operand.INPUT)[loaded]
    return _loads(result, Operand.INPUT, INPUT, bits, result.activity.timeline.finished, first=False)


def _weights(result: LayerResult, spec: Accelerator) -> Changes:
    schedule, timeline = result.schedule, result.activity.timeline
    _, tiles = tiles_kept(schedule.mapping, schedule.layer, spec)
    taken = spec.weight_buffer.double_buffered and tiles == 1
    left = timeline.started if taken else timeline.finished
    moved = result.lowered.program.bits[:, WEIGHT]
    bits = _held(result, Operand.WEIGHT)
    return _loads(result, Operand.WEIGHT, WEIGHT, bits[moved > 0], left, first=taken)


def _held(result: LayerResult, operand: Operand) -> Ints:
    """(steps,) bits of the operand's loads as its buffer holds them: coded, each gets its share of the whole."""
    words = result.schedule.tile_words[:, operand]
    coded = result.lowered.held_bits[operand]
    if coded is None:
        return words * result.lowered.width.of[operand]
    return -(-words * coded // result.schedule.layer.words(operand))


def _loads(result: LayerResult, operand: Operand, kind: int, bits: Ints, left: Ints, *, first: bool) -> Changes:
    """Tiles of one operand, of so many `bits`; each goes at `left` of the first or the last step of its stay."""
    schedule, timeline = result.schedule, result.activity.timeline
    loaded = result.lowered.program.bits[:, kind] > 0
    stay = schedule.stays[:, operand]
    turn = np.flatnonzero(stay[1:] != stay[:-1])
    edges = np.r_[0, turn + 1] if first else np.r_[turn, len(stay) - 1]
    # Within a stay further tiles arrive at later steps: none leaves before it has come.
    steps = np.maximum(edges[stay[loaded]], np.flatnonzero(loaded))
    return Changes(np.r_[timeline.begun[loaded, kind], left[steps]], np.r_[bits, -bits])


def _outputs(result: LayerResult) -> Changes:
    schedule, timeline, width = result.schedule, result.activity.timeline, result.lowered.width
    program = result.lowered.program
    tile, stay = schedule.tiles[:, Operand.OUTPUT], schedule.stays[:, Operand.OUTPUT]
    key = stay * (int(tile.max()) + 1) + tile
    enters = np.unique(key, return_index=True)[1]
    leaves = len(key) - 1 - np.unique(key[::-1], return_index=True)[1]
    reloaded = program.bits[enters, PSUM] > 0
    begins = np.where(reloaded, timeline.begun[enters, PSUM], timeline.started[enters])
    stored = program.bits[leaves, OUTPUT] > 0
    ends = np.where(stored, timeline.ready[leaves, OUTPUT], result.activity.latency_cycles)
    mapping = schedule.mapping
    again = any(loop.factor > 1 and loop.axis[0] in "CRS" for loop in (*mapping.off_chip, *mapping.on_chip))
    bits = schedule.store_words[leaves] * (width.psum if again else width.output)
    return Changes(np.r_[begins, ends], np.r_[bits, -bits])
