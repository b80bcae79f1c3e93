"""Operators that become layers: Conv, Gemm, MatMul."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.onnx_import.assembly import Channelwise
from workloads.onnx_import.call import Call, Operator
from workloads.onnx_import.elementwise import affine
from workloads.onnx_import.view import View


def _conv(call: Call) -> tuple[View, ...]:
    node, assembly = call.node, call.assembly
    weight = call.required(1)
    flat = weight.ndim == 3
    if weight.ndim not in (3, 4):
        raise node.error(f"weight of {weight.ndim} axes: needs (K, C, S) or (K, C, R, S)")
    spatial = weight.shape[2:]
    ones = (1,) * len(spatial)
    stride, dilation = node.integers("strides", ones), node.integers("dilations", ones)
    x, pads = _with_padding(call, call.view(0), spatial, stride, dilation)
    if flat:
        spatial, stride, dilation = (1, *spatial), (1, *stride), (1, *dilation)
        pads = (0, pads[0], 0, pads[1])
        weight = weight[:, :, None, :]
    source = assembly.in_memory(as_map(x))
    if assembly.builder.shape(source)[1] != weight.shape[1] * node.attribute("group", 1):
        raise node.error(f"weight {list(weight.shape)} does not fit its input {list(assembly.builder.shape(source))}")
    name = assembly.builder.conv(
        call.name(), source, weight.shape[0], spatial, stride, pads, node.attribute("group", 1), dilation
    )
    bias = call.required(2) if call.has(2) else None
    assembly.channelwise[name] = Channelwise(1, weight.shape[0], weight, bias)
    return (as_line(assembly.view(name)) if flat else assembly.view(name),)


def _with_padding(
    call: Call, x: View, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[View, tuple[int, ...]]:
    """The convolution's input and padding: zeros of a Pad before it become its own."""
    pads = call.node.pads_for(x.shape[2:], kernel, stride, dilation)
    pending = x.padding
    if pending is None or pending.mode != "constant" or pending.value or any(map(any, pending.amounts[:2])):
        return call.unpadded(x), pads
    near = tuple(a + b for a, (b, _) in zip(pads, pending.amounts[2:], strict=False))
    far = tuple(a + b for a, (_, b) in zip(pads[len(near) :], pending.amounts[2:], strict=True))
    return View(x.node, x.base, x.axes, None, x.exclusive), (*near, *far)


def as_map(x: View) -> View:
    """(N, C, L) seen as (N, C, 1, L)."""
    return x if len(x.axes) == 4 else View(x.node, x.base, (*x.axes[:2], None, x.axes[2]), None, x.exclusive)


def as_line(x: View) -> View:
    """(N, C, 1, L) seen as (N, C, L)."""
    return View(x.node, x.base, (*x.axes[:2], x.axes[3]), None, x.exclusive)


def _product(call: Call, x: View, weight: NDArray[Any]) -> View:
    """x (N, ..., C) times weight (C, K)."""
    assembly = call.assembly
    if weight.ndim != 2:
        raise call.node.error(f"constant factor of shape {list(weight.shape)}: needs two axes (C, K)")
    if len(x.shape) < 2:
        raise call.node.error(f"input of shape {list(x.shape)}: needs a batch axis and a channel axis")
    name = assembly.builder.linear(call.name(), assembly.in_memory(x), weight.shape[1], bias=False)
    view = assembly.view(name)
    assembly.channelwise[name] = Channelwise(len(view.base) - 1, weight.shape[1], weight.T[:, :, None, None])
    return view


def _activation_product(call: Call, a: View, b: View) -> View:
    assembly = call.assembly
    first, second = assembly.in_memory(a), assembly.in_memory(b)
    return assembly.view(assembly.builder.matmul(call.name(), first, second))


def _matmul(call: Call) -> tuple[View, ...]:
    weight = call.constant(1)
    if weight is not None:
        return (_product(call, call.view(0), weight),)
    return (_activation_product(call, call.view(0), call.view(1)),)


def _gemm(call: Call) -> tuple[View, ...]:
    node = call.node
    x = call.view(0).transposed((1, 0)) if node.attribute("transA", 0) else call.view(0)
    alpha, beta = node.attribute("alpha", 1.0), node.attribute("beta", 1.0)
    turned = bool(node.attribute("transB", 0))
    weight = call.constant(1)
    if weight is not None:
        result = _product(call, x, weight.T if turned else weight)
    else:
        b = call.view(1)
        result = _activation_product(call, x, b.transposed((1, 0)) if turned else b)
    if alpha != 1.0:
        result = affine(call, result, np.asarray(alpha), np.asarray(0.0), ".alpha")
    if not call.has(2):
        return (result,)
    bias = call.constant(2)
    if bias is not None:
        return (affine(call, result, np.asarray(1.0), bias * beta, ".bias"),)
    term = call.view(2)
    if beta != 1.0:
        term = affine(call, term, np.asarray(beta), np.asarray(0.0), ".beta")
    builder = call.assembly.builder
    names = (call.assembly.in_memory(result), call.assembly.in_memory(term))
    return (call.assembly.view(builder.add(call.name(".sum"), *names)),)


OPERATORS: dict[str, Operator] = {"Conv": _conv, "Gemm": _gemm, "MatMul": _matmul}
REFUSED: dict[str, str] = {
    "ConvTranspose": "transposed convolution is not supported: export it as zero insertion and a convolution",
}
"""Operators known not to be supported, and what to do instead."""
