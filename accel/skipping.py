"""How long the passes of a layer take on an array that skips zeros: the walk its spec asks for, and its queues."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from accel.assignment import Assignment, assign
from accel.kernels import passes
from accel.outer_work import column_work, plane_work
from accel.sparse_work import Skip, Work, match_work, schedule_epochs
from accel.spec import Accelerator, PEArray
from mappings import Mapping
from workloads import InputError, Layer, Tensors

Ints = NDArray[np.int64]

MOST_COUNTERS = 1 << 27
"""Passes times multipliers; a GiB of counters."""


def skipped_work(layer: Layer, operands: Tensors, mapping: Mapping, spec: Accelerator) -> Work:
    """Cycles and effectual MACs of every PE in every pass that has work, passes in order.

    Raises InputError for a mapping with too many passes, or one the style of matching cannot run.
    """
    array = spec.pe_array
    dealing = {axis: getattr(array.distribution, axis[0]) for axis in mapping.axes()}
    nonzeros = np.count_nonzero(operands.weight, axis=(1, 2, 3)).reshape(layer.G, layer.K)
    loads = {"K": nonzeros.sum(axis=0), "KG": nonzeros.T.reshape(-1)}
    place = assign(layer, mapping, dealing, loads)
    if place.epochs * place.pes * place.lanes > MOST_COUNTERS:
        raise InputError(
            f"{place.epochs} passes on {place.pes * place.lanes} multipliers: too many to skip zeros in, use longer "
            "passes (more work in registers)",
            source=f"mapping {mapping.name} of layer {layer.name}",
        )
    return _walk(replace(layer, tensors=operands), place, array)


def _walk(layer: Layer, place: Assignment, array: PEArray) -> Work:
    matching, skip = array.matching, _skip(array)
    if matching.style == "column":
        run_bits = matching.run_bits or None
        return column_work(layer, place, skip, width=matching.width, least=matching.least, run_bits=run_bits)
    if matching.style == "plane":
        return plane_work(
            layer, place, skip, inputs=matching.inputs, weights=matching.weights, banks=matching.banks,
            bank_queue=matching.bank_queue, halo=matching.halo_words_per_cycle > 0,
        )  # fmt: skip
    together = replace(place, lanes=1) if matching.width > 1 else place
    return match_work(
        layer, together, skip, width=matching.width, chunk=matching.chunk, least=matching.least, scan=matching.scan
    )


def _skip(array: PEArray) -> Skip:
    handling = array.zero_handling
    if handling.input == handling.weight == "skip":
        return "both"
    return "input" if handling.input == "skip" else "weight"


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
