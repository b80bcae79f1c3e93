"""One door to every kind of network, and what it says of a name it does not know."""

from __future__ import annotations

import builtins
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

import workloads
from workloads import InputError

LIST = '[[layer]]\nname = "a"\nop = "conv"\nK = 4\n'


def test_zoo_names_and_their_aliases() -> None:
    assert workloads.load("resnet50").macs == workloads.load("resnet50_v1_5").macs
    assert workloads.load("lenet5", batch=4).macs == 4 * workloads.load("lenet5").macs


def test_files_by_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(LIST)
    (tmp_path / "b.CSV").write_text("Layer, M, N, K,\nx, 2, 3, 4,\n")
    assert workloads.load(tmp_path / "a.toml").layers[0].K == 4
    assert workloads.load(str(tmp_path / "b.CSV"), batch=2).macs == 48


def _line(name: str | Path, batch: int = 1) -> str:
    with pytest.raises(InputError) as caught:
        workloads.load(name, batch)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_unknown_names_list_the_known_ones() -> None:
    line = _line("resnet5")
    assert 'did you mean "resnet50"' in line
    assert "mobilenet_v2" in line
    assert "did you mean" not in _line("zzz")


def test_files_that_are_missing_or_of_no_known_kind(tmp_path: Path) -> None:
    assert "no such file" in _line(tmp_path / "none.onnx")
    (tmp_path / "net.pt").write_text("")
    assert ".onnx, .toml or .csv" in _line(tmp_path / "net.pt")
    assert "unknown network" in _line(tmp_path / "none.pt")


def test_batch(tmp_path: Path) -> None:
    assert "batch = 0" in _line("lenet5", 0)
    np.savez(tmp_path / "t.npz", input=np.ones((1, 1, 1), np.int8), weight=np.ones((4, 1, 1, 1), np.int8))
    (tmp_path / "a.toml").write_text(LIST + 'tensors = "t.npz"\n')
    assert workloads.load(tmp_path / "a.toml").layers[0].tensors is not None
    assert "layer a has tensors" in _line(tmp_path / "a.toml", 2)


def test_onnx_package_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_onnx(
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> object:
        if level == 0 and name.partition(".")[0] == "onnx":
            raise ModuleNotFoundError("No module named 'onnx'", name="onnx")
        return real_import(name, globals_, locals_, fromlist, level)

    for name in list(sys.modules):
        if name.partition(".")[0] == "onnx" or name.startswith("workloads.onnx_import"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without_onnx)
    (tmp_path / "net.onnx").write_bytes(b"")
    assert "pip install dnn-accel-sim[onnx]" in _line(tmp_path / "net.onnx")


def test_importing_workloads_brings_no_heavy_package() -> None:
    heavy = "{'onnx', 'numba', 'simpy', 'pandas', 'matplotlib', 'pydantic', 'scipy'}"
    code = f"import sys, workloads; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(workloads.__file__).parents[1])
