"""Weights that share values: how many there are, which to share, and what a word becomes (Han et al., ICLR 2016)."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Words = NDArray[np.integer]
Integer = TypeVar("Integer", bound=np.integer)

CHUNK_WORDS = 1 << 20
"""Words counted at a time: indices of VGG-16's largest layer would otherwise take 800 MB."""

ROUNDS = 50
"""k-means stops earlier when no centre moves."""


def distinct(words: Words) -> tuple[Ints, Ints]:
    """(values that occur, ascending; how often each does)."""
    if words.dtype.itemsize > 2 or not words.size:
        values, counts = np.unique(words, return_counts=True)
        return values.astype(np.int64), counts.astype(np.int64)
    # Counting takes a tenth of the time of sorting.
    least, greatest = min(0, int(words.min())), max(0, int(words.max()))
    flat, counts = words.reshape(-1), np.zeros(greatest - least + 1, dtype=np.int64)
    for start in range(0, flat.size, CHUNK_WORDS):
        part = flat[start : start + CHUNK_WORDS]
        part = part[part != 0]  # mostly few: zeros are counted as the rest
        counts += np.bincount(part.astype(np.intp) - least, minlength=len(counts))
    counts[-least] = flat.size - counts.sum()
    found = np.flatnonzero(counts)
    return found + least, counts[found]


def shared_values(words: Words, codebook_bits: int) -> Ints:
    """At most `2**codebook_bits` values for all words, ascending: k-means over those not zero; zero is one of them.

    The centres start evenly spread. Words with few enough values keep them.
    """
    values, counts = distinct(words)
    counts, values = counts[values != 0], values[values != 0]
    room = (1 << codebook_bits) - 1
    if len(values) > room:
        points, weights = values.astype(np.float64), counts.astype(np.float64)
        centres = np.linspace(points[0], points[-1], room)
        for _ in range(ROUNDS):
            nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, points)
            mass = np.bincount(nearest, weights, room)
            moved = np.where(mass > 0, np.bincount(nearest, weights * points, room) / np.maximum(mass, 1), centres)
            if np.array_equal(moved, centres):
                break
            centres = moved
        values = np.rint(centres).astype(np.int64)
    return np.union1d(values, [0])


def nearest_places(words: Words, values: Ints) -> Ints:
    """Place of the value nearest to each word, the lower one of two at the same distance; values ascend."""
    flat = words.astype(np.int64)
    above = np.clip(np.searchsorted(values, flat), 1, len(values) - 1) if len(values) > 1 else np.zeros_like(flat)
    below = np.maximum(above - 1, 0)
    return np.where(values[above] - flat < flat - values[below], above, below)


def shared(words: NDArray[Integer], codebook_bits: int) -> NDArray[Integer]:
    """Each word as the nearest of the values they share; of the same dtype."""
    values = shared_values(words, codebook_bits)
    occurring, _ = distinct(words)
    if np.isin(occurring, values).all():
        return words
    nearest = values[nearest_places(occurring, values)]
    return nearest.astype(words.dtype)[np.searchsorted(occurring, words)]
