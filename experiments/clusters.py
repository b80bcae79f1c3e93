"""Operands whose zero activations lie together, as the background of a picture does."""

from __future__ import annotations

from dataclasses import replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from workloads import Layer, Tensors
from workloads.operands import draw

PATCHES = 4
"""Patches along each side of the plane."""


def clustered(layer: Layer, skew: float = 0.0, seed: int = 0) -> Tensors:
    """As `workloads.operands.draw`, but the probability of a nonzero input differs from patch to patch of the plane.

    The log-odds of a place are a constant plus `skew` times a standard normal, one for each of 4 x 4 patches of the
    plane and the same in all channels; the constant keeps the layer's density. 0: independent zeros.
    """
    tensors = draw(layer, seed)
    density = layer.density.input
    if skew == 0 or density >= 1.0:
        return tensors
    generator = np.random.default_rng([seed, crc32(layer.name.encode())])
    lean = skew * generator.standard_normal((PATCHES, PATCHES))
    patch = [np.arange(size) * PATCHES // size for size in (layer.H, layer.W)]
    chance = _shifted(lean[patch[0]][:, patch[1]], density)
    values = draw(replace(layer, density=replace(layer.density, input=1.0)), seed).input
    kept = generator.random(values.shape, dtype=np.float32) < chance
    return Tensors(np.where(kept, values, 0).astype(values.dtype), tensors.weight)


def _shifted(lean: NDArray[np.float64], density: float) -> NDArray[np.float64]:
    """Probabilities of the log-odds plus a constant, by bisection, whose mean is the density."""
    low, high = -60.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-(lean + middle)))).mean() < density:
            low = middle
        else:
            high = middle
    chance: NDArray[np.float64] = 1 / (1 + np.exp(-(lean + low)))
    return chance
