"""Do --density, --pattern and --skew draw the zeros they state?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import workloads
from accel.cli.zeros import with_zeros
from tests.cli.conftest import Command
from workloads import InputError, Network


def zeros(density: str | None = None, pattern: str | None = None, skew: str | None = None) -> Network:
    return with_zeros(workloads.load("lenet5"), density, pattern, skew)


def densities(network: Network) -> set[tuple[float, float, float]]:
    return {(layer.density.input, layer.density.weight, layer.density.output) for layer in network.layers}


def test_shares_are_of_inputs_weights_and_outputs() -> None:
    assert densities(zeros("0.4")) == {(0.4, 0.4, 0.4)}
    assert densities(zeros("0.4,0.3")) == {(0.4, 0.3, 0.4)}
    assert densities(zeros("0.4, 0.3 ,0.2")) == {(0.4, 0.3, 0.2)}


def test_a_file_has_a_line_a_layer(tmp_path: Path) -> None:
    path = tmp_path / "zeros.toml"
    path.write_text("conv2 = { input = 0.5 }\nip1 = { input = 0.25, weight = 0.1, output = 0.3 }\n")
    found = {layer.name: layer.density for layer in zeros(str(path)).layers}
    assert (found["conv1"].input, found["conv2"].input, found["conv2"].weight) == (1.0, 0.5, 1.0)
    assert (found["ip1"].input, found["ip1"].weight, found["ip1"].output) == (0.25, 0.1, 0.3)


def test_a_pattern_is_of_weights_unless_it_says_otherwise() -> None:
    for layer in zeros("0.5", "kernel").layers:
        assert (layer.patterns.weight.kind, layer.patterns.input.kind) == ("kernel", "unstructured")
    for layer in zeros("0.5", "input=vector:4:W,weight=group:2").layers:
        assert (str(layer.patterns.input), str(layer.patterns.weight)) == ("vector:4:W", "group:2")


def test_an_n_of_m_pattern_brings_its_density() -> None:
    for given in (None, "0.4"):
        conv1, conv2, *_ = zeros(given, "2:4").layers
        assert (conv1.C, conv1.density.weight) == (1, 1.0)
        assert (conv2.C, conv2.density.weight) == (20, 0.5)
        assert conv2.density.input == float(given or 1)
    assert zeros("0.4,0.5", "2:4").layers[1].density.weight == 0.5


def test_skew_goes_where_the_pattern_takes_it() -> None:
    for layer in zeros("0.4", "2:4", "0.5").layers:
        assert (layer.patterns.input.skew, layer.patterns.weight.skew) == (0.5, 0.0)
    for layer in zeros("0.4", None, "0.5,0.25").layers:
        assert (layer.patterns.input.skew, layer.patterns.weight.skew) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("--density much", ('--density = "much"', "han2015", "0.4,0.3")),
        ("--density 0.4,nan", ('--density = "0.4,nan"',)),
        ("--density 1.1", ('--density = "1.1"', "0 to 1")),
        ("--density 0.1,0.2,0.3,0.4", ("needs",)),
        ("--density nowhere.toml", ("nowhere.toml", "no such file")),
        ("--density han2015", ("alexnet and vgg16, not of lenet5",)),
        ("--density 0.4 --pattern stripes", ('--pattern = "stripes"', "unknown pattern", "vector:N")),
        ("--density 0.4 --pattern vector:4:P", ("--pattern", "K, C, R, S")),
        ("--density 0.4 --pattern map=kernel", ("input=PATTERN,weight=PATTERN",)),
        ("--density 0.4,0.3 --pattern 2:4", ("layer conv1", "density.weight = 0.3", 'pattern "2:4"')),
        ("--pattern kernel", ("--pattern", "give --density too")),
        ("--skew 0.5", ("--skew", "give --density too")),
        ("--density 0.4 --skew 1.5", ('--skew = "1.5"', "0 to 1")),
        ("--density 0.4 --pattern 2:4 --skew 0.1,0.2", ("no densities of their own",)),
        ("--density 0.4 --input digit.npy", ("--density, --pattern and --skew with --input",)),
    ],
)
def test_zeros_that_cannot_be(command: Command, flags: str, told: tuple[str, ...]) -> None:
    outcome = command("run", "lenet5", "--on", "eyeriss_v1", *flags.split())
    assert outcome.status == 2 and outcome.out == "" and outcome.err.count("\n") == 1
    for piece in told:
        assert piece in outcome.err


def test_layers_with_tensors_keep_their_zeros(command: Command, tmp_path: Path) -> None:
    import numpy as np

    np.savez(tmp_path / "fc.npz", input=np.ones((16, 1, 1), np.int8), weight=np.ones((8, 16, 1, 1), np.int8))
    path = tmp_path / "fc.toml"
    path.write_text('[[layer]]\nname = "fc"\nop = "matmul"\nK = 8\nC = 16\ntensors = "fc.npz"\n')
    with pytest.raises(InputError, match="layer fc has tensors of its own"):
        with_zeros(workloads.load(path), "0.5", None, None)
    outcome = command("run", path, "--on", "eyeriss_v1")
    assert "operands: tensors" in outcome.out


def test_the_report_says_how_zeros_were_drawn(command: Command, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    flags = ("--density", "0.4", "--pattern", "2:4", "--skew", "0.5", "--seed", 3, "--json", report)
    outcome = command("run", "lenet5", "--on", "eyeriss_v1", *flags)
    assert outcome.status == 0, outcome.err
    rows = {row["layer"]: row for row in json.loads(report.read_text())["layers"]}
    assert rows["conv2"]["operands"] == "drawn, 2:4, skew 0.5, seed 3"
    assert rows["conv2"]["effectual_macs"] == pytest.approx(0.4 * 0.5 * rows["conv2"]["macs"], rel=0.05)
    assert "operands: drawn, 2:4, skew 0.5, seed 3" in " ".join(outcome.out.split())
