"""How many input positions a set of convolution windows touches."""

from __future__ import annotations

from accel.kernels.options import kernel


@kernel
def gcd(a: int, b: int) -> int:
    if a == 1 or b == 1:  # most often, and divisions take long
        return 1
    while b:
        a, b = b, a % b
    return a


@kernel
def distinct_positions(outputs: int, stride: int, taps: int, dilation: int) -> int:
    """Distinct values of `i*stride + j*dilation` for i < outputs, j < taps.

    (i, j) repeats an earlier pair exactly when (i - b, j + a) is one, with a = stride/gcd and b = dilation/gcd.
    """
    common = gcd(stride, dilation)
    a, b = stride // common, dilation // common
    return outputs * taps - max(0, outputs - b) * max(0, taps - a)


@kernel
def touches(position: int, outputs: int, stride: int, taps: int, dilation: int) -> bool:
    """Whether a position is one of `i*stride + j*dilation` for i < outputs, j < taps."""
    for tap in range(taps):
        rest = position - tap * dilation
        if rest >= 0 and rest % stride == 0 and rest // stride < outputs:
            return True
    return False


@kernel
def new_positions(
    shift: int, outputs: int, stride: int, taps: int, dilation: int, outputs_before: int, taps_before: int
) -> int:
    """Distinct values of `shift + i*stride + j*dilation` that windows before them, not shifted, do not touch."""
    common = gcd(stride, dilation)
    a, b = stride // common, dilation // common
    count = 0
    for i in range(outputs):
        for j in range(taps):
            if i >= b and j + a < taps:
                continue  # another i, j has the same value
            count += not touches(shift + i * stride + j * dilation, outputs_before, stride, taps_before, dilation)
    return count


@kernel
def slid_positions(
    shift: int, outputs: int, stride: int, taps: int, dilation: int, outputs_before: int, taps_before: int
) -> tuple[int, int, bool]:
    """(positions under windows, new ones of them, whether they are those of before); arguments of `new_positions`."""
    here = distinct_positions(outputs, stride, taps, dilation)
    new = new_positions(shift, outputs, stride, taps, dilation, outputs_before, taps_before)
    return here, new, new == 0 and here == distinct_positions(outputs_before, stride, taps_before, dilation)


@kernel
def touched_positions(
    first: int, outputs: int, stride: int, tap: int, taps: int, dilation: int, padding: int, size: int
) -> int:
    """Distinct values of `i*stride + j*dilation - padding` in 0..size-1, i from `first`, j from `tap`."""
    low = first * stride + tap * dilation - padding
    if dilation == 1 and stride <= taps:
        high = low + (outputs - 1) * stride + taps
        return max(0, min(high, size) - max(low, 0))
    common = gcd(stride, dilation)
    a, b = stride // common, dilation // common
    count = 0
    for i in range(outputs):
        for j in range(taps):
            if i >= b and j + a < taps:
                continue
            position = low + i * stride + j * dilation
            if 0 <= position < size:
                count += 1
    return count
