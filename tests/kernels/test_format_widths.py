"""Does every format hold words of every width, signed or not, in the bits its closed form states?"""

from __future__ import annotations

from collections import Counter
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.codecs import Bitmask, Codebook, Csc, Dense, Format, Huffman, NofM, RunLength
from tests.kernels import reference, reference_formats

RUN_BITS, SLICES, POINTER_BITS, CHUNK_BITS, N, M = 3, 3, 12, 32, 3, 5
SHAPES = [(1, 7), (65, 1), (3, 5, 2, 2)]
"""Sizes that fill a memory word, a mask word, a chunk or a group, and that do not."""

widths = st.tuples(st.integers(1, 16), st.booleans())


def extremes(bits: int, signed: bool) -> tuple[int, int]:
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def cases(bits: int, signed: bool) -> list[np.ndarray]:
    """Adversarial words of a width in each shape."""
    low, high = extremes(bits, signed)
    full = low if high == 0 else high
    found = []
    for shape in SHAPES:
        words = np.zeros(shape, np.int32)
        flat = words.reshape(-1)
        found.append(words.copy())
        found.append(np.full(shape, full, np.int32))
        ramp = np.linspace(low, high, flat.size).astype(np.int32).reshape(shape)
        found.append(np.where(ramp == 0, full, ramp))
        for place in {0, flat.size - 1}:
            flat[:] = 0
            flat[place] = full
            found.append(words.copy())
        for run in (7, 8):  # just what the index can say, and one more
            flat[:] = 0
            flat[run :: run + 1] = low or full
            found.append(words.copy())
    return found


def formats(words: np.ndarray, bits: int) -> list[Format]:
    """Every format with parameters that the words satisfy."""
    index_bits = max(1, len(set(words.reshape(-1).tolist()) | {0}) - 1).bit_length()
    table = Codebook.holding(words, index_bits, bits)
    groups = Counter(dict(enumerate(_group_sizes(words))))
    n = max(1, max(groups.values(), default=1))
    return [
        Dense(bits),
        Bitmask(bits),
        Bitmask(bits, CHUNK_BITS),
        RunLength(RUN_BITS, bits),
        Csc(bits, RUN_BITS, SLICES, POINTER_BITS),
        Csc(bits, RUN_BITS, SLICES, POINTER_BITS, table),
        NofM(n, M, bits),
        table,
        Huffman(bits),
    ]


def _group_sizes(words: np.ndarray) -> list[int]:
    lines = np.moveaxis(words, 1, -1).reshape(-1, words.shape[1])
    return [int(np.count_nonzero(line[at : at + M])) for line in lines for at in range(0, words.shape[1], M)]


def stated_bits(form: Format, words: np.ndarray, bits: int) -> int:
    """The closed form, counted by slow and obvious means."""
    flat = words.reshape(-1).tolist()
    nonzeros = sum(word != 0 for word in flat)
    if isinstance(form, Dense):
        return len(flat) * bits
    if isinstance(form, Bitmask):
        return ceil(len(flat) / form.chunk_bits) * form.chunk_bits + nonzeros * bits
    if isinstance(form, RunLength):
        pairs = len(reference.run_length_pairs(flat, 2**RUN_BITS - 1))
        return ceil(pairs / (63 // (RUN_BITS + bits))) * 64
    if isinstance(form, Csc):
        matrix = words.reshape(words.shape[0], -1)
        entry = bits if form.codebook is None else form.codebook.index_bits
        _, counts = reference_formats.csc(matrix.tolist(), bits, RUN_BITS, SLICES, POINTER_BITS)
        table = 0 if form.codebook is None else 2**form.codebook.index_bits * bits
        return sum(map(sum, counts)) * (entry + RUN_BITS) + SLICES * (matrix.shape[1] + 1) * POINTER_BITS + table
    if isinstance(form, NofM):
        return len(_group_sizes(words)) * form.n * (bits + 3)  # a place among five takes three bits
    if isinstance(form, Codebook):
        return len(flat) * form.index_bits + 2**form.index_bits * bits
    return reference_formats.huffman_bits(flat) + len(set(flat)) * (bits + 6)


def assert_streams_fit(form: Format, streams: tuple[np.ndarray, ...], bits: int, signed: bool) -> None:
    """Every number of every stream can be written in the bits that are counted for it."""
    low, high = extremes(bits, signed)
    limits = {
        "dense": [(low, high)],
        "bitmask": [None, (low, high)],
        "rlc": [(0, 2**RUN_BITS - 1), (low, high)],
        "csc": [(low, high), (0, 2**RUN_BITS - 1), (0, 2**POINTER_BITS - 1)],
        "n_of_m": [(low, high), (0, M - 1)],
        "codebook": [(0, 2 ** getattr(form, "index_bits", 0) - 1)],
        "huffman": [(0, 1), (low, high), (1, 63)],
    }[form.name]
    if isinstance(form, Csc) and form.codebook is not None:
        limits[0] = (0, 2**form.codebook.index_bits - 1)
    for stream, limit in zip(streams, limits, strict=True):
        if limit and stream.size:
            assert limit[0] <= int(stream.min()) and int(stream.max()) <= limit[1], form


def assert_held(words: np.ndarray, bits: int, signed: bool) -> None:
    for form in formats(words, bits):
        streams = form.encode(words)
        back = form.decode(*streams, words.shape)
        assert back.shape == words.shape
        assert np.array_equal(back, words), form
        assert_streams_fit(form, streams, bits, signed)
        parts = form.stored(words)
        assert parts.total == stated_bits(form, words, bits), form
        assert min(parts.values, parts.index, parts.padding, parts.pointers, parts.codebook) >= 0
        assert parts.overhead == parts.total - parts.values


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
@pytest.mark.parametrize("bits", range(1, 17))
def test_adversarial_words_of_every_width(bits: int, signed: bool) -> None:
    for words in cases(bits, signed):
        assert_held(words, bits, signed)


@given(widths, st.sampled_from(SHAPES), st.integers(0, 99), st.sampled_from([0.0, 0.03, 0.4, 1.0]))
def test_random_words_of_every_width(kind: tuple[int, bool], shape: tuple[int, ...], seed: int, share: float) -> None:
    bits, signed = kind
    low, high = extremes(bits, signed)
    generator = np.random.default_rng(seed)
    words = generator.integers(low, high + 1, shape) * (generator.random(shape) < share)
    assert_held(words.astype(np.int32), bits, signed)


def test_unsigned_words_as_they_come() -> None:
    words = np.array([[0, 65535, 0, 1], [32768, 0, 0, 0]], np.uint16)
    assert_held(words, 16, signed=False)
