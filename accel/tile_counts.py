"""What the tiles of a schedule cost on the PE array: cycles and words of every step, by the kernels of passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accel.encode import Geometry, Nest, Widths, machine_vector, pe_places
from accel.fit import held_operands, outputs_return
from accel.kernels import passes
from accel.kernels.links import BEFORE, SHAPE, SLID_BY
from accel.registers import passes_before, still_held
from accel.skipping import exchange, finish_times
from accel.sparse_work import Work
from accel.spec import Accelerator, PEArray
from mappings import TileSchedule
from mappings.distinct import distinct_rows
from workloads import Operand

Ints = NDArray[np.int64]

_FLAGS, _CONTINUED = 4, -2
"""Behind the extents of a tile: whether it adds to sums and finishes them, what registers hold before it and after."""


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """What the kernels take: `keys` (steps, axes + flags) and `before` tell tiles apart, the rest is the same for all.

    `before`: (steps, 2, axes) as from `passes_before`, nothing where registers do not keep inputs that slide.
    `starts`: (steps, axes). `turns`: steps before which another layer has used the registers. `places`: of the PEs,
    none unless they pass words on.
    """

    nest: Nest
    geometry: Geometry
    machine: Ints
    places: Ints
    returns: bool
    keys: Ints
    before: Ints
    starts: Ints
    turns: Ints

    @classmethod
    def of(cls, schedule: TileSchedule, spec: Accelerator, width: Widths, turns: Ints) -> Tiles:
        mapping, axes, array = schedule.mapping, schedule.axes, spec.pe_array
        geometry = Geometry.of(schedule.layer, axes, array.window_reuse)
        limits = schedule.starts.max(axis=0) + schedule.extents[-1]
        finishes = (schedule.starts + schedule.extents == limits)[:, geometry.reduced].all(axis=1)
        held = held_operands(mapping, schedule.layer, spec)
        nest, machine = Nest.of(mapping, axes), machine_vector(spec, width, mapping)
        before = np.zeros((schedule.steps, 2, len(axes)), dtype=np.int64)
        slid = np.zeros(schedule.steps, dtype=np.bool_)
        # An array that skips may leave passes out: what came before shows step by step.
        if held[Operand.INPUT] and array.keep_registers and geometry.window[0] >= 0 and not array.skips:
            before, slid = passes_before(schedule, nest, geometry, machine)
        continued = still_held(schedule, held, slid, array)
        before[turns], continued[turns] = 0, 0
        keys = np.column_stack([schedule.extents, schedule.accumulates, finishes, continued, np.r_[continued[1:], 0]])
        places = pe_places(mapping, axes, array)
        return cls(nest, geometry, machine, places, outputs_return(mapping), keys, before, schedule.starts, turns)

    def counts(self) -> Ints:
        """(steps, COUNTS) from one kernel call per distinct tile."""
        if self.before.any():
            return self._counts_in_turn()
        distinct, inverse = distinct_rows(self.keys)
        found = np.zeros((len(distinct), passes.COUNTS), dtype=np.int64)
        for index, key in enumerate(distinct):
            passes.tile_cost(*self._arguments(key, self._nothing_before(), 0, found[index]))
        counts: Ints = found[inverse]
        return counts

    def _counts_in_turn(self) -> Ints:
        """As `counts`, where windows slide from tile to tile: whether they turn back shows only step by step."""
        known: dict[tuple[bytes, bytes, int], tuple[Ints, int, Ints]] = {}
        counts = np.zeros((len(self.keys), passes.COUNTS), dtype=np.int64)
        before, way = self._nothing_before(), 0
        for step, key in enumerate(self.keys):
            before[: SHAPE + 1] = self.before[step]
            named = key.tobytes(), before.tobytes(), way
            if named not in known:
                result, last = np.zeros(passes.COUNTS, dtype=np.int64), before.copy()
                known[named] = result, passes.tile_cost(*self._arguments(key, last, way, result)) // passes.WAYS, last
            counts[step], way, last = known[named]
            before[SLID_BY:] = last[SLID_BY:]
        return counts

    def _nothing_before(self) -> Ints:
        return np.zeros((BEFORE, self.before.shape[2]), dtype=np.int64)

    def skipping_counts(self, work: Work, shares: Ints, array: PEArray) -> Ints:
        """(steps, COUNTS) of an array that skips: every step has cycles of its own.

        Words cross the ports in the shares of the whole tensors that `shares` tells, as `port_shares` finds them.
        """
        steps = len(self.keys)
        counts = np.zeros((steps, passes.COUNTS), dtype=np.int64)
        log = np.zeros((len(work.issued), passes.LOGGED), dtype=np.int64)
        bounds = np.zeros(steps + 1, dtype=np.int64)
        moved = np.diff(self.starts, axis=0, prepend=self.starts[:1])
        forgets = np.isin(np.arange(steps), self.turns)
        before, way = self._nothing_before(), 0  # the last pass with work
        inputs = 1 << Operand.INPUT | 1 << Operand.WEIGHT
        loaded = 0  # of them, those that a pass with work has brought and no tile has changed since
        for step, key in enumerate(self.keys.copy()):
            first = bounds[step]
            loaded &= key[_CONTINUED]
            key[_CONTINUED] &= loaded | ~inputs
            before[0] -= moved[step]
            if forgets[step]:
                before[:] = 0
            results = counts[step], shares, work.issued[first:], log[first:]
            way = passes.walk_passes(*self._arguments(key, before, way, *results)) // passes.WAYS
            bounds[step + 1] = first + counts[step, passes.PASSES]
            if work.issued[first : bounds[step + 1]].any():
                loaded = inputs
        if work.halo is not None:
            exchange(log, work.halo, array)
        finished, alone = finish_times(work, log[:, passes.PORT_PACE], array.slack)
        logged = np.concatenate([np.zeros((1, passes.LOGGED), dtype=np.int64), np.cumsum(log, axis=0)])
        extra, waiting, _ = np.diff(logged[bounds], axis=0).T
        pace, macs = (np.diff(np.r_[0, times][bounds]) for times in (finished, alone))
        counts[:, passes.COMPUTE] = extra + pace
        counts[:, passes.MAC] = macs
        counts[:, passes.PORT] = extra + pace - macs - waiting
        return counts

    def _arguments(self, key: Ints, before: Ints, way: int, *results: NDArray[Any]) -> tuple[Any, ...]:
        """Of `tile_cost` and `walk_passes`, the `results` last."""
        nest, geometry = self.nest, self.geometry
        accumulates, finishes, *continued = key[-_FLAGS:].tolist()
        return (
            np.ascontiguousarray(key[:-_FLAGS]), nest.loop_axis, nest.loop_factor, nest.loop_block, nest.pass_extent,
            nest.register_axis, nest.unroll, nest.lanes, geometry.relevant, geometry.reduced, geometry.window,
            geometry.strides, self.machine, self.places, bool(accumulates), bool(finishes), before, way, *continued,
            self.returns, *results,
        )  # fmt: skip
