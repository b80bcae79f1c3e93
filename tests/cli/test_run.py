"""Does `accel run` print and save what it says?"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import accel
import workloads
from accel.evaluation import simulate
from accel.report import COLUMNS
from accel.spec import preset_text
from mappings import Budget
from tests.cli.conftest import Command

FILES = {"report.csv", "report.json", "energy.png", "cycles.png", "roofline.png"}


def test_the_demo_prints_a_table_and_says_where_it_saved(command: Command, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    outcome = command("run", tiny, "--on", "eyeriss_v1", "--out", out)
    assert outcome.status == 0
    assert outcome.err == ""
    assert {path.name for path in out.iterdir()} == FILES
    for name in FILES:
        assert str(out / name) in outcome.out
    for word in ("latency", "util", "energy", "DRAM", "bottleneck", "total", "operands: drawn", "mapping:"):
        assert word in outcome.out
    for picture in ("energy.png", "cycles.png", "roofline.png"):
        with Image.open(out / picture) as image:
            assert image.width > 800


def test_without_outputs_nothing_is_saved(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    outcome = command("run", tiny, "--on", "eyeriss_v1")
    assert outcome.status == 0
    assert "saved" not in outcome.out
    assert sorted(tmp_path.rglob("*")) == before


def test_piped_text_is_plain_and_fits_a_hundred_columns(
    command: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    outcome = command("run", tiny, "--on", "eyeriss_v1")
    assert "\x1b" not in outcome.out
    for line in outcome.out.splitlines():
        assert len(line) <= 100
        assert line == line.rstrip()


def test_of_a_network_without_macs_nothing_is_said_of_any(command: Command, pools: Path, tmp_path: Path) -> None:
    outcome = command("run", pools, "--on", "eyeriss_v1", "--out", tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")
    for word in ("MACs", "util", "operands", "mapping", "nan"):
        assert word not in outcome.out
    # Words of 16 bits: 192 pooled into 48, and 48 sums of twice those.
    (total,) = (line.split() for line in outcome.out.splitlines() if line.strip().startswith("total"))
    assert total[-2:] == [str((192 + 48 + 2 * 48 + 48) * 2), "controller"]
    with (tmp_path / "out" / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["layer"], row["macs"], row["operands"], row["mapping"]) for row in rows] == [
        ("pool", "0", "", ""),
        ("sum", "0", "", ""),
    ]


def test_files_hold_the_report(command: Command, tiny: Path, tmp_path: Path) -> None:
    files = {flag: tmp_path / f"r.{flag}" for flag in ("json", "csv", "trace")}
    flags = [part for flag, path in files.items() for part in (f"--{flag}", path)]
    assert command("run", tiny, "--on", "eyeriss_v1", "--seed", 3, *flags).status == 0
    report = simulate(workloads.load(tiny), accel.load("eyeriss_v1"), seed=3, budget=Budget(50))
    assert files["csv"].read_text() == report.to_csv()
    assert files["json"].read_text() == report.to_json()
    rows = list(csv.DictReader(io.StringIO(files["csv"].read_text())))
    assert tuple(rows[0]) == COLUMNS
    content = json.loads(files["json"].read_text())
    assert content["seed"] == 3
    assert {"spec", "mappings", "versions", "totals", "layers"} <= set(content)
    assert json.loads(files["trace"].read_text())["traceEvents"]


def test_the_same_command_gives_the_same_bytes(command: Command, tiny: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        command("run", tiny, "--on", "eyeriss_v1", "--out", tmp_path / name)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def _layers(path: Path) -> list[dict[str, object]]:
    layers: list[dict[str, object]] = json.loads(path.read_text())["layers"]
    return layers


def test_batch_bits_and_mapping_take_effect(command: Command, tmp_path: Path) -> None:
    chip, path = ("--on", "systolic_32x32"), tmp_path / "r.json"
    assert command("run", "lenet5", *chip, "--batch", 2, "--json", path).status == 0
    assert sum(int(str(row["macs"])) for row in _layers(path)) == 2 * workloads.load("lenet5").macs
    traffic = {}
    for bits in ("8,8", "4,8"):
        assert (
            command("run", "lenet5", *chip, "--bits", bits, "--mapping", "weight_stationary", "--json", path).status
            == 0
        )
        rows = [row for row in _layers(path) if row["macs"]]
        assert {row["mapping"] for row in rows} == {"weight_stationary"}
        traffic[bits] = sum(int(str(row["dram_read_weight_bits"])) for row in rows)
    assert traffic["8,8"] == 2 * traffic["4,8"]


def test_the_objective_is_what_the_mappings_minimise(command: Command, tiny: Path, tmp_path: Path) -> None:
    totals = {}
    for objective in ("latency", "energy"):
        path = tmp_path / f"{objective}.json"
        flags = ("--objective", objective, "--json", path)
        assert command("run", tiny, "--on", "zhang_fpga15", *flags).status == 0
        content = json.loads(path.read_text())
        assert content["objective"] == objective
        totals[objective] = content["totals"]
    assert totals["latency"]["latency_cycles"] < totals["energy"]["latency_cycles"]
    assert totals["latency"]["energy_pj"] > totals["energy"]["energy_pj"]


def test_a_mapping_file_is_followed(command: Command, tmp_path: Path) -> None:
    layers = tmp_path / "one.toml"
    layers.write_text('[[layer]]\nname = "fc"\nop = "matmul"\nK = 8\nC = 16\n')
    book = tmp_path / "book.toml"
    loops = 'off_chip = ["K 2"]\non_chip = ["C 4"]\nrows = ["C 4"]\ncolumns = ["K 4"]\n'
    book.write_text(f'[[mapping]]\nlayer = "fc"\nname = "by_hand"\n{loops}')
    # With an objective too, which then decides only what is kept on chip.
    for flags in ((), ("--objective", "latency")):
        outcome = command("run", layers, "--on", "systolic_32x32", "--mapping", book, *flags)
        assert outcome.status == 0
        assert "mapping:  by_hand" in outcome.out
    shown = command("show", book)
    assert shown.status == 0
    assert "for K in 2 blocks of 4" in shown.out


def test_a_layer_without_mapping_is_named_and_the_others_are_simulated(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    chip, out, alone = tmp_path / "chip.toml", tmp_path / "out", tmp_path / "alone.toml"
    chip.write_text(preset_text("eyeriss_v1").replace("kib = 100", "kib = 0.01", 1))
    alone.write_text(tiny.read_text().split("[[layer]]")[0] + "[[layer]]" + tiny.read_text().split("[[layer]]")[2])
    outcome = command("run", tiny, "--on", chip, "--out", out, "--trace", tmp_path / "trace.json")
    assert outcome.status == 2
    assert outcome.err.startswith("accel: error: layer conv on eyeriss_v1")
    assert "data_buffer.kib = 0.01 is too small" in outcome.err
    assert outcome.err.count("\n") == 1
    assert "total without 1 layer that has no mapping: conv" in outcome.out.splitlines()
    assert all(len(line) <= 80 for line in outcome.out.splitlines() if str(tmp_path) not in line)
    assert {path.name for path in out.iterdir()} == FILES
    content = json.loads((out / "report.json").read_text())
    assert content["unmapped"] == {"conv": outcome.err.removeprefix("accel: error: ").rstrip()}
    assert command("run", alone, "--on", chip, "--csv", tmp_path / "alone.csv").status == 0
    assert (out / "report.csv").read_text() == (tmp_path / "alone.csv").read_text()


def test_layers_without_mapping_are_a_line_each(command: Command, tmp_path: Path) -> None:
    layers, chip = tmp_path / "layers.toml", tmp_path / "chip.toml"
    kinds = {"first": "R = 5\nS = 5", "small": "", "again": "R = 5\nS = 5", "wide": "R = 7\nS = 7"}
    layers.write_text(
        "".join(f'[[layer]]\nname = "{name}"\nop = "conv"\nP = 8\nQ = 8\n{size}\n' for name, size in kinds.items())
    )
    chip.write_text(preset_text("zhang_fpga15").replace("kib = 896", "kib = 0.01", 1))
    outcome = command("run", layers, "--on", chip)
    assert outcome.status == 2
    lines = outcome.err.splitlines()
    assert len(lines) == 3
    for line, name in zip(lines, ("first", "again", "wide"), strict=True):
        assert line.startswith(f"accel: error: layer {name}")
    assert "total without 3 layers that have no mapping: first, again, wide" in outcome.out.splitlines()


@pytest.mark.parametrize("suffix", [".npy", ".png"])
def test_a_real_input_runs_through_the_network(command: Command, tmp_path: Path, suffix: str) -> None:
    picture = np.zeros((28, 28), np.uint8)
    picture[8:20, 12:16] = 255
    path = tmp_path / f"digit{suffix}"
    if suffix == ".npy":
        np.save(path, picture[None, None].astype(np.float32))
    else:
        Image.fromarray(picture).save(path)
    out = tmp_path / "out"
    outcome = command("run", "lenet5", "--on", "eyeriss_v1", "--input", path, "--out", out)
    assert outcome.status == 0, outcome.err
    assert "operands: tensors" in outcome.out
    assert "output:   ip2 (1, 10)" in outcome.out
    with np.load(out / "outputs.npz") as outputs:
        assert outputs["ip2"].shape == (1, 10)
