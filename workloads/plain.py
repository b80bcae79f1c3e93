"""NumPy's numbers and arrays as Python's own, which is what fields hold and files can be made of."""

from __future__ import annotations

from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """The value with every NumPy scalar a Python one and every array a list, in lists, tuples and tables too.

    What is not NumPy's stays as it is, and nothing changes its kind: `np.float64(3)` is 3.0, which is no whole number.
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if type(value) in (list, tuple):
        return type(value)(plain(item) for item in value)
    if type(value) is dict:
        return {plain(key): plain(item) for key, item in value.items()}
    return value
