"""Integer operands for a layer that has no tensors, drawn from its densities and patterns with a seed."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.layer import OPERAND_NAMES, Bits, Layer, Operand, Tensors
from workloads.zeros import CHUNK_WORDS, nonzero_mask

_ZEROS, _VALUES, _CODEBOOK = 0, 1, 2
"""Streams of an operand: where its zeros lie does not depend on its width."""

Words = NDArray[np.signedinteger]


def draw(layer: Layer, seed: int = 0, bits: Bits | None = None) -> Tensors:
    """The layer's own tensors if it has them, else drawn ones: input in (N, G*C, H, W), weight in (G*K, C, R, S).

    Zeros lie as `layer.density` and `layer.patterns` state; other words are uniform over the nonzero values of the
    signed width (one bit has the -1 and +1 of binary networks), or over those of the layer's codebook. A width is the
    layer's own, else that of `bits`, else 8. The same seed, layer name, shape and width give the same words on every
    machine. The dtype is the smallest of int8, int16 and int32 that holds the width.
    Raises InputError for a negative seed.
    """
    if layer.tensors is not None:
        return layer.tensors
    fallback = bits or Bits()
    return Tensors(
        draw_operand(layer, Operand.INPUT, seed, layer.bits.input or fallback.input or 8),
        draw_operand(layer, Operand.WEIGHT, seed, layer.bits.weight or fallback.weight or 8),
    )


def draw_operand(layer: Layer, operand: Operand, seed: int = 0, bits: int = 8, codebook_bits: int = 0) -> Words:
    """One operand as `draw` would draw it, also OUTPUT, which `draw` leaves out.

    `codebook_bits`: of the codebook weights are drawn from where the layer states none. Raises InputError likewise.
    """
    if seed < 0:
        raise InputError(f"seed = {seed}: needs a whole number from 0 up")
    name = OPERAND_NAMES[operand]
    shape = (layer.input_shape, layer.weight_shape, layer.output_shape)[operand]
    density, pattern = getattr(layer.density, name), getattr(layer.patterns, name)
    mask = nonzero_mask(_stream(layer, operand, seed, _ZEROS), name, shape, density, pattern)
    table = None
    if operand is Operand.WEIGHT:
        table = _codebook(layer, seed, bits, layer.patterns.codebook_bits or codebook_bits)
    words = np.zeros(mask.size, dtype_for(bits))
    generator, flat = _stream(layer, operand, seed, _VALUES), mask.reshape(-1)
    for start in range(0, words.size, CHUNK_WORDS):
        places = np.flatnonzero(flat[start : start + CHUNK_WORDS]) + start
        words[places] = (
            _nonzero(generator, places.size, bits)
            if table is None
            else table[generator.integers(0, len(table), places.size, dtype=np.uint16)]
        )
    return words.reshape(shape)


def dtype_for(bits: int) -> np.dtype[np.signedinteger]:
    """The smallest of int8, int16 and int32 that holds signed values of `bits`."""
    return np.dtype(np.int8 if bits <= 8 else np.int16 if bits <= 16 else np.int32)


def _stream(layer: Layer, operand: Operand, seed: int, purpose: int) -> np.random.Generator:
    # Python's hash() is salted in every process; a checksum is the same in all of them.
    return np.random.default_rng([seed, crc32(layer.name.encode()), int(operand), purpose])


def _codebook(layer: Layer, seed: int, bits: int, codebook_bits: int) -> Words | None:
    """The nonzero values of the layer's codebook, or None when an index has room for every word."""
    if not 0 < codebook_bits < bits:
        return None
    low, high = _nonzero_range(bits)
    generator = _stream(layer, Operand.WEIGHT, seed, _CODEBOOK)
    # Positions among the nonzero values; the upper half lies above the zero that is left out.
    chosen = generator.choice(high - low, min(high - low, (1 << codebook_bits) - 1), replace=False) + low
    return np.sort(chosen + (chosen >= 0)).astype(dtype_for(bits))


def _nonzero(generator: np.random.Generator, count: int, bits: int) -> Words:
    low, high = _nonzero_range(bits)
    values = generator.integers(low, high, size=count, dtype=dtype_for(bits))
    values += values >= 0
    return values


def _nonzero_range(bits: int) -> tuple[int, int]:
    """(least, greatest) nonzero value: there are as many as their difference."""
    half = 1 << max(0, bits - 1)
    return -half, 1 if bits == 1 else half - 1
