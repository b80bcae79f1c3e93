"""Run-length coding of zeros: a pair is a run of zeros and the value that ends it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import kernel

Ints = NDArray[np.int64]
Words = NDArray[np.integer]


@kernel
def count_pairs(words: Words, longest: int) -> int:
    """Pairs needed for a flat array when a run holds at most `longest` zeros; a longer run ends in a zero value."""
    pairs = 0
    run = 0
    for word in words:
        if word == 0 and run < longest:
            run += 1
        else:
            pairs += 1
            run = 0
    return pairs + (1 if run else 0)


@kernel
def encode_pairs(words: Words, longest: int, runs: Ints, values: Words) -> None:
    """Fill `runs` and `values` with the pairs of a flat array; zeros at the end become a run that ends in a zero."""
    pairs = 0
    run = 0
    for word in words:
        if word == 0 and run < longest:
            run += 1
        else:
            runs[pairs] = run
            values[pairs] = word
            pairs += 1
            run = 0
    if run:
        runs[pairs] = run - 1
        values[pairs] = 0


@kernel
def decode_pairs(runs: Ints, values: Words, count: int) -> Words:
    """The first `count` words that the pairs stand for."""
    words = np.zeros(count, dtype=values.dtype)
    position = 0
    for pair in range(len(runs)):
        position += runs[pair]
        if position < count:
            words[position] = values[pair]
        position += 1
    return words
