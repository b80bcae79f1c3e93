"""SCALE-Sim topologies: output sizes against its formula, extents against its columns, mistakes in one line."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workloads.errors import InputError
from workloads.layer import Layer
from workloads.network import Network
from workloads.scalesim_csv import load_scalesim_csv

CONV = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
GEMM = "Layer, M, N, K,\n"


def _load(folder: Path, text: str) -> Network:
    path = folder / "topology.csv"
    path.write_text(text, encoding="utf-8")
    return load_scalesim_csv(path)


def test_convolutions(tmp_path: Path) -> None:
    network = _load(tmp_path, CONV + "Conv1, 227, 227, 11, 11, 3, 96, 4,\n\nConv2, 31, 29, 5, 3, 96, 256, 1,\n")
    assert network.name == "topology"
    assert network.layers == (
        Layer("Conv1", K=96, C=3, P=55, Q=55, R=11, S=11, stride=(4, 4)),
        Layer("Conv2", K=256, C=96, P=27, Q=27, R=5, S=3),
    )
    assert network.layers[0].macs == 105_415_200  # conv1 of AlexNet
    assert [node.inputs for node in network.nodes] == [("Conv1.input",), ("Conv2.input",)]


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), *[st.integers(1, 7)] * 4)
def test_output_size_is_scale_sims(
    tmp_path_factory: pytest.TempPathFactory, h: int, w: int, r: int, s: int, stride_h: int, stride_w: int
) -> None:
    """And the map stays as large as the file says, but for rows a stride above the filter skips."""
    assume(r <= h and s <= w)
    text = CONV + f"a, {h}, {w}, {r}, {s}, 2, 3, {stride_h}, {stride_w},\n"
    layer = _load(tmp_path_factory.mktemp("csv"), text).layers[0]
    assert ceil((h - r + stride_h) / stride_h) == layer.P
    assert ceil((w - s + stride_w) / stride_w) == layer.Q
    assert (h, w) == (layer.H, layer.W)
    assert layer.padding[:2] == (0, 0)


def test_matrix_products(tmp_path: Path) -> None:
    """M output rows, N columns, K summed products: M*N*K multiply-accumulates."""
    layer = _load(tmp_path, GEMM + "fc, 5, 7, 11,\n").layers[0]
    assert layer == Layer("fc", op="matmul", P=5, K=7, C=11)
    assert layer.macs == 5 * 7 * 11


@pytest.mark.parametrize(
    ("text", "density"),
    [
        (CONV + "a, 8, 8, 3, 3, 4, 4, 1, 2:4,\n", 0.5),
        (CONV.rstrip(",\n") + ", Sparsity\na, 8, 8, 3, 3, 4, 4, 1, 1:4\n", 0.25),
        (GEMM + "a, 8, 8, 8, 1:1,\n", 1.0),
    ],
)
def test_sparsity_column_is_the_share_of_nonzero_weights(text: str, density: float, tmp_path: Path) -> None:
    layer = _load(tmp_path, text).layers[0]
    assert (layer.density.weight, layer.density.input) == (density, 1.0)


def test_files_from_elsewhere(tmp_path: Path) -> None:
    """A byte order mark, Windows line ends, no trailing commas, columns aligned by blanks, a name used twice."""
    text = "\ufeff" + CONV.rstrip(",\n") + "\r\nConv1   ,8   ,8  ,3,3,4,4,1\r\nConv1,8,8,3,3,4,4,1  ,\r\n"
    assert [layer.name for layer in _load(tmp_path, text).layers] == ["Conv1", "Conv1#2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        (CONV, ["no layer"]),
        ("Conv1, 8, 8, 3, 3, 4, 4, 1,\n", ["header", "Layer name", "Layer, M, N, K"]),
        (CONV + "a, 8, 8, 3, 3, 4, 4,\n", ["line 2", "6 numbers", "needs 7"]),
        (CONV + "a, 8, 8, 3, 3, 4, 4, 1, 1, 1,\n", ["line 2", "9 numbers"]),
        (CONV + "a, 8, 8, 3, 3, 4, -4, 1,\n", ["line 2", 'Num Filter = "-4"', "from 1 up"]),
        (CONV + "a, 8, 8, 3, 3.5, 4, 4, 1,\n", ["line 2", 'Filter Width = "3.5"']),
        (CONV + "a, 8, nan, 3, 3, 4, 4, 1,\n", ["line 2", 'IFMAP Width = "nan"']),
        (CONV + "a, 8, 8, 3, 3, 4, 4, 0,\n", ["line 2", "Strides = 0", "from 1 up"]),
        (CONV + f"a, {'9' * 5000}, 8, 3, 3, 4, 4, 1,\n", ["line 2", "IFMAP Height"]),
        (CONV + "a, 3000000000, 8, 3, 3, 4, 4, 1,\n", ["line 2", "IFMAP Height is above 2147483647"]),
        (CONV + "a, 8, , 3, 3, 4, 4, 1,\n", ["line 2", 'IFMAP Width = ""']),
        (CONV + ", 8, 8, 3, 3, 4, 4, 1,\n", ["line 2", "name"]),
        (CONV + "a, 2, 8, 3, 3, 4, 4, 1,\n", ["line 2", "Filter Height = 3", "IFMAP Height = 2"]),
        (CONV + "a, 8, 8, 3, 3, 4, 4, 1, 4:2,\n", ["line 2", '"4:2"', "N at most M"]),
        (CONV + "a, 8, 8, 3, 3, 4, 4, 1, x:2,\n", ["line 2", 'Sparsity = "x"']),
        (GEMM + "a, 1, 2,\n", ["line 2", "2 numbers", "needs 3"]),
        (GEMM + "a, 1, 2, k,\n", ["line 2", 'K = "k"']),
    ],
)
def test_mistakes_are_told_in_one_line(text: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        _load(tmp_path, text)
    line = str(caught.value)
    assert "topology.csv" in line
    assert "\n" not in line
    assert all(word in line for word in words), line


def test_files_that_are_no_topology(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_scalesim_csv(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a CSV file"):
        load_scalesim_csv(tmp_path / "binary.csv")
