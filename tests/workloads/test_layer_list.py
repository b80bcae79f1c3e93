"""Layer lists: what is written is what is loaded, and every mistake is told in one line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workloads.errors import InputError
from workloads.layer import Bits, Density, Layer
from workloads.layer_list import dump_layer_list, load_layer_list
from workloads.layer_set import independent_layers
from workloads.zoo import ZOO

FULL = """
name = "two"
citation = "nobody"

[[layer]]
name = "conv1"
op = "conv"
G = 2
N = 3
K = 4
C = 5
P = 6
Q = 7
R = 3
S = 2
stride = [2, 1]
dilation = [1, 2]
padding = [1, 0, 0, 1]
density = { input = 0.4, weight = 0.3 }
bits = { input = 8, weight = 4, output = 16 }

[[layer]]
name = "fc"
op = "matmul"
K = 10
C = 20
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "list.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_field_arrives(tmp_path: Path) -> None:
    network = load_layer_list(_write(tmp_path, FULL))
    assert (network.name, network.citation) == ("two", "nobody")
    assert network.layers == (
        Layer(
            "conv1",
            "conv",
            G=2, N=3, K=4, C=5, P=6, Q=7, R=3, S=2,
            stride=(2, 1),
            dilation=(1, 2),
            padding=(1, 0, 0, 1),
            bits=Bits(8, 4, 16),
            density=Density(0.4, 0.3),
        ),
        Layer("fc", op="matmul", K=10, C=20),
    )  # fmt: skip
    # 5 rows of stride 2 and a 3-row filter span 13, one of which is padding.
    assert network.layers[0].input_shape == (3, 10, 12, 8)
    assert [node.inputs for node in network.nodes] == [("conv1.input",), ("fc.input",)]
    assert network.inputs["conv1.input"] == (3, 10, 12, 8)


def test_one_stride_serves_both_axes_and_the_file_names_the_network(tmp_path: Path) -> None:
    network = load_layer_list(_write(tmp_path, '[[layer]]\nname = "a"\nop = "conv"\nP = 3\nstride = 2\n'))
    assert network.name == "list"
    assert network.layers[0].stride == (2, 2)


@st.composite
def layers(draw: st.DrawFn, name: str) -> Layer:
    extent = st.integers(1, 5)
    share = st.floats(0, 1, allow_nan=False)
    width = st.none() | st.integers(1, 32)
    side = st.integers(0, 2)
    op = draw(st.sampled_from(["conv", "matmul"]))
    extents: dict[str, Any] = {dim: draw(extent) for dim in "GNKCPQRS"}
    try:
        return Layer(
            name,
            op,
            **extents,
            stride=(draw(extent), draw(extent)),
            dilation=(draw(extent), draw(extent)),
            padding=(draw(side), draw(side), draw(side), draw(side)),
            bits=Bits(draw(width), draw(width), draw(width)),
            density=Density(draw(share), draw(share), draw(share)),
            weight_is_activation=op == "matmul" and draw(st.booleans()),
        )
    except InputError:
        assume(False)
        raise


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda name: bool(name.strip()))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_dump_and_load_are_inverse(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    wanted = data.draw(st.lists(names, min_size=1, max_size=3, unique=True), label="names")
    given_layers = [data.draw(layers(name)) for name in wanted]
    try:
        network = independent_layers(data.draw(names), given_layers, data.draw(st.just("") | names))
    except InputError:
        assume(False)
        raise
    text = dump_layer_list(network)
    again = load_layer_list(_write(tmp_path_factory.mktemp("list"), text))
    assert again == network
    assert dump_layer_list(again) == text


@pytest.mark.parametrize("name", list(ZOO))
def test_a_zoo_network_dumped_and_loaded_has_the_same_layers(name: str, tmp_path: Path) -> None:
    network = ZOO[name]()
    again = load_layer_list(_write(tmp_path, dump_layer_list(network)))
    assert again.layers == network.layers
    assert (again.name, again.citation) == (network.name, network.citation)


CONV = '[[layer]]\nname = "c"\nop = "conv"\nG = 2\nK = 2\nC = 1\nP = 3\nQ = 3\nR = 3\nS = 3\ntensors = "t.npz"\n'
"""Two groups of a 3 x 3 filter on a 5 x 5 map."""
WEIGHT = np.ones((4, 1, 3, 3), np.int8)


@pytest.mark.parametrize("shape", [(2, 5, 5), (1, 2, 5, 5)])
def test_tensors_replace_the_density(shape: tuple[int, ...], tmp_path: Path) -> None:
    values = np.arange(50, dtype=np.int16).reshape(shape)
    np.savez(tmp_path / "t.npz", input=values, weight=WEIGHT)
    layer = load_layer_list(_write(tmp_path, CONV)).layers[0]
    assert layer.tensors is not None
    assert layer.tensors.input.shape == (1, 2, 5, 5)
    assert np.array_equal(layer.tensors.input.reshape(shape), values)
    assert np.array_equal(layer.tensors.weight, WEIGHT)


def test_tensors_may_hold_rows_that_no_window_reaches(tmp_path: Path) -> None:
    text = CONV.replace("P = 3\nQ = 3\n", "P = 2\nQ = 2\nstride = 2\n")
    np.savez(tmp_path / "t.npz", input=np.ones((2, 6, 6), np.int8), weight=WEIGHT)
    layer = load_layer_list(_write(tmp_path, text)).layers[0]
    assert layer.tensors is not None
    assert layer.tensors.input.shape == layer.input_shape == (1, 2, 5, 5)


def _line(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_layer_list(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    assert line.count(str(path)) == 1, line
    return line


HEAD = '[[layer]]\nname = "c"\nop = "conv"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[layer]]\nop = "conv"\n', ["layer 1", "name is missing"]),
        ('[[layer]]\nname = "c"\n', ["layer c", "op is missing"]),
        ('[[layer]]\nname = "c"\nop = "cnov"\n', ["layer c", "cnov", '"conv" or "matmul"']),
        ('[[layer]]\nname = 3\nop = "conv"\n', ["layer 1", "name = 3", "text"]),
        (HEAD + "strides = 2\n", ["layer c", '"strides"', 'did you mean "stride"']),
        (HEAD + "K = -4\n", ["layer c", "K = -4", "from 1 up"]),
        (HEAD + "K = 0\n", ["layer c", "K = 0"]),
        (HEAD + "K = 2.0\n", ["layer c", "K = 2.0", "whole number"]),
        (HEAD + "K = true\n", ["layer c", "K = True"]),
        (HEAD + 'K = "4"\n', ["layer c", "K = '4'"]),
        (HEAD + "K = nan\n", ["layer c", "K = nan"]),
        (HEAD + "K = 4294967296\n", ["layer c", "K is above 2147483647"]),
        (HEAD + f"K = {'9' * 5000}\n", ["not a TOML file"]),
        (HEAD + f"K = {'[' * 5000}\n", ["not a TOML file"]),
        (HEAD + "stride = 0\n", ["layer c", "stride = 0"]),
        (HEAD + "stride = [1]\n", ["layer c", "stride = [1]", "[h, w]"]),
        (HEAD + "dilation = 2\n", ["layer c", "dilation = 2", "[h, w]"]),
        (HEAD + "padding = [1, 1]\n", ["layer c", "padding = [1, 1]", "[top, left, bottom, right]"]),
        (HEAD + "padding = [1, 1, 1, -1]\n", ["layer c", "padding = -1"]),
        (HEAD + "padding = [9, 0, 0, 0]\n", ["layer c", "padding", "less padding"]),
        *(
            (f'[[layer]]\nname = "m"\nop = "matmul"\n{field}\n', [f"layer m: {field}: a matmul has no windows"])
            for field in ("R = 3", "S = 2", "stride = [2, 1]", "dilation = [1, 2]", "padding = [0, 0, 1, 0]")
        ),
        (HEAD + "density = { input = nan }\n", ["layer c", "density.input = nan", "between 0 and 1"]),
        (HEAD + "density = { input = 1.5 }\n", ["layer c", "density.input = 1.5"]),
        (HEAD + "density = { inptu = 0.5 }\n", ["layer c", "density", '"inptu"', 'did you mean "input"']),
        (HEAD + "density = 0.5\n", ["layer c", "density = 0.5", "table"]),
        (HEAD + "bits = { weight = 64 }\n", ["layer c", "bits.weight = 64", "32"]),
        (HEAD + "bits = { weight = 8.0 }\n", ["layer c", "bits.weight = 8.0"]),
        (HEAD + "weight_is_activation = 1\n", ["layer c", "weight_is_activation = 1", "true or false"]),
        (HEAD + 'tensors = "none.npz"\n', ["layer c", "none.npz", "No such file"]),
        (HEAD + HEAD, ["two nodes", '"c"']),
        ('name = "empty"\n', ["no layer", "[[layer]]"]),
        ("layer = 3\n", ["no layer"]),
        ("layer = [3]\n", ["layer 1", "3"]),
        ("nmae = 3\n" + HEAD, ['"nmae"', 'did you mean "name"']),
        ("name = 3\n" + HEAD, ["name = 3"]),
        ('[[layer]]\nname = "c', ["not a TOML file"]),
        ("[[layer]\n", ["not a TOML file"]),
    ],
)
def test_mistakes_are_told_in_one_line(text: str, words: list[str], tmp_path: Path) -> None:
    line = _line(_write(tmp_path, text))
    assert all(word in line for word in words), line


def test_files_that_are_no_list(tmp_path: Path) -> None:
    assert "no such file" in _line(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00name")
    assert "not a TOML file" in _line(binary)


def _pickled() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, input=np.array([{"a": 1}], dtype=object), weight=WEIGHT)
    return buffer.getvalue()


def _npz(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _single() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, WEIGHT)
    return buffer.getvalue()


def _foreign() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("input", b"words")
        archive.writestr("weight", b"words")
    return buffer.getvalue()


MAP = np.ones((2, 5, 5), np.int8)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_pickled(), ["pickled objects"]),
        (b"PK\x03\x04 and no more", ["damaged"]),
        (_npz(input=MAP, weight=WEIGHT)[:-40], ["t.npz", "needs an .npz"]),
        (b"", ["t.npz", "needs an .npz"]),
        (_single(), ["single array", ".npz"]),
        (_foreign(), ["integers"]),
        (_npz(input=MAP), ["holds input", "input and weight"]),
        (_npz(input=MAP, weight=WEIGHT, bias=WEIGHT), ["bias"]),
        (_npz(input=MAP.astype(float), weight=WEIGHT), ["input has dtype float64", "integers"]),
        (_npz(input=MAP[:, :4], weight=WEIGHT), ["tensor input", "(1, 2, 4, 5)", "(1, 2, 5, 5)"]),
        (_npz(input=MAP[0], weight=WEIGHT), ["tensor input", "(5, 5)"]),
        (_npz(input=np.stack([MAP, MAP]), weight=WEIGHT), ["tensor input", "(2, 2, 5, 5)"]),
        (_npz(input=MAP, weight=WEIGHT[:2]), ["tensor weight", "(2, 1, 3, 3)", "(4, 1, 3, 3)"]),
        (_npz(input=MAP.astype(np.int16) * 300, weight=WEIGHT), ["from 300 to 300", "bits.input = 8"]),
        (_npz(input=MAP, weight=WEIGHT * -9), ["from -9 to -9", "bits.weight = 4"]),
    ],
)
def test_tensor_files_that_do_not_fit(content: bytes, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "t.npz").write_bytes(content)
    line = _line(_write(tmp_path, CONV + "bits = { input = 8, weight = 4 }\n"))
    assert "layer c" in line
    assert all(word in line for word in words), line
