"""A tensor as a node's output seen through a layout that costs nothing until something needs it in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PendingPadding:
    """(before, after) elements an axis, not yet applied; `mode` is "constant" (with `value`), "edge" or "reflect"."""

    amounts: tuple[tuple[int, int], ...]
    mode: str
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """Axis i is the producing node's axis `axes[i]`, or of extent 1 where that is None; left-out axes have extent 1.

    So transposes and unit axes that come and go around a convolution (NHWC graphs, 1-D graphs, heads) vanish.
    `exclusive`: nothing else reads the node's output or any tensor between it and this one, so it may be changed.
    """

    node: str
    base: tuple[int, ...]
    axes: tuple[int | None, ...]
    padding: PendingPadding | None = None
    exclusive: bool = True

    @classmethod
    def of(cls, node: str, shape: tuple[int, ...]) -> View:
        """The node's output as it is."""
        return cls(node, shape, tuple(range(len(shape))))

    @property
    def unpadded(self) -> tuple[int, ...]:
        return tuple(1 if axis is None else self.base[axis] for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        if self.padding is None:
            return self.unpadded
        return tuple(e + b + a for e, (b, a) in zip(self.unpadded, self.padding.amounts, strict=True))

    @property
    def is_plain(self) -> bool:
        return self.padding is None and self.axes == tuple(range(len(self.base)))

    @property
    def order(self) -> tuple[int, ...]:
        """Base axes in the order they appear, left-out ones last."""
        seen = tuple(axis for axis in self.axes if axis is not None)
        return seen + tuple(axis for axis in range(len(self.base)) if axis not in seen)

    def on(self, node: str, base: tuple[int, ...] | None = None) -> View:
        """The same layout over another node, which nothing else reads yet."""
        return replace(self, node=node, base=self.base if base is None else base, exclusive=True)

    def transposed(self, perm: tuple[int, ...]) -> View:
        padding = self.padding
        if padding is not None:
            padding = replace(padding, amounts=tuple(padding.amounts[axis] for axis in perm))
        return replace(self, axes=tuple(self.axes[axis] for axis in perm), padding=padding)

    def reshaped(self, shape: tuple[int, ...]) -> View | None:
        """The view in another shape when only extents of 1 come or go, else None."""
        if self.padding is not None or [e for e in self.shape if e > 1] != [e for e in shape if e > 1]:
            return None
        have = list(zip(self.shape, self.axes, strict=True))
        axes: list[int | None] = []
        for extent in shape:
            if extent == 1:
                axes.append(have.pop(0)[1] if have and have[0][0] == 1 else None)
                continue
            while have[0][0] == 1:
                have.pop(0)
            axes.append(have.pop(0)[1])
        return replace(self, axes=tuple(axes))

    def in_base(self, constant: NDArray[Any]) -> NDArray[Any] | None:
        """A constant that broadcasts to the view, laid out to broadcast to the base; None when it is the wider one."""
        if constant.ndim > len(self.axes) or self.padding is not None:
            return None
        wide = constant.reshape((1,) * (len(self.axes) - constant.ndim) + constant.shape)
        if any(extent not in (1, have) for extent, have in zip(wide.shape, self.shape, strict=True)):
            return None
        kept = [i for i, axis in enumerate(self.axes) if axis is not None]
        bases = [axis for axis in self.axes if axis is not None]
        packed = wide.reshape([wide.shape[i] for i in kept]).transpose(np.argsort(bases))
        extents = [1] * len(self.base)
        for axis, extent in zip(sorted(bases), packed.shape, strict=True):
            extents[axis] = extent
        return packed.reshape(extents)
