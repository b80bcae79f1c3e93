"""The one place that decides how kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def kernel(function: Kernel) -> Kernel:
    """Compile for integers, cache on disk, release the lock."""
    return cast(Kernel, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def parallel_kernel(function: Kernel) -> Kernel:
    """As `kernel`, with `prange` loops spread over the cores."""
    return cast(Kernel, numba.njit(cache=True, nogil=True, error_model="numpy", parallel=True)(function))
