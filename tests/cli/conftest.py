"""A quick network, and the command line as a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest

from accel.cli import run

TINY = """\
name = "tiny"
[[layer]]
name = "conv"
op = "conv"
K = 8
C = 4
P = 6
Q = 6
R = 3
S = 3
density = { input = 0.5 }
[[layer]]
name = "fc"
op = "matmul"
K = 10
C = 64
"""


@pytest.fixture(autouse=True)
def _default_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test runners may set COLUMNS for their own output."""
    monkeypatch.delenv("COLUMNS", raising=False)


@dataclass(frozen=True)
class Outcome:
    """What a command line left behind."""

    status: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line in this process; unless it says how long to search for mappings, shortly."""

    def invoke(*arguments: object) -> Outcome:
        capfd.readouterr()
        line = [str(argument) for argument in arguments]
        searches = line[:1] in (["run"], ["map"], ["sweep"]) and not {"--budget", "--help"}.intersection(line)
        status = run([*line, "--budget", "50"] if searches else line)
        seen = capfd.readouterr()
        return Outcome(status, seen.out, seen.err)

    return invoke


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A layer list of two small layers."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture
def pools(tmp_path: Path) -> Path:
    """An ONNX network without any MACs: the maxima of a map's windows, doubled."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("MaxPool", ["x"], ["m"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Add", ["m", "m"], ["y"], name="sum"),
        ],
        "pools",
        [helper.make_tensor_value_info("x", kind, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", kind, [1, 3, 4, 4])],
    )
    path = tmp_path / "pools.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
