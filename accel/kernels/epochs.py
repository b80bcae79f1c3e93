"""When synchronisation epochs finish on processing elements that may run ahead of each other by so many of them."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from accel.kernels.options import kernel, parallel_kernel

Ints = NDArray[np.int64]
Counters = NDArray[np.signedinteger]


@kernel
def finish_times(work: Ints, issued: NDArray[np.bool_], depth: int, issue_cycles: int, finished: Ints) -> None:
    """Fill finished (epochs,): the cycle in which the last PE is through with each epoch and all before it.

    work: (epochs, PEs). Epochs not issued pass at no cost. depth 0: all PEs start an epoch together, and it takes at
    least `issue_cycles`. Else an epoch is broadcast when every PE's queue of `depth` entries has a place:
    b[j] = max(b[j-1] + issue_cycles, end of epoch j - depth on the slowest PE); busy[p] = max(busy[p], b[j]) + work.
    """
    epochs, pes = work.shape
    busy = np.zeros(pes, dtype=np.int64)
    ends = np.zeros(max(depth, 1), dtype=np.int64)
    broadcast = -issue_cycles
    now = 0
    entry = 0
    for epoch in range(epochs):
        if issued[epoch]:
            if depth == 0:
                slowest = issue_cycles
                for pe in range(pes):
                    slowest = max(slowest, work[epoch, pe])
                now += slowest
            else:
                broadcast = max(broadcast + issue_cycles, ends[entry % depth])
                for pe in range(pes):
                    if work[epoch, pe] > 0:
                        busy[pe] = max(busy[pe], broadcast) + work[epoch, pe]
                        now = max(now, busy[pe])
                ends[entry % depth] = now
                entry += 1
        finished[epoch] = now


@parallel_kernel
def gather_epochs(
    cycles: Counters, excess: Counters, parts: int, lanes: int, groups: Ints, grouped: Ints, free: Ints, loads: Ints
) -> None:
    """Add up what groups of PEs of `lanes` take for epochs of `parts`, each as long as its slowest lane.

    groups: (groups + 1,) the first PE of each, and the end of the last.
    cycles: (epochs * parts, PEs * lanes); excess: alike, what of them a front end without cost would save, or no rows.
    Added to grouped (epochs, groups), free (the same without the excess, when it has rows), and loads (tasks, PEs): a
    task takes every so many-th epoch.
    """
    spared = len(excess) > 0
    tasks = len(loads)
    for task in prange(tasks):
        for epoch in range(task, len(grouped), tasks):
            for row in range(epoch * parts, (epoch + 1) * parts):
                for group in range(grouped.shape[1]):
                    slowest = np.int64(0)
                    slowest_free = np.int64(0)
                    for pe in range(groups[group], groups[group + 1]):
                        most = np.int64(0)
                        for unit in range(pe * lanes, (pe + 1) * lanes):
                            most = max(most, np.int64(cycles[row, unit]))
                            if spared:
                                slowest_free = max(slowest_free, np.int64(cycles[row, unit] - excess[row, unit]))
                        loads[task, pe] += most
                        slowest = max(slowest, most)
                    grouped[epoch, group] += slowest
                    if spared:
                        free[epoch, group] += slowest_free
