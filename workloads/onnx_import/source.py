"""One node of the ONNX graph: its attributes, and errors that say where they happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from workloads.errors import InputError

STANDARD_DOMAINS = ("", "ai.onnx")


class OnnxNode:
    """A node with its opset version. `label` is its name, or its first output's where it has none."""

    def __init__(self, proto: onnx.NodeProto, path: Path, opset: int) -> None:
        self.proto = proto
        self.path = path
        self.opset = opset
        self.op = str(proto.op_type)
        self.inputs = tuple(str(name) for name in proto.input)
        self.outputs = tuple(str(name) for name in proto.output)
        self.label = str(proto.name) or next((name for name in self.outputs if name), self.op)
        self._attributes = {attribute.name: attribute for attribute in proto.attribute}

    @property
    def is_standard(self) -> bool:
        return self.proto.domain in STANDARD_DOMAINS

    def error(self, problem: str) -> InputError:
        """An InputError naming the file, the node and its operator."""
        return InputError(f'node "{self.label}" ({self.op}): {problem}', source=self.path)

    def has(self, name: str) -> bool:
        return name in self._attributes

    def attribute(self, name: str, default: Any = None) -> Any:
        """The attribute's value; text is decoded, tensors stay protobuf. Raises InputError when it is damaged."""
        if name not in self._attributes:
            return default
        try:
            value = helper.get_attribute_value(self._attributes[name])
            return value.decode() if isinstance(value, bytes) else value
        except ValueError as error:
            raise self.error(f'attribute "{name}" cannot be read: {error}') from error

    def integers(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        value = self.attribute(name)
        return default if value is None else tuple(int(part) for part in value)

    def axis(self, axis: int, rank: int) -> int:
        """`axis` counted from the front. Raises InputError outside -rank..rank-1."""
        if not -rank <= axis < rank:
            raise self.error(f"axis {axis} is outside a tensor of {rank} axes")
        return axis % rank

    def reduced_axes(self, given: NDArray[Any] | None, rank: int) -> tuple[int, ...]:
        """The axes a reduction works over, in order: all where none are given, unless `noop_with_empty_axes`."""
        if given is None or not given.size:
            return () if self.attribute("noop_with_empty_axes", 0) else tuple(range(rank))
        return tuple(sorted({self.axis(int(axis), rank) for axis in given}))

    def pads_for(
        self, sizes: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
    ) -> tuple[int, ...]:
        """Padding of a window operator, all near sides before all far sides, from `pads` or `auto_pad`."""
        mode = self.attribute("auto_pad", "NOTSET")
        if mode == "NOTSET":
            return self.integers("pads", (0,) * (2 * len(sizes)))
        if mode == "VALID":
            return (0,) * (2 * len(sizes))
        if mode not in ("SAME_UPPER", "SAME_LOWER"):
            raise self.error(f'auto_pad = "{mode}": must be NOTSET, VALID, SAME_UPPER or SAME_LOWER')
        near, far = [], []
        for size, taps, step, spread in zip(sizes, kernel, stride, dilation, strict=True):
            total = max(0, (-(-size // step) - 1) * step + (taps - 1) * spread + 1 - size)
            less, more = total // 2, total - total // 2
            near.append(less if mode == "SAME_UPPER" else more)
            far.append(more if mode == "SAME_UPPER" else less)
        return (*near, *far)

    def python_slices(
        self,
        shape: tuple[int, ...],
        starts: NDArray[Any],
        ends: NDArray[Any],
        axes: NDArray[Any] | None,
        steps: NDArray[Any] | None,
    ) -> tuple[slice, ...]:
        """One slice an axis; ONNX clamps starts and ends as Python does."""
        slices = [slice(0, extent, 1) for extent in shape]
        chosen = range(len(starts)) if axes is None else [int(axis) for axis in axes]
        strides = np.ones(len(starts), np.int64) if steps is None else steps
        for axis, start, end, step in zip(chosen, starts, ends, strides, strict=True):
            slices[self.axis(axis, len(shape))] = slice(int(start), int(end), int(step))
        return tuple(slices)
