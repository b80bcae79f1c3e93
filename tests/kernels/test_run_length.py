"""Does run-length coding lose nothing, and is its size that of pairs written out?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.codecs import RunLength
from tests.kernels import reference

zeros = st.integers(0, 80).map(lambda count: [0] * count)
values = st.lists(st.integers(-128, 127), max_size=4)
tensors = st.lists(zeros | values, max_size=8).map(lambda parts: [word for part in parts for word in part])
"""Long runs of zeros between a few values: runs longer than any code, at the start and at the end."""


@given(tensors, st.integers(1, 6))
def test_what_is_coded_comes_back(words: list[int], run_bits: int) -> None:
    codec = RunLength(run_bits, 8)
    given_words = np.array(words, dtype=np.int8)
    runs, coded = codec.encode(given_words)
    assert codec.decode(runs, coded, len(words)).tolist() == words
    assert [*zip(runs.tolist(), coded.tolist(), strict=True)] == reference.run_length_pairs(words, codec.longest_run)
    assert max(runs, default=0) <= codec.longest_run
    assert codec.stored(given_words).total == codec.packed_bits(len(runs))


@pytest.mark.parametrize("words", [[], [0], [7], [0] * 31, [0] * 32, [0] * 33, [0] * 31 + [5], [0] * 32 + [5], [5] * 9])
def test_edges_of_a_run(words: list[int]) -> None:
    codec = RunLength(5, 16)
    runs, coded = codec.encode(np.array(words, dtype=np.int16))
    assert codec.decode(runs, coded, len(words)).tolist() == words


def test_any_shape_and_width_is_coded_as_it_lies_in_memory() -> None:
    words = np.array([[[0, 0, 300000], [0, -5, 0]]], dtype=np.int32)
    runs, coded = RunLength(5, 32).encode(words)
    assert (runs.tolist(), coded.tolist()) == ([2, 1, 0], [300000, -5, 0])


@pytest.mark.parametrize(
    ("run_bits", "value_bits", "pairs", "bits"),
    [
        (5, 16, 3, 64),  # three pairs of 21 bits and the terminal bit, as on Eyeriss
        (5, 16, 4, 128),
        (5, 8, 4, 64),
        (5, 8, 5, 128),
        (5, 64, 2, 256),  # a pair wider than a memory word
        (5, 16, 0, 0),
    ],
)
def test_pairs_fill_whole_memory_words(run_bits: int, value_bits: int, pairs: int, bits: int) -> None:
    assert RunLength(run_bits, value_bits).packed_bits(pairs) == bits
