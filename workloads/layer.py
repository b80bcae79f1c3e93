"""One layer of multiply-accumulates: an eight-dimensional loop nest over three operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from math import isclose, prod
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.fields import share, whole, wholes
from workloads.pattern import UNIFORM, Patterns
from workloads.plain import plain

DIMS = ("G", "N", "K", "C", "P", "Q", "R", "S")
"""Groups, batch, output and input channels per group, output rows and columns, filter rows and columns."""


class Operand(IntEnum):
    """The three tensors of a layer; the value indexes columns throughout the simulator."""

    INPUT = 0
    WEIGHT = 1
    OUTPUT = 2


OPERAND_NAMES = tuple(operand.name.lower() for operand in Operand)
"""As files and reports spell them, in the order of `Operand`."""

RELEVANT: Mapping[Operand, frozenset[str]] = MappingProxyType(
    {
        Operand.INPUT: frozenset("GNCPQRS"),
        Operand.WEIGHT: frozenset("GKCRS"),
        Operand.OUTPUT: frozenset("GNKPQ"),
    }
)
"""Dimensions that select an element of each operand; a loop over any other dimension reuses it."""

MOST_WORDS, MOST_MACS = 2**48, 2**60
"""Words of a tensor and MACs of a layer at most: bits and cycles are then counted within 64 bits."""

_WITHOUT_WINDOWS: Mapping[str, object] = MappingProxyType(
    {"R": 1, "S": 1, "stride": (1, 1), "dilation": (1, 1), "padding": (0, 0, 0, 0)}
)

REDUCED = frozenset("CRS")
"""Dimensions summed over: an output is a partial sum until all three are finished."""


@dataclass(frozen=True, slots=True)
class Bits:
    """Operand widths in bits; None means the accelerator's own width."""

    input: int | None = None
    weight: int | None = None
    output: int | None = None

    def __post_init__(self) -> None:
        for name, upper in (("input", 32), ("weight", 32), ("output", 64)):
            value = plain(getattr(self, name))
            if value is not None and not (type(value) is int and 1 <= value <= upper):
                raise InputError(f"bits.{name} = {value!r}: must be a whole number between 1 and {upper}")
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Density:
    """Shares of nonzero elements, used to draw operands when there are no tensors."""

    input: float = 1.0
    weight: float = 1.0
    output: float = 1.0

    def __post_init__(self) -> None:
        for name in OPERAND_NAMES:
            object.__setattr__(self, name, share(getattr(self, name), f"density.{name}"))


@dataclass(frozen=True, slots=True, eq=False)
class Tensors:
    """Real integer operands: `input` in (N, G*C, H, W), `weight` in (G*K, C, R, S)."""

    input: NDArray[np.integer]
    weight: NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Layer:
    """`output[g,n,k,p,q] = sum over c,r,s of input[g,n,c,h,w] * weight[g,k,c,r,s]`.

    `h = p*stride + r*dilation - padding_top`, likewise w; elements outside the input are zero. K and C are per group.
    A fully connected layer is P=Q=R=S=1; a product of two activations has `weight_is_activation`.
    An operand with an N:M pattern has that pattern's density, stated or not.
    Raises InputError for an extent, stride or dilation below 1, padding so large that no input row is left,
    more than MOST_WORDS or MOST_MACS, a density other than its pattern's, or a matmul with windows.
    """

    name: str
    op: str = "conv"
    G: int = 1
    N: int = 1
    K: int = 1
    C: int = 1
    P: int = 1
    Q: int = 1
    R: int = 1
    S: int = 1
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Rows or columns of zeros at the top, left, bottom and right."""
    bits: Bits = Bits()
    density: Density = Density()
    weight_is_activation: bool = False
    patterns: Patterns = UNIFORM
    tensors: Tensors | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.op not in ("conv", "matmul"):
            raise InputError(f'op = "{self.op}": must be "conv" or "matmul"', source=f"layer {self.name}")
        where = f"layer {self.name}"
        for dim in DIMS:
            object.__setattr__(self, dim, whole(getattr(self, dim), dim, where))
        for what in ("stride", "dilation"):
            object.__setattr__(self, what, wholes(getattr(self, what), what, "h, w", where))
        padding = wholes(self.padding, "padding", "top, left, bottom, right", where, least=0)
        object.__setattr__(self, "padding", padding)
        if self.op == "matmul":
            self._refuse_windows(where)
        if self.H < 1 or self.W < 1:
            raise InputError(
                f"padding = {list(self.padding)} leaves an input of {self.H} x {self.W}: "
                "use less padding or larger P, Q",
                source=where,
            )
        most = max(self.words(operand) for operand in Operand)
        if most > MOST_WORDS or self.macs > MOST_MACS:
            raise InputError(
                f"{self.macs} MACs, a tensor of {most} words: needs at most {MOST_MACS} and {MOST_WORDS}",
                source=where,
            )
        object.__setattr__(self, "density", self._settled_density())

    def _refuse_windows(self, where: str) -> None:
        """A product of matrices has none: what would make some was meant for a convolution."""
        for what, none in _WITHOUT_WINDOWS.items():
            value = getattr(self, what)
            if value != none:
                shown = list(value) if isinstance(value, tuple) else value
                raise InputError(f'{what} = {shown}: a matmul has no windows, use op = "conv"', source=where)

    def _settled_density(self) -> Density:
        settled = {}
        for operand, shape in zip(OPERAND_NAMES, (self.input_shape, self.weight_shape, self.output_shape), strict=True):
            pattern, stated = getattr(self.patterns, operand), getattr(self.density, operand)
            own = pattern.share(shape[1])
            if own is None:
                continue
            if not any(isclose(stated, good) for good in (1.0, own, pattern.n / pattern.m)):
                raise InputError(
                    f'density.{operand} = {stated:g}: pattern "{pattern}" has {own:g} over {shape[1]} channels, '
                    "leave one of the two out",
                    source=f"layer {self.name}",
                )
            settled[operand] = own
        return replace(self.density, **settled) if settled else self.density

    @property
    def extents(self) -> tuple[int, ...]:
        """The eight extents in the order of DIMS."""
        return (self.G, self.N, self.K, self.C, self.P, self.Q, self.R, self.S)

    @property
    def H(self) -> int:
        """Input rows the layer touches, without padding."""
        return (self.P - 1) * self.stride[0] + (self.R - 1) * self.dilation[0] + 1 - self.padding[0] - self.padding[2]

    @property
    def W(self) -> int:
        """Input columns the layer touches, without padding."""
        return (self.Q - 1) * self.stride[1] + (self.S - 1) * self.dilation[1] + 1 - self.padding[1] - self.padding[3]

    @property
    def macs(self) -> int:
        """Multiply-accumulates, those on padding included."""
        return prod(self.extents)

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """(N, G*C, H, W)."""
        return (self.N, self.G * self.C, self.H, self.W)

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """(G*K, C, R, S)."""
        return (self.G * self.K, self.C, self.R, self.S)

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """(N, G*K, P, Q)."""
        return (self.N, self.G * self.K, self.P, self.Q)

    def words(self, operand: Operand) -> int:
        """Elements of the whole operand."""
        return prod((self.input_shape, self.weight_shape, self.output_shape)[operand])

    def with_tensors(self, tensors: Tensors) -> Layer:
        """The layer on real tensors; the far padding is cut to what the input's true rows and columns leave.

        Raises InputError when a shape or a dtype does not fit the extents.
        """
        where = f"layer {self.name}"
        given = tensors.input
        for name, array in (("input", given), ("weight", tensors.weight)):
            if array.dtype.kind not in "iu":
                raise InputError(f"tensor {name} has dtype {array.dtype}: needs integers", source=where)
        if tensors.weight.shape != self.weight_shape:
            raise InputError(f"tensor weight has shape {tensors.weight.shape}: needs {self.weight_shape}", source=where)
        if given.ndim != 4 or given.shape[:2] != self.input_shape[:2]:
            raise InputError(f"tensor input has shape {given.shape}: needs {self.input_shape}", source=where)
        bottom, rows = far_padding(given.shape[2], self.P, self.R, self.stride[0], self.dilation[0], self.padding[0::2])
        right, columns = far_padding(
            given.shape[3], self.Q, self.S, self.stride[1], self.dilation[1], self.padding[1::2]
        )
        if bottom < 0 or right < 0:
            raise InputError(f"tensor input has shape {given.shape}: needs {self.input_shape}", source=where)
        used = Tensors(np.ascontiguousarray(given[:, :, :rows, :columns]), tensors.weight)
        return replace(self, padding=(self.padding[0], self.padding[1], bottom, right), tensors=used)


def far_padding(
    size: int, outputs: int, taps: int, stride: int, dilation: int, padding: tuple[int, ...]
) -> tuple[int, int]:
    """(far padding in use, input elements in use) for a true input size; (-1, 0) when `outputs` does not follow."""
    span = (taps - 1) * dilation + 1
    if size + sum(padding) < span or (size + sum(padding) - span) // stride + 1 != outputs:
        return -1, 0
    reach = (outputs - 1) * stride + span - padding[0]
    return max(0, reach - size), min(size, reach)
