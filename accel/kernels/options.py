"""The one place that decides how kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import types


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


def _compiled(function: Kernel, **options: Any) -> Kernel:
    """One compilation for all calls with equal types: a constant argument is taken for any number of its type.

    Numba compiles a kernel that others call afresh for each constant they pass, and constants are most indices.
    """
    dispatcher = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    compile_for = dispatcher.get_call_template
    plain: Callable[[Any], Any] = types.unliteral

    def for_any_number(args: tuple[Any, ...], kws: dict[str, Any]) -> object:
        return compile_for(tuple(map(plain, args)), {name: plain(given) for name, given in kws.items()})

    dispatcher.get_call_template = for_any_number
    return cast(Kernel, dispatcher)


def is_cached(compiled: Any) -> bool:
    """Whether a kernel is on disk, compiled for some types of its arguments."""
    folder, name = Path(compiled.stats.cache_path), compiled.py_func.__name__
    return any(folder.glob(f"*.{name}-*.nbi"))


def kernel(function: Kernel) -> Kernel:
    """Compile for integers, cache on disk, release the lock."""
    return _compiled(function)


def parallel_kernel(function: Kernel) -> Kernel:
    """As `kernel`, with `prange` loops spread over the cores."""
    return _compiled(function, parallel=True)


def borrowing_kernel(function: Kernel) -> Kernel:
    """As `kernel`, for one that makes no arrays, nor does what it calls: references to those it is given go uncounted.

    Counting them at each call takes longer than most of what is done for one row of a column.
    """
    return _compiled(function, _nrt=False)


def inlined_kernel(function: Kernel) -> Kernel:
    """As `borrowing_kernel`, for one that a single kernel calls, once for each row: it becomes part of its caller."""
    return _compiled(function, _nrt=False, forceinline=True)
