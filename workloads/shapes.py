"""Shape arithmetic of the operations, with errors that say where. `where` is what an error names as its source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from workloads.errors import InputError
from workloads.layer import Layer, far_padding
from workloads.plain import plain

Pair = int | Sequence[int]
"""One number, or (height, width)."""
Sides = int | Sequence[int]
"""One number, or (top, left, bottom, right)."""


def pair(value: Pair, where: str) -> tuple[int, int]:
    """(height, width) of a kernel, stride or dilation given as one number or two."""
    parts = _parts(value, 2, least=1)
    if not parts:
        raise InputError(f"{value!r}: needs a whole number from 1 up, or two of them (height, width)", source=where)
    return (parts[0], parts[1])


def sides(value: Sides, where: str) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of a padding given as one number or four."""
    parts = _parts(value, 4, least=0)
    if not parts:
        problem = f"padding = {value!r}: needs a whole number from 0 up, or (top, left, bottom, right)"
        raise InputError(problem, source=where)
    return (parts[0], parts[1], parts[2], parts[3])


def _parts(value: int | Sequence[int], count: int, least: int) -> tuple[int, ...]:
    """So many whole numbers, given as one or as all of them; none when it is not that."""
    given = plain(value)
    parts = tuple(given) if isinstance(given, Iterable) else (given,) * count
    fine = len(parts) == count and all(type(part) is int and part >= least for part in parts)
    return parts if fine else ()


def map_shape(shape: tuple[int, ...], x: str, where: str) -> tuple[int, int, int, int]:
    """`shape`, that of `x`, as (N, C, H, W)."""
    if len(shape) != 4:
        raise InputError(f"input {x} has shape {shape}: needs (N, C, H, W)", source=where)
    return (shape[0], shape[1], shape[2], shape[3])


def windows(padded: int, taps: int, stride: int, dilation: int = 1, *, ceil_mode: bool = False) -> int:
    """Windows along one axis of `padded` elements; below 1 when not even one fits."""
    room = padded - (taps - 1) * dilation - 1
    return (-(-room // stride) if ceil_mode else room // stride) + 1


def pool_windows(
    size: int, before: int, after: int, taps: int, stride: int, dilation: int = 1, *, ceil_mode: bool = False
) -> int:
    """Windows of a pool; with `ceil_mode` the last one may reach beyond the padding, but must begin before its end.

    A window that begins beyond the input and its near padding would hold nothing: Caffe and PyTorch drop it too.
    """
    count = windows(size + before + after, taps, stride, dilation, ceil_mode=ceil_mode)
    if ceil_mode and (count - 1) * stride >= size + before:
        count -= 1
    return count


def pool_extents(
    size: Sequence[int],
    padding: tuple[int, int, int, int],
    taps: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    *,
    ceil_mode: bool,
    where: str,
) -> tuple[int, int]:
    """Rows and columns of windows of a pool over maps of `size` (height, width)."""
    p, q = (
        pool_windows(size[i], padding[i], padding[i + 2], taps[i], stride[i], dilation[i], ceil_mode=ceil_mode)
        for i in (0, 1)
    )
    require_windows((p, q), taps, size, padding, where)
    return p, q


def require_windows(
    count: Sequence[int], taps: Sequence[int], size: Sequence[int], padding: Sequence[int], where: str
) -> None:
    """Raises InputError when a kernel of `taps` has no window along one of the axes."""
    if min(count) < 1:
        problem = f"kernel {taps[0]} x {taps[1]} does not fit an input of {size[0]} x {size[1]} padded by {padding}"
        raise InputError(problem, source=where)


def conv_layer(
    name: str,
    input_shape: tuple[int, int, int, int],
    channels: int,
    kernel: Pair,
    stride: Pair = 1,
    padding: Sides = 0,
    groups: int = 1,
    dilation: Pair = 1,
    *,
    where: str,
) -> Layer:
    """The convolution of an (N, C, H, W) input to `channels` in all groups; its far padding is what windows reach."""
    n, c, h, w = input_shape
    if groups < 1 or channels < 1 or c % groups or channels % groups:
        raise InputError(f"groups = {groups} must divide {c} input and {channels} output channels", source=where)
    (r, s), steps, spread = pair(kernel, where), pair(stride, where), pair(dilation, where)
    top, left, bottom, right = given = sides(padding, where)
    p = windows(h + top + bottom, r, steps[0], spread[0])
    q = windows(w + left + right, s, steps[1], spread[1])
    require_windows((p, q), (r, s), (h, w), given, where)
    used_bottom, _ = far_padding(h, p, r, steps[0], spread[0], (top, bottom))
    used_right, _ = far_padding(w, q, s, steps[1], spread[1], (left, right))
    return Layer(
        name,
        G=groups,
        N=n,
        K=channels // groups,
        C=c // groups,
        P=p,
        Q=q,
        R=r,
        S=s,
        stride=steps,
        dilation=spread,
        padding=(top, left, used_bottom, used_right),
    )


def axis_index(axis: int, rank: int, where: str) -> int:
    """The axis counted from the front."""
    if not -rank <= axis < rank:
        raise InputError(f"axis = {axis}: must be between {-rank} and {rank - 1}", source=where)
    return axis % rank


def broadcast(shapes: Sequence[tuple[int, ...]], where: str) -> tuple[int, ...]:
    """The common shape of operands, as in NumPy."""
    rank = max(map(len, shapes), default=0)
    columns = zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True)
    extents = [set(column) - {1} for column in columns]
    if not shapes or any(len(extent) > 1 for extent in extents):
        raise InputError(f"shapes {list(shapes)} do not broadcast together", source=where)
    return tuple(extent.pop() if extent else 1 for extent in extents)


def concatenated(shapes: Sequence[tuple[int, ...]], axis: int, where: str) -> tuple[int, ...]:
    """The shape of operands joined along `axis` (from the front)."""
    if len({(shape[:axis], shape[axis + 1 :]) for shape in shapes}) != 1:
        raise InputError(f"cannot join {list(shapes)} along axis {axis}: the other extents differ", source=where)
    first = shapes[0]
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


def reshaped(have: int, shape: Sequence[int], where: str) -> tuple[int, ...]:
    """`shape` with its one -1, if any, filled in so that it holds `have` elements."""
    known = prod(int(extent) for extent in shape if extent != -1)
    wanted = tuple(have // max(1, known) if extent == -1 else int(extent) for extent in shape)
    if prod(wanted) != have or list(shape).count(-1) > 1:
        raise InputError(f"cannot reshape {have} elements to {tuple(shape)}", source=where)
    return wanted
