"""The one place that decides how kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, cast

import numba


def _drop_stale_code(folder: Path) -> None:
    """Delete compiled kernels when any kernel file has changed since.

    Numba compares a kernel with its own file alone, and would go on using code that calls an old version of a kernel
    in another file.
    """
    stamp = "".join(f"{p.name} {p.stat().st_mtime_ns} {p.stat().st_size}\n" for p in sorted(folder.glob("*.py")))
    cache = folder / "__pycache__"
    mark = cache / "kernels.stamp"
    with suppress(OSError):  # an installation that cannot be written to does not change either
        if mark.is_file() and mark.read_text() == stamp:
            return
        for code in cache.glob("*.nb[ci]"):
            code.unlink(missing_ok=True)
        cache.mkdir(exist_ok=True)
        mark.write_text(stamp)


_drop_stale_code(Path(__file__).parent)

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def kernel(function: Kernel) -> Kernel:
    """Compile for integers, cache on disk, release the lock."""
    return cast(Kernel, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def parallel_kernel(function: Kernel) -> Kernel:
    """As `kernel`, with `prange` loops spread over the cores."""
    return cast(Kernel, numba.njit(cache=True, nogil=True, error_model="numpy", parallel=True)(function))
