"""Do formats lose nothing, and do they take the bits of the same thing written out?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.codecs import Bitmask, Codebook, Csc, Dense, Format, Huffman, NofM, RunLength
from tests.kernels import reference_formats as reference
from workloads import InputError

SHARES = st.sampled_from([0.0, 0.02, 0.3, 0.9, 1.0])
SHAPES = st.tuples(st.integers(1, 70), st.integers(1, 9)) | st.sampled_from(
    [(1, 1), (64, 1), (65, 1), (1, 200), (3, 2, 3, 3)]
)
ADVERSARIAL = {
    "one zero": np.zeros((1, 1), np.int8),
    "one value": np.full((1, 1), -7, np.int8),
    "all zero": np.zeros((70, 3), np.int8),
    "none zero": np.arange(1, 121, dtype=np.int8).reshape(40, 3),
    "one value at the end of a long run": np.eye(1, 500, 499, dtype=np.int8).T.copy(),
    "one value at the start of a long run": np.eye(1, 500, dtype=np.int8).T.copy(),
    "a run of just what the index can say": np.eye(1, 16, 15, dtype=np.int8).T.copy(),
    "a run of one more": np.eye(1, 17, 16, dtype=np.int8).T.copy(),
    "sixty-five words": np.arange(65, dtype=np.int8).reshape(65, 1) % 2,
    "extremes": np.array([[-128, 127], [0, -1]], np.int8),
}


def sparse(shape: tuple[int, ...], seed: int, share: float) -> np.ndarray:
    generator = np.random.default_rng(seed)
    words = generator.integers(-128, 128, shape) * (generator.random(shape) < share)
    return words.astype(np.int8)


def formats(words: np.ndarray) -> list[Format]:
    table = tuple(sorted({0, *words.reshape(-1).tolist()}))
    codebook = Codebook(table, 8, 16)
    return [
        Dense(8),
        Bitmask(8),
        Bitmask(8, chunk_bits=128),
        RunLength(5, 8),
        *(Csc(8, run_bits, slices) for run_bits in (1, 4) for slices in (1, 3, 64)),
        Csc(8, 4, 2, codebook=codebook),
        NofM(4, 4, 8),
        codebook,
        Huffman(8),
    ]


def assert_nothing_lost(words: np.ndarray) -> None:
    for form in formats(words):
        back = form.decode(*form.encode(words), words.shape)
        assert np.array_equal(back, words), form
        parts = form.stored(words)
        assert min(parts.values, parts.index, parts.padding, parts.pointers, parts.codebook) >= 0
        assert parts.overhead == parts.total - parts.values


@given(SHAPES, st.integers(0, 99), SHARES)
def test_random_tensors_come_back(shape: tuple[int, ...], seed: int, share: float) -> None:
    assert_nothing_lost(sparse(shape, seed, share))


@pytest.mark.parametrize("words", ADVERSARIAL.values(), ids=ADVERSARIAL.keys())
def test_adversarial_tensors_come_back(words: np.ndarray) -> None:
    assert_nothing_lost(words)


@given(SHAPES, st.integers(0, 99), SHARES, st.integers(1, 70))
def test_bitmask_written_out(shape: tuple[int, ...], seed: int, share: float, chunk_bits: int) -> None:
    words = sparse(shape, seed, share)
    form = Bitmask(8, chunk_bits)
    assert form.stored(words).total == len(reference.bitmask(words.reshape(-1).tolist(), 8, chunk_bits))
    mask, _ = form.encode(words)
    bits = "".join(reference.binary(int(word), 64)[::-1] for word in mask)
    assert bits[: words.size] == "".join("1" if word else "0" for word in words.reshape(-1))


@given(SHAPES, st.integers(0, 99), SHARES, st.integers(1, 5), st.integers(1, 9))
def test_columns_written_out(shape: tuple[int, ...], seed: int, share: float, run_bits: int, slices: int) -> None:
    words = sparse(shape, seed, share)
    form = Csc(8, run_bits, slices, 12)
    bits, counts = reference.csc(words.reshape(shape[0], -1).tolist(), 8, run_bits, slices, 12)
    entries, bridges = form.entries(words)
    assert entries.tolist() == counts
    assert entries.sum() - bridges.sum() == np.count_nonzero(words)
    assert form.stored(words).total == len(bits)


def test_pointers_that_wrap_lose_nothing() -> None:
    words = sparse((10, 50), 1, 0.9)
    form = Csc(8, 4, 1, pointer_bits=4)
    assert form.encode(words)[2].max() < 16
    assert np.array_equal(form.decode(*form.encode(words), words.shape), words)


def test_a_column_longer_than_its_pointer_can_count() -> None:
    with pytest.raises(InputError, match="pointer_bits = 4: needs 5 for a column of 16 entries"):
        Csc(8, 4, 1, pointer_bits=4).stored(np.ones((16, 1), np.int8))


def test_bridging_entries_cost_what_an_entry_costs() -> None:
    words = np.zeros((33, 1), np.int8)
    words[32] = 5
    parts = Csc(4, 4, 1, 16).stored(words)
    assert (parts.values, parts.index, parts.padding, parts.pointers) == (4, 4, 16, 32)


def test_a_codebook_for_columns_needs_a_zero() -> None:
    with pytest.raises(InputError, match="no entry 0"):
        Csc(8, codebook=Codebook((1, 2), 1, 8))


@given(SHAPES, st.integers(0, 99), SHARES, st.sampled_from([(1, 2), (2, 4), (1, 4), (4, 8), (3, 5), (1, 1)]))
def test_groups_written_out(shape: tuple[int, ...], seed: int, share: float, kind: tuple[int, int]) -> None:
    words = sparse(shape, seed, share)
    form = NofM(*kind, 8)
    lines = np.moveaxis(words, 1, -1)
    bits = reference.n_of_m(lines.reshape(-1, lines.shape[-1]).tolist(), *kind, 8)
    if bits is None:
        with pytest.raises(InputError, match="nonzeros in the"):
            form.stored(words)
        with pytest.raises(InputError, match="nonzeros in the"):
            form.encode(words)
    else:
        assert form.stored(words).total == len(bits)
        assert np.array_equal(form.decode(*form.encode(words), words.shape), words)


def test_a_violation_names_its_place() -> None:
    words = np.zeros((2, 8, 3, 3), np.int8)
    words[1, 4:7, 2, 1] = 1
    with pytest.raises(
        InputError, match=r"3 nonzeros in the 4 words from \[1, 4, 2, 1\] along axis 1: needs at most 2"
    ):
        NofM(2, 4, 8).encode(words)
    with pytest.raises(InputError, match="n = 5, m = 4: needs 1 <= n <= m"):
        NofM(5, 4, 8)


def test_two_of_four_takes_what_the_whitepaper_says() -> None:
    words = np.tile(np.array([1, 0, 0, 2], np.int16), (16, 8))
    assert NofM(2, 4, 16).stored(words).total == words.size * 16 * 0.5625


@given(st.lists(st.integers(-300, 300), min_size=1, max_size=40), st.sets(st.integers(-50, 50), min_size=1, max_size=8))
def test_codebook_takes_the_nearest(words: list[int], values: set[int]) -> None:
    form = Codebook(tuple(values), 3, 16)
    given_words = np.array(words, np.int16)
    back = form.decode(*form.encode(given_words), given_words.shape)
    assert back.tolist() == [reference.nearest(word, form.table) for word in words]
    assert form.stored(given_words).total == 3 * len(words) + 8 * 16


def test_a_fitted_codebook_is_exact_when_it_has_room_and_close_when_not() -> None:
    few = np.array([0, 0, 5, -3, 5], np.int8)
    form = Codebook.fit(few, 2, 8)
    assert form.decode(*form.encode(few), few.shape).tolist() == few.tolist()
    many = np.random.default_rng(0).normal(0, 30, 4000).astype(np.int16)
    errors = []
    for bits in (2, 3, 4, 5):
        form = Codebook.fit(many, bits, 16)
        assert 0 in form.table
        assert len(form.table) <= 1 << bits
        errors.append(np.square(form.decode(*form.encode(many), many.shape) - many).mean())
    assert sorted(errors, reverse=True) == errors
    with pytest.raises(InputError, match="table of 3 values: an index of 1 bits names 1 to 2"):
        Codebook((1, 2, 3), 1, 8)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=80))
def test_huffman_is_optimal(words: list[int]) -> None:
    form = Huffman(8)
    bits, symbols, lengths = form.encode(np.array(words, np.int8))
    assert len(bits) == reference.huffman_bits(words)
    assert form.stored(np.array(words, np.int8)).total == len(bits) + len(set(words)) * (8 + 6)
    assert sorted(symbols.tolist()) == sorted(set(words))
    assert sum(2.0**-length for length in lengths) == (0.5 if len(lengths) == 1 else 1.0)


def test_huffman_of_nothing() -> None:
    nothing = np.zeros((0,), np.int8)
    assert Huffman(8).stored(nothing).total == 0
    assert Huffman(8).decode(*Huffman(8).encode(nothing), 0).size == 0
