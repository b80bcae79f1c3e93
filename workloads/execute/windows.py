"""Pools over (N, C, H, W): maxima and sums of windows, and how many elements each sum has."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.network import Node


def max_pool(node: Node, x: NDArray[Any]) -> NDArray[Any]:
    """Maxima; padding never wins. Any dtype."""
    lowest = np.iinfo(x.dtype).min if x.dtype.kind == "i" else -np.inf
    return np.asarray(_reduced(node, x, lowest, np.maximum))


def window_sums(node: Node, x: NDArray[Any]) -> NDArray[Any]:
    """Sums of windows, padding being zero, in the dtype of `x`."""
    return np.asarray(_reduced(node, x, 0, np.add))


def window_counts(node: Node, height: int, width: int) -> NDArray[np.int64]:
    """Elements each mean is taken over, (1, 1, P, Q): what lies inside, and padding when `count_padding`.

    What a ceil-mode window reaches beyond the padding never counts (ONNX, PyTorch).
    """
    top, left, bottom, right = node.attributes["padding"] if node.attributes["count_padding"] else (0, 0, 0, 0)
    near = node.attributes["padding"][:2]
    ones = np.ones((1, 1, height + top + bottom, width + left + right), np.int64)
    return np.asarray(_reduced(node, ones, 0, np.add, offset=(near[0] - top, near[1] - left)))


def _reduced(
    node: Node, x: NDArray[Any], fill: Any, join: np.ufunc, offset: tuple[int, int] | None = None
) -> NDArray[Any]:
    """Windows joined tap by tap; what they reach outside `x` is `fill`. `offset` replaces the node's near padding."""
    (r, s), (sr, ss) = node.attributes["kernel"], node.attributes["stride"]
    dr, ds = node.attributes.get("dilation", (1, 1))
    top, left = offset if offset is not None else node.attributes["padding"][:2]
    p, q = node.shape[2:]
    rows, columns = (p - 1) * sr + (r - 1) * dr + 1, (q - 1) * ss + (s - 1) * ds + 1
    bottom, right = max(0, rows - top - x.shape[2]), max(0, columns - left - x.shape[3])
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    result: NDArray[Any] | None = None
    for row in range(0, r * dr, dr):
        for column in range(0, s * ds, ds):
            tap = padded[:, :, row : row + (p - 1) * sr + 1 : sr, column : column + (q - 1) * ss + 1 : ss]
            result = tap.copy() if result is None else join(result, tap, out=result)
    assert result is not None
    return result
