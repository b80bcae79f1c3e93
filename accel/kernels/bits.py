"""Counting and finding bits of a 64-bit word in single machine instructions, which numba does not offer by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba
from numba.extending import intrinsic

Codegen = tuple[Any, Callable[..., Any]]


def _popcount(_typing: Any, word: Any) -> Codegen:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return numba.int64(numba.uint64), generate


def _lowest_bit(_typing: Any, word: Any) -> Codegen:
    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], context.get_constant(numba.boolean, True))

    return numba.int64(numba.uint64), generate


popcount = cast(Callable[[Any], int], intrinsic(_popcount))
"""Set bits of a word."""

lowest_bit = cast(Callable[[Any], int], intrinsic(_lowest_bit))
"""Position of the lowest set bit of a word that is not zero."""
