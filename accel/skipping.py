"""How long the passes of a layer take on an array that skips zeros: the walk its spec asks for, and its queues."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from accel.alike import alike
from accel.assignment import Assignment, assign, brick_numbers
from accel.compute import require_room
from accel.encode import Widths
from accel.kernels import passes
from accel.occupancy import Occupancy
from accel.outer_work import column_work, plane_work
from accel.sparse_work import Skip, Work, match_work, require_counters, schedule_epochs
from accel.spec import Accelerator, PEArray
from accel.structure import kept_weights, structured
from mappings import Mapping
from workloads import Layer, Operand, Tensors

Ints = NDArray[np.int64]


def skipped_work(layer: Layer, operands: Tensors, mapping: Mapping, spec: Accelerator, *, values: bool = False) -> Work:
    """Cycles and effectual MACs of every PE in every pass that has work, passes in order.

    `values` asks for the outputs: the exact sums of the products that the PEs form. A mapping that leaves work undone
    gives others than the layer's. Raises InputError for a mapping with too many passes, one the style of matching
    cannot run, or sums that could pass 63 bits.
    """
    if values:
        require_room(layer, operands)
    array = spec.pe_array
    dealing = {axis: getattr(array.distribution, axis[0]) for axis in mapping.axes()}
    nonzeros = np.count_nonzero(operands.weight, axis=(1, 2, 3)).reshape(layer.G, layer.K)
    loads = {"K": nonzeros.sum(axis=0), "KG": nonzeros.T.reshape(-1)}
    loads |= {
        axis: brick_numbers(layer, axis, array.distribution.brick) for axis, how in dealing.items() if how == "bricks"
    }
    place = assign(layer, mapping, dealing, loads)
    return _walk(replace(layer, tensors=operands), place, lockstep_groups(mapping, array), array, values)


def lockstep_groups(mapping: Mapping, array: PEArray) -> Ints:
    """Of the PEs a mapping uses, the first of each group in lockstep, and the end of the last.

    Groups are of neighbours row by row, whether all of them are used or not.
    """
    rows, columns = np.indices((mapping.used("rows"), mapping.used("columns"))).reshape(2, -1)
    group = (rows * array.columns + columns) // array.lockstep
    bounds: Ints = np.r_[0, np.flatnonzero(np.diff(group)) + 1, len(group)]
    return bounds


def issued_macs(layer: Layer, zeros: Occupancy, array: PEArray) -> tuple[int, int]:
    """(MACs that take a cycle, those of them that spend a multiplication)."""
    handling, matching = array.zero_handling, array.matching
    if matching.style == "structured":
        # Every place that is kept is multiplied, whether its weight is zero or not.
        kept = zeros.operands is not None and structured(zeros.operands.weight, array)
        issued = -(-layer.macs * matching.n // matching.m) if kept else layer.macs
        return issued, issued
    issued = zeros.macs(handling.input == "skip", handling.weight == "skip", layer.macs)
    return issued, zeros.macs(handling.input != "none", handling.weight != "none", layer.macs)


def _walk(layer: Layer, place: Assignment, groups: Ints, array: PEArray, values: bool) -> Work:
    matching, skip = array.matching, _skip(array)
    if matching.style in ("column", "plane"):
        require_counters(place.epochs * place.pes * place.lanes, layer)
    if matching.style == "plane":
        work = plane_work(
            layer, place, skip, inputs=matching.inputs, weights=matching.weights, banks=matching.banks,
            bank_queue=matching.bank_queue, halo=matching.halo_words_per_cycle > 0, values=values,
        )  # fmt: skip
        return work.together(groups)
    if matching.style == "column":
        walk = partial(column_work, layer, place, skip, width=matching.width, run_bits=matching.run_bits or None)
        work = walk(least=matching.least, values=values)
        if matching.least:
            work = replace(work, free=walk(least=0).cycles)
        return work.together(groups)
    width = matching.width
    if layer.tensors is not None and structured(layer.tensors.weight, array):
        width = width * matching.m // matching.n
        layer = replace(layer, tensors=replace(layer.tensors, weight=kept_weights(layer.tensors.weight, array)))
    together = replace(place, lanes=1) if matching.width > 1 else place
    kinds = None
    if array.lockstep == 1:
        kinds = alike(together, skip in ("input", "both"), skip in ("weight", "both"), layer.G)
    waiting = None if kinds else groups
    if not array.slack:  # all wait for each other
        waiting = np.array([0, (kinds.place if kinds else together).pes])
    work = match_work(
        layer, together, skip, width=width, chunk=matching.chunk, least=matching.least, scan=matching.scan,
        barrier=array.barrier, groups=waiting, effectual=False, values=values, kinds=kinds,
    )  # fmt: skip
    return work if kinds is None else replace(work, copies=kinds.copies, pes=place.pes)


def _skip(array: PEArray) -> Skip:
    handling = array.zero_handling
    if array.matching.style == "structured":
        return "none"
    if handling.input == handling.weight == "skip":
        return "both"
    return "input" if handling.input == "skip" else "weight"


def port_shares(operands: Tensors, held_bits: tuple[int | None, ...], width: Widths, array: PEArray) -> Ints:
    """(2, 2) of inputs and weights: words that cross the port, and of how many.

    An operand that skips sends its nonzeros, structured weights those that are kept; a buffer that holds an operand
    coded sends its coded bits.
    """
    handling, matching = array.zero_handling, array.matching
    shares = np.ones((2, 2), dtype=np.int64)
    for row, (words, how) in enumerate(((operands.input, handling.input), (operands.weight, handling.weight))):
        if how == "skip" and matching.style != "structured":
            shares[row] = np.count_nonzero(words), words.size
        if row == Operand.WEIGHT and structured(words, array):
            shares[row] = matching.n, matching.m
        if (held := held_bits[row]) is not None:
            shares[row] = held, words.size * width.of[row]
    return shares


def finish_times(work: Work, port_cycles: Ints, slack: int) -> tuple[Ints, Ints]:
    """((passes,) when each is over, the same if ports never bound): a port is one more unit with work in each pass."""
    alone = schedule_epochs(work, slack)
    if not port_cycles.any():
        return alone, alone
    cycles = np.column_stack([work.cycles, port_cycles])
    return schedule_epochs(replace(work, cycles=cycles, issued=work.issued | (port_cycles > 0)), slack), alone


def exchange(log: Ints, halo_words: Ints, array: PEArray) -> None:
    """Add to the log of the passes, in place, the time in which PEs send the borders' partial sums to their neighbours.

    A pass must be over before its sums leave. Double-buffered accumulators send them during the next pass, which then
    takes at least as long; else the array waits.
    """
    sending = -(-halo_words // array.matching.halo_words_per_cycle)
    if array.register_double_buffered.output:
        log[1:, passes.PORT_PACE] = np.maximum(log[1:, passes.PORT_PACE], sending[:-1])
        log[-1, passes.EXTRA] += sending[-1]
    else:
        log[:, passes.EXTRA] += sending


def index_match_cycles(work: Work, slack: int) -> int:
    """Cycles that all passes take longer, ports aside, than with a front end that matches operands in no time."""
    if work.free is None:
        return 0
    spent, free = (int(schedule_epochs(one, slack)[-1]) for one in (work, replace(work, cycles=work.free)))
    return spent - free
