"""Draws which words of an operand are nonzero, from a density and a pattern."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from workloads.pattern import Pattern

CHUNK_WORDS = 1 << 20
"""Words drawn at a time: the random floats of VGG-16's largest layer would otherwise take 400 MB."""

STRATUM = 32
"""Beta samples behind the density of one channel: densities fill the distribution evenly, few channels or many."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shape = tuple[int, int, int, int]


def nonzero_mask(generator: np.random.Generator, operand: str, shape: Shape, density: float, pattern: Pattern) -> Mask:
    """Which words of an "input", "weight" or "output" of a shape are nonzero.

    Unstructured words are nonzero independently of each other. Blocks of a pattern are drawn without replacement, so
    that the density is the stated one to half a block; n_of_m has the density of its groups, whatever is stated.
    """
    block = pattern.block(operand, shape)
    if pattern.kind == "n_of_m":
        return _groups(generator, shape, pattern.n, pattern.m)
    if density in (0.0, 1.0):
        return np.full(shape, density == 1.0)
    channel = 0 if operand == "weight" else 1
    if block is not None and prod(block) > 1:
        return _blocks(generator, shape, block, channel, density, pattern.skew)
    mask = np.empty(prod(shape), dtype=np.bool_)
    densities = None
    if pattern.skew:
        channels = channel_densities(generator, np.ones(shape[channel], dtype=np.int64), density, pattern.skew)
        densities = channels if channel == 0 else np.tile(channels, shape[0])
    line = prod(shape[channel + 1 :])
    for start in range(0, mask.size, CHUNK_WORDS):
        part = mask[start : start + CHUNK_WORDS]
        least = density if densities is None else densities[np.arange(start, start + part.size) // line]
        np.less(generator.random(part.size, dtype=np.float32), least, out=part)
    return mask.reshape(shape)


def channel_densities(generator: np.random.Generator, words: Ints, density: float, skew: float) -> Floats:
    """(channels,): Beta-distributed densities whose mean over channels of so many `words` is `density`, exactly.

    The variance is skew * density * (1 - density), but for what few channels cannot show.
    """
    channels = len(words)
    if skew < 1.0:
        # a + b of a Beta distribution is 1/skew - 1 when its variance is that share of the largest there can be.
        both = 1.0 / max(skew, 1e-9) - 1.0
        samples = np.sort(generator.beta(both * density, both * (1.0 - density), channels * STRATUM))
    else:
        samples = (np.arange(channels * STRATUM) >= (1.0 - density) * channels * STRATUM).astype(np.float64)
    found = generator.permutation(samples.reshape(channels, STRATUM).mean(axis=1))
    mean = float(np.average(found, weights=words))
    if mean > density:
        return np.asarray(found * (density / mean))
    return np.asarray(1.0 - (1.0 - found) * ((1.0 - density) / (1.0 - mean))) if mean < 1.0 else found


def _groups(generator: np.random.Generator, shape: Shape, n: int, m: int) -> Mask:
    """Just n nonzeros in every m words along the second axis; in a short last group up to n."""
    along = shape[1]
    groups = -(-along // m)
    lines = np.empty((prod(shape) // along, along), dtype=np.bool_)
    step = max(1, CHUNK_WORDS // (groups * m))
    for start in range(0, len(lines), step):
        part = lines[start : start + step]
        draws = generator.random((len(part), groups * m), dtype=np.float32)
        draws[:, along:] = 2.0  # what is not there is chosen last
        draws = draws.reshape(len(part), groups, m)
        chosen = np.zeros(draws.shape, dtype=np.bool_)
        np.put_along_axis(chosen, np.argpartition(draws, n - 1, axis=2)[..., :n], True, axis=2)
        part[:] = chosen.reshape(len(part), -1)[:, :along]
    moved = lines.reshape(shape[0], *shape[2:], along)
    return np.ascontiguousarray(np.moveaxis(moved, -1, 1))


def _blocks(
    generator: np.random.Generator, shape: Shape, block: tuple[int, ...], channel: int, density: float, skew: float
) -> Mask:
    """Whole blocks zero or nonzero; with skew, each channel (or channels within a block) has a density of its own."""
    extents = [np.diff(np.r_[np.arange(0, size, edge), size]) for size, edge in zip(shape, block, strict=True)]
    words = np.ones((1, 1, 1, 1), dtype=np.int64)
    for axis, extent in enumerate(extents):
        words = words * extent.reshape([-1 if other == axis else 1 for other in range(4)])
    moved = np.moveaxis(words, channel, 0)
    rows = moved.reshape(len(moved) if skew else 1, -1)
    sizes = rows.sum(axis=1)
    targets = sizes * (channel_densities(generator, sizes, density, skew) if skew else density)
    kept = np.zeros(rows.shape, dtype=np.bool_)
    left = 0.0
    for row in generator.permutation(len(rows)):
        order = generator.permutation(rows.shape[1])
        filled = np.r_[0, np.cumsum(rows[row, order])]
        # What rounding to whole blocks leaves over goes to the next channel, so that the whole is right.
        count = int(np.argmin(np.abs(filled - (targets[row] + left))))
        left += targets[row] - filled[count]
        kept[row, order[:count]] = True
    mask = np.moveaxis(kept.reshape(moved.shape), 0, channel)
    for axis, extent in enumerate(extents):
        mask = np.repeat(mask, extent, axis=axis)
    return mask
