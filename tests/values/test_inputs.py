"""Inputs from files: what is in the file reaches the network's axes, everything else is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workloads.builder import NetworkBuilder
from workloads.errors import InputError
from workloads.inputs import read_input
from workloads.network import Network

PIXELS = np.random.default_rng(2).integers(0, 256, (5, 7, 3), np.uint8)


def reader(*shape: int) -> Network:
    builder = NetworkBuilder("reader", shape)
    builder.flatten("flat", builder.input)
    return builder.build()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "x.png"
    Image.fromarray(PIXELS).save(path)
    return path


def test_a_picture_in_either_axis_order(picture: Path) -> None:
    first = read_input(picture, reader(1, 3, 5, 7))["input"]
    last = read_input(picture, reader(1, 5, 7, 3))["input"]
    np.testing.assert_array_equal(last[0], PIXELS)
    np.testing.assert_array_equal(first[0], PIXELS.transpose(2, 0, 1))
    assert first.dtype == np.float64


def test_one_picture_for_a_whole_batch(picture: Path) -> None:
    found = read_input(picture, reader(4, 3, 5, 7))["input"]
    assert found.shape == (4, 3, 5, 7)
    np.testing.assert_array_equal(found[0], found[3])


def test_grey_from_colour_and_colour_from_grey(picture: Path, tmp_path: Path) -> None:
    luma = read_input(picture, reader(1, 1, 5, 7))["input"][0, 0]
    np.testing.assert_allclose(luma, PIXELS @ np.array([0.299, 0.587, 0.114]), atol=1.0)
    grey = tmp_path / "grey.png"
    Image.fromarray(PIXELS[:, :, 0]).save(grey)
    found = read_input(grey, reader(1, 3, 5, 7))["input"][0]
    for channel in found:
        np.testing.assert_array_equal(channel, PIXELS[:, :, 0])


def test_transparency_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(np.dstack([PIXELS, np.full((5, 7), 9, np.uint8)])).save(path)
    np.testing.assert_array_equal(read_input(path, reader(1, 5, 7, 3))["input"][0], PIXELS)


@pytest.mark.parametrize("shape", [(1, 2, 3), (2, 3)])
def test_an_array_with_or_without_batch(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.arange(6, dtype=np.float32).reshape(shape))
    assert read_input(path, reader(1, 2, 3))["input"].tolist() == [[[0, 1, 2], [3, 4, 5]]]


def _array(value: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        np.save(folder / "x.npy", value, allow_pickle=True)
        return folder / "x.npy"

    return write


def _bytes(name: str, content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def _picture(pixels: np.ndarray) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        Image.fromarray(pixels).save(folder / "x.png")
        return folder / "x.png"

    return write


def _cut(folder: Path) -> Path:
    path = _picture(np.zeros((64, 64, 3), np.uint8))(folder)
    path.write_bytes(path.read_bytes()[:60])
    return path


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (_array(np.zeros((3, 5, 8))), r'has shape \(3, 5, 8\): input "input" of reader needs \(1, 3, 5, 7\)'),
        (_array(np.full((3, 5, 7), np.nan)), "holds NaN or infinity"),
        (_array(np.full((3, 5, 7), "a")), "has dtype <U1: needs real numbers"),
        (_array(np.array([{}])), "not a NumPy array file of numbers"),
        (_bytes("x.npy", b"hello"), "not a NumPy array file of numbers"),
        (_bytes("x.npy", b""), "not a NumPy array file of numbers"),
        (_picture(np.zeros((7, 5, 3), np.uint8)), r"picture is 7 x 5 .* needs 5 x 7, resize it first"),
        (_picture(np.zeros((5, 7), np.uint16)), "needs eight bits a channel"),
        (_bytes("x.png", b"hello"), "not a readable picture"),
        (_cut, "not a readable picture"),
        (_bytes("x.jpg", b"hello"), r"needs a \.npy or \.png file"),
        (lambda folder: folder / "none.png", "no such file"),
    ],
)
def test_what_cannot_be_used(write: Callable[[Path], Path], problem: str, tmp_path: Path) -> None:
    path = write(tmp_path)
    with pytest.raises(InputError, match=problem) as error:
        read_input(path, reader(1, 3, 5, 7))
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_picture_needs_a_map_of_one_or_three_channels(picture: Path) -> None:
    for shape in ((1, 105), (1, 4, 5, 7)):
        with pytest.raises(InputError, match="a picture cannot feed an input of shape"):
            read_input(picture, reader(*shape))


def test_a_network_of_several_inputs_cannot_be_fed_by_one_file(picture: Path) -> None:
    builder = NetworkBuilder("two", (1, 3, 5, 7))
    builder.add("sum", builder.input, builder.add_input("other", (1, 3, 5, 7)))
    with pytest.raises(InputError, match="network two has 2 inputs"):
        read_input(picture, builder.build())
