"""Counting nonzero operands where the multipliers meet them."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from accel.kernels.options import parallel_kernel


@parallel_kernel
def inputs_met(
    words: NDArray[np.integer], groups: int, outputs: tuple[int, int], taps: tuple[int, int],
    stride: tuple[int, int], dilation: tuple[int, int], padding: tuple[int, ...],
) -> NDArray[np.int64]:  # fmt: skip
    """(G*C, R, S): nonzero inputs each filter tap meets over all images and output pixels; padding counts as zero.

    words: (N, G*C, H, W). outputs (P, Q), taps (R, S), stride and dilation (vertical, horizontal), padding (top, left).
    """
    images, channels, height, width = words.shape
    met = np.zeros((channels, taps[0], taps[1]), dtype=np.int64)
    for channel in prange(channels):
        for r in range(taps[0]):
            for s in range(taps[1]):
                count = 0
                for image in range(images):
                    for p in range(outputs[0]):
                        h = p * stride[0] + r * dilation[0] - padding[0]
                        if h < 0 or h >= height:
                            continue
                        for q in range(outputs[1]):
                            w = q * stride[1] + s * dilation[1] - padding[1]
                            if 0 <= w < width and words[image, channel, h, w] != 0:
                                count += 1
                met[channel, r, s] = count
    return met
