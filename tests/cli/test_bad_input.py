"""Does bad input get one line that says what would do, status 2, and no file?"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from accel.spec import preset_text
from tests.cli.conftest import Command


def refused(command: Command, *arguments: object, told: tuple[str, ...], folder: Path | None = None) -> None:
    """The command line fails as it should; `told` are pieces of the one line, `folder` gets no new file."""
    before = sorted(folder.rglob("*")) if folder else []
    outcome = command(*arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.startswith("accel: error: ")
    assert outcome.err.count("\n") == 1
    assert outcome.err.endswith("\n")
    assert "Traceback" not in outcome.err
    for piece in told:
        assert piece in outcome.err
    if folder:
        assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", ("Missing command",)),
        ("fly", ("fly", "accel --help")),
        ("run alexnet", ("--on", "accel run --help")),
        ("run --on tpu_v1", ("NET",)),
        ("run alexne --on tpu_v1", ('"alexne"', 'did you mean "alexnet"')),
        ("run alexnet --on tpu_v11", ('"tpu_v11"', 'did you mean "tpu_v1"')),
        ("run alexnet --on tpu_v1 --speed 9", ("--speed",)),
        ("run alexnet --on tpu_v1 --batch zero", ('--batch = "zero"', "whole number from 1 up")),
        ("run alexnet --on tpu_v1 --batch 0", ('--batch = "0"',)),
        ("run alexnet --on tpu_v1 --seed -1", ('--seed = "-1"',)),
        ("run alexnet --on tpu_v1 --bits 8", ('--bits = "8"', "like 8,8")),
        ("run alexnet --on tpu_v1 --bits 8,64", ("64 bits for activations", "1 to 32")),
        ("run alexnet --on tpu_v1 --bits a,b", ('--bits = "a,b"',)),
        ("run alexnet --on tpu_v1 --objective speed", ('--objective = "speed"', "latency, energy, edp, dram")),
        ("run alexnet --on tpu_v1 --mapping sideways", ('--mapping = "sideways"', "row_stationary")),
        ("run alexnet --on tpu_v1 --mapping nowhere.toml", ("nowhere.toml",)),
        ("run nowhere.onnx --on tpu_v1", ("nowhere.onnx", "no such file")),
        ("run alexnet --on nowhere.toml", ("nowhere.toml",)),
        ("run alexnet --on tpu_v1 --input nowhere.npy", ("nowhere.npy",)),
        ("list planets", ('"planets"', "networks, accelerators, dataflows")),
        ("show planets", ('"planets"',)),
        ("show tpu_v1 --toml", ("--toml", "an accelerator")),
        ("show lenet5 --layer lenet5:conv1", ("--layer", "a network")),
        ("show weight_stationary", ("--layer NET:LAYER", "--on CHIP")),
        ("show weight_stationary --on tpu_v1 --layer lenet5", ("needs NET:LAYER",)),
        ("show weight_stationary --on tpu_v1 --layer lenet5:conv9", ('no layer "conv9"', "conv1")),
        ("sweep --net lenet5 --on tpu_v1 --set rows --out o", ('--set = "rows"', "FIELD=VALUE")),
        ("sweep --net lenet5 --on tpu_v1 --set pe_array.row=8 --out o", ('did you mean "pe_array.rows"',)),
        ("sweep --net lenet5 --on tpu_v1 --set pe_array.rows=8,,9 --out o", ("a value is missing",)),
        ("sweep --net lenet5 --on tpu_v1 --set pe_array.rows=[8 --out o", ("not a TOML value",)),
        ("sweep --net lenet5, --on tpu_v1 --out o", ('--net = "lenet5,"',)),
        ("sweep --net lenet5,lenet5 --on tpu_v1 --out o", ("names lenet5 twice",)),
        ("sweep --net lenet5 --on tpu_v9 --out o", ('"tpu_v9"',)),
        ("sweep --net lenet5 --on tpu_v1 --out o --objective edp2", ('--objective = "edp2"', "latency, energy, edp")),
        ("sweep --net lenet5 --on tpu_v1 --out o --jobs 0", ('--jobs = "0"',)),
    ],
)
def test_words_that_mean_nothing(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, told: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(command, *line.split(), told=told, folder=tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("rows = 12", "", ("pe_array.rows", "missing")),
        ("rows = 12", "rosw = 12", ('"pe_array.rosw"', 'did you mean "pe_array.rows"')),
        ("rows = 12", "rows = -12", ("pe_array.rows = -12",)),
        ("rows = 12", 'rows = "many"', ('pe_array.rows = "many"', "whole number")),
        ("clock_mhz = 200", "clock_mhz = nan", ("clock_mhz = nan", "finite")),
        ("rows = 12", "rows = ", ("not a TOML file",)),
    ],
)
def test_an_accelerator_file_with_a_mistake(
    command: Command, tiny: Path, tmp_path: Path, old: str, new: str, told: tuple[str, ...]
) -> None:
    text = preset_text("eyeriss_v1")
    assert old in text
    chip = tmp_path / "chip.toml"
    chip.write_text(text.replace(old, new, 1))
    out = ("--out", tmp_path / "out")
    refused(command, "run", tiny, "--on", chip, *out, told=(str(chip), *told), folder=tmp_path)


def test_a_buffer_too_small_for_any_tile(command: Command, tiny: Path, tmp_path: Path) -> None:
    chip = tmp_path / "chip.toml"
    chip.write_text(preset_text("eyeriss_v1").replace("kib = 100", "kib = 0.001", 1))
    outputs = ("--json", tmp_path / "r.json", "--out", tmp_path / "out")
    told = ("layer conv", "data_buffer.kib = 0.001", "too small", "needs")
    refused(command, "run", tiny, "--on", chip, *outputs, told=told, folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[mapping]]\nlayer = "*"\nrows = ["K 4"]\n', ("K of layer conv", "cover only 4")),
        (
            '[[mapping]]\nlayer = "*"\noff_chip = ["C 64", "P 6", "Q 6", "R 3", "S 3", "K 99"]\n',
            ("off_chip C = 64", "layer conv", "at most 4"),
        ),
        ('[[mapping]]\nlayer = "conv"\nrows = ["K 4", "Z 2"]\n', ('"Z"',)),
        ('[[mapping]]\nlayer = "conv"\nraws = ["K 4"]\n', ("raws",)),
        ('[[mapping]]\nlayer = "fc"\noff_chip = ["K 10", "C 64"]\n', ('no mapping for layer "conv"',)),
        (
            '[[mapping]]\nlayer = "*"\noff_chip = ["C 4", "P 6", "Q 6", "R 3", "S 3"]\nrows = ["K 16"]\n',
            ("layer conv on eyeriss_v1", "unrolled 16 times over 12 rows"),
        ),
        ("[[mapping", ("not a TOML file",)),
    ],
)
def test_a_mapping_that_does_not_fit(
    command: Command, tiny: Path, tmp_path: Path, text: str, told: tuple[str, ...]
) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    arguments = ("run", tiny, "--on", "eyeriss_v1", "--mapping", path, "--out", tmp_path / "out")
    refused(command, *arguments, told=told, folder=tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x08\x07\x12\x04", b"GIF89a not a network", bytes(range(256))])
def test_a_file_that_is_no_onnx(command: Command, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    refused(command, "run", path, "--on", "tpu_v1", "--out", tmp_path / "o", told=(str(path),), folder=tmp_path)


def _onnx(path: Path, batch: int | str, rows: int | str) -> None:
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weight = onnx.numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "w")
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="the_conv")
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", kind, [batch, 3, rows, 8])],
        [helper.make_tensor_value_info("y", kind, [batch, 4, None, 6])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def test_an_onnx_file_with_unknown_dimensions(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "free.onnx"
    _onnx(path, 1, "height")
    refused(command, "run", path, "--on", "tpu_v1", told=(str(path), "height"), folder=tmp_path)


def test_a_truncated_onnx_file(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    _onnx(path, 1, 8)
    path.write_bytes(path.read_bytes()[:-40])
    refused(command, "run", path, "--on", "tpu_v1", told=(str(path),), folder=tmp_path)


def test_a_picture_of_the_wrong_shape(command: Command, tmp_path: Path) -> None:
    picture = tmp_path / "wide.png"
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(picture)
    told = (str(picture), "20 x 30", "28 x 28")
    refused(command, "run", "lenet5", "--on", "eyeriss_v1", "--input", picture, told=told, folder=tmp_path)
    array = tmp_path / "wide.npy"
    np.save(array, np.zeros((1, 1, 20, 30)))
    told = (str(array), "(1, 1, 20, 30)", "(1, 1, 28, 28)")
    refused(command, "run", "lenet5", "--on", "eyeriss_v1", "--input", array, told=told, folder=tmp_path)


@pytest.mark.parametrize("flag", ["--json", "--csv", "--plots", "--trace", "--out"])
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    monkeypatch.setattr(import_module("accel.evaluation"), "evaluate", lambda *_, **__: pytest.fail("simulated first"))
    inside_a_file = tiny / "below"
    told = (str(inside_a_file), "cannot be")
    refused(command, "run", tiny, "--on", "eyeriss_v1", flag, inside_a_file, told=told, folder=tmp_path)


def test_outputs_that_collide(command: Command, tiny: Path, tmp_path: Path) -> None:
    chip = ("--on", "eyeriss_v1")
    same = tmp_path / "same"
    refused(command, "run", tiny, *chip, "--json", same, "--csv", same, told=("two outputs",), folder=tmp_path)
    refused(command, "run", tiny, *chip, "--json", tmp_path, told=("is a folder",), folder=tmp_path)
    missing = tmp_path / "no" / "such" / "r.json"
    refused(command, "run", tiny, *chip, "--json", missing, told=(str(missing), "make it first"), folder=tmp_path)


def test_bits_for_tensors_that_have_their_own(command: Command, tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", input=np.ones((4, 1, 1), np.int8), weight=np.ones((2, 4, 1, 1), np.int8))
    path = tmp_path / "real.toml"
    path.write_text('[[layer]]\nname = "fc"\nop = "matmul"\nK = 2\nC = 4\ntensors = "t.npz"\n')
    refused(command, "run", path, "--on", "tpu_v1", "--bits", "4,4", told=("--bits", "layer fc"), folder=tmp_path)
