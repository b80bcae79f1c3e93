"""A transformer's encoder block from ONNX: the same network whether its norms and GELU are operators or chains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from tests.workloads.test_onnx_import import agree, build, imported, integers, node
from workloads.execute import execute, float_forward, signal_to_noise_db
from workloads.network import Network

BATCH, TOKENS, WIDTH, HEADS, HIDDEN = 2, 5, 8, 2, 16


class Block:
    """Nodes and constants of a pre-norm block, written down as an exporter would."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self._numbers = count()
        self._random = np.random.default_rng(1)

    def constant(self, value: NDArray[Any]) -> str:
        name = f"k{next(self._numbers)}"
        self.constants[name] = value
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def noise(self, *shape: int) -> str:
        return self.constant(self._random.standard_normal(shape).astype(np.float32))

    def op(self, op: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        out = to or f"t{next(self._numbers)}"
        self.nodes.append(node(op, list(inputs), [out], **attributes))
        return out

    def linear(self, x: str, channels_in: int, channels: int) -> str:
        weight, bias = self.noise(channels_in, channels), self.noise(channels)
        return self.op("Add", self.op("MatMul", x, weight), bias)


def operator_norm(b: Block, x: str) -> str:
    return b.op("LayerNormalization", x, b.noise(WIDTH), b.noise(WIDTH), axis=-1)


def chain_norm(divide: Callable[[Block, str, str], str]) -> Callable[[Block, str], str]:
    def norm(b: Block, x: str) -> str:
        axes = b.constant(integers(-1))
        centred = b.op("Sub", x, b.op("ReduceMean", x, axes))
        variance = b.op("ReduceMean", b.op("Pow", centred, b.number(2.0)), axes)
        deviation = b.op("Sqrt", b.op("Add", variance, b.number(1e-5)))
        scaled = b.op("Mul", divide(b, centred, deviation), b.noise(WIDTH))
        return b.op("Add", scaled, b.noise(WIDTH))

    return norm


def erf_chain(b: Block, x: str) -> str:
    erf = b.op("Erf", b.op("Div", x, b.number(2**0.5)))
    return b.op("Mul", b.op("Mul", x, b.op("Add", erf, b.number(1.0))), b.number(0.5))


def tanh_chain(b: Block, x: str) -> str:
    cubic = b.op("Add", x, b.op("Mul", b.op("Pow", x, b.number(3.0)), b.number(0.044715)))
    tanh = b.op("Tanh", b.op("Mul", cubic, b.number((2 / np.pi) ** 0.5)))
    return b.op("Mul", b.op("Mul", x, b.number(0.5)), b.op("Add", tanh, b.number(1.0)))


NORMS: dict[str, Callable[[Block, str], str]] = {
    "LayerNormalization": operator_norm,
    "divided": chain_norm(lambda b, x, deviation: b.op("Div", x, deviation)),
    "reciprocal": chain_norm(lambda b, x, deviation: b.op("Mul", x, b.op("Reciprocal", deviation))),
    "one over": chain_norm(lambda b, x, deviation: b.op("Mul", x, b.op("Div", b.number(1.0), deviation))),
}
GELUS: dict[str, Callable[[Block, str], str]] = {
    "Gelu": lambda b, x: b.op("Gelu", x),
    "Gelu by tanh": lambda b, x: b.op("Gelu", x, approximate="tanh"),
    "erf": erf_chain,
    "tanh": tanh_chain,
}


def model(norm: str, gelu: str) -> onnx.ModelProto:
    b = Block()
    shape = b.constant(integers(BATCH, TOKENS, HEADS, WIDTH // HEADS))
    normed = NORMS[norm](b, "x")
    rows = [b.op("Reshape", b.linear(normed, WIDTH, WIDTH), shape) for _ in range(3)]
    query, value = (b.op("Transpose", rows[i], perm=[0, 2, 1, 3]) for i in (0, 2))
    scores = b.op("MatMul", query, b.op("Transpose", rows[1], perm=[0, 2, 3, 1]))
    weights = b.op("Softmax", b.op("Mul", scores, b.number((WIDTH // HEADS) ** -0.5)), axis=-1)
    mixed = b.op("Transpose", b.op("MatMul", weights, value), perm=[0, 2, 1, 3])
    joined = b.op("Reshape", mixed, b.constant(integers(BATCH, TOKENS, WIDTH)))
    middle = b.op("Add", "x", b.linear(joined, WIDTH, WIDTH))
    hidden = GELUS[gelu](b, b.linear(NORMS[norm](b, middle), WIDTH, HIDDEN))
    b.op("Add", middle, b.linear(hidden, HIDDEN, WIDTH), to="y")
    return build(b.nodes, {"x": (BATCH, TOKENS, WIDTH)}, b.constants, opset=20)


@pytest.mark.parametrize("gelu", GELUS)
@pytest.mark.parametrize("norm", NORMS)
def test_block_has_the_reference_evaluators_values_in_float_and_nearly_in_integers(
    norm: str, gelu: str, tmp_path: Path
) -> None:
    network = agree(model(norm, gelu), tmp_path)
    projections = BATCH * TOKENS * (4 * WIDTH * WIDTH + 2 * WIDTH * HIDDEN)
    products = BATCH * 2 * TOKENS * TOKENS * WIDTH
    assert network.macs == projections + products
    x = np.random.default_rng(2).standard_normal((BATCH, TOKENS, WIDTH))
    exact = float_forward(network, x)[network.nodes[-1].name]
    for bits, least_db in ((8, 30.0), (16, 78.0)):
        assert signal_to_noise_db(exact, execute(network, x, bits, bits).result) > least_db


@pytest.fixture
def block(tmp_path: Path) -> Network:
    return agree(model("LayerNormalization", "Gelu"), tmp_path)


def test_operators_stay_operators(block: Network) -> None:
    ops = Counter(each.op for each in block.nodes if not each.is_address)
    # The scale of the scores is a batch norm: no weight of theirs could take it.
    assert ops == {"matmul": 8, "layer_norm": 2, "batch_norm": 1, "softmax": 1, "add": 2}
    assert [each.activation for each in block.nodes if each.activation] == ["gelu"]


def test_one_over_is_a_reciprocal(tmp_path: Path) -> None:
    first, then = (imported(model(norm, "Gelu"), tmp_path) for norm in ("reciprocal", "one over"))
    assert [each.op for each in first.nodes] == [each.op for each in then.nodes]
