"""Relative indexing of matrix columns, whose rows are dealt out to slices."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from accel.kernels.options import kernel, parallel_kernel

Ints = NDArray[np.int64]
Words = NDArray[np.integer]


@parallel_kernel
def count_entries(matrix: Words, rows: Ints, bounds: Ints, longest: int, entries: Ints, bridges: Ints) -> None:
    """Add up, per (slice, column), the entries and those among them that only bridge a run longer than `longest`.

    rows: row numbers, those of slice i from bounds[i]. longest: one less than a power of two, or < 0 where no run needs
    bridging. Rows are walked as they lie in memory, with the run of every column kept beside them, and without
    branches: whether a word is zero cannot be foretold.
    """
    columns = matrix.shape[1]
    shift = 0
    while longest >> shift > 0:
        shift += 1
    for part in prange(len(bounds) - 1):
        runs = np.zeros(columns, dtype=np.int32)
        found = np.zeros(columns, dtype=np.int32)
        bridged = np.zeros(columns, dtype=np.int32)
        for index in range(bounds[part], bounds[part + 1]):
            words = matrix[rows[index]]
            if longest < 0:
                for column in range(columns):
                    found[column] += np.int32(words[column] != 0)
            else:
                for column in range(columns):
                    present = np.int32(words[column] != 0)
                    found[column] += present
                    bridged[column] += (runs[column] >> shift) * present
                    runs[column] = (runs[column] + np.int32(1)) * (np.int32(1) - present)
        for column in range(columns):
            entries[part, column] += found[column] + bridged[column]
            bridges[part, column] += bridged[column]


@parallel_kernel
def gather_entries(
    matrix: Words, rows: Ints, bounds: Ints, longest: int, starts: Ints, values: Words, runs: Ints
) -> None:
    """Fill values and runs; starts (slices, columns + 1) is where each column's entries begin."""
    columns = matrix.shape[1]
    for part in prange(len(bounds) - 1):
        zeros = np.zeros(columns, dtype=np.int64)
        place = starts[part].copy()
        for index in range(bounds[part], bounds[part + 1]):
            words = matrix[rows[index]]
            for column in range(columns):
                if words[column] == 0:
                    zeros[column] += 1
                    continue
                while zeros[column] > longest:
                    runs[place[column]] = longest
                    zeros[column] -= longest + 1
                    place[column] += 1
                runs[place[column]] = zeros[column]
                values[place[column]] = words[column]
                zeros[column] = 0
                place[column] += 1


@kernel
def scatter_entries(values: Words, runs: Ints, entries: Ints, rows: Ints, bounds: Ints, matrix: Words) -> None:
    """Write the entries, given how many each (slice, column) has, to a matrix that is all zero before."""
    slices, columns = entries.shape
    entry = 0
    for part in range(slices):
        for column in range(columns):
            index = bounds[part]
            for _ in range(entries[part, column]):
                index += runs[entry]
                matrix[rows[index], column] = values[entry]
                index += 1
                entry += 1
