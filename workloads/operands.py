"""Integer operands for a layer that has no tensors, drawn from its densities with a seed."""

from __future__ import annotations

from math import prod
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.layer import Bits, Layer, Operand, Tensors

CHUNK_WORDS = 1 << 20
"""Words drawn at a time: the random floats of VGG-16's largest layer would otherwise take 400 MB."""


def draw(layer: Layer, seed: int = 0, bits: Bits | None = None) -> Tensors:
    """The layer's own tensors if it has them, else drawn ones: input in (N, G*C, H, W), weight in (G*K, C, R, S).

    Each word is nonzero with the probability `layer.density` states, and then uniform over the nonzero values of the
    signed width; a width of one bit has the values -1 and +1 of binary networks. A width is the layer's own, else that
    of `bits`, else 8. The same seed, layer name, shape and width give the same words on every machine. The dtype is the
    smallest of int8, int16 and int32 that holds the width. Raises InputError for a negative seed.
    """
    if layer.tensors is not None:
        return layer.tensors
    if seed < 0:
        raise InputError(f"seed = {seed}: needs a whole number from 0 up")
    fallback = bits or Bits()
    return Tensors(
        _draw(layer, Operand.INPUT, seed, layer.bits.input or fallback.input or 8, layer.density.input),
        _draw(layer, Operand.WEIGHT, seed, layer.bits.weight or fallback.weight or 8, layer.density.weight),
    )


def draw_operand(layer: Layer, operand: Operand, seed: int = 0) -> NDArray[np.signedinteger]:
    """One operand as `draw` would draw it, 8 bits wide; OUTPUT, which `draw` leaves out, from its own density."""
    density = (layer.density.input, layer.density.weight, layer.density.output)[operand]
    return _draw(layer, operand, seed, 8, density)


def dtype_for(bits: int) -> np.dtype[np.signedinteger]:
    """The smallest of int8, int16 and int32 that holds signed values of `bits`."""
    return np.dtype(np.int8 if bits <= 8 else np.int16 if bits <= 16 else np.int32)


def _draw(layer: Layer, operand: Operand, seed: int, bits: int, density: float) -> NDArray[np.signedinteger]:
    # Python's hash() is salted in every process; a checksum is the same in all of them.
    generator = np.random.default_rng([seed, crc32(layer.name.encode()), int(operand)])
    shape = (layer.input_shape, layer.weight_shape, layer.output_shape)[operand]
    words = np.zeros(prod(shape), dtype_for(bits))
    if density > 0.0:
        for start in range(0, words.size, CHUNK_WORDS):
            part = words[start : start + CHUNK_WORDS]
            part[:] = _nonzero(generator, part.size, bits)
            if density < 1.0:
                part *= generator.random(part.size, dtype=np.float32) < density
    return words.reshape(shape)


def _nonzero(generator: np.random.Generator, count: int, bits: int) -> NDArray[np.signedinteger]:
    half = 1 << max(0, bits - 1)
    high = 1 if bits == 1 else half - 1
    values = generator.integers(-half, high, size=count, dtype=dtype_for(bits))
    values += values >= 0
    return values
