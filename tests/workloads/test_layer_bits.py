"""Do layers get the widths that a paper or a file gives them, and nothing else?"""

from __future__ import annotations

from pathlib import Path

import pytest

from workloads import Bits, InputError, load
from workloads.layer_bits import PUBLISHED, published_bits, read_bits


def test_published_widths_name_every_layer_of_their_networks() -> None:
    for by_network in PUBLISHED.values():
        for name, by_layer in by_network.items():
            assert list(by_layer) == [layer.name for layer in load(name).layers]


def test_bit_fusion_keeps_the_first_and_the_last_layer_wide() -> None:
    widths = [layer.bits for layer in published_bits(load("alexnet"), "bit_fusion").layers]
    assert widths == [Bits(8, 8), *[Bits(4, 4, 4)] * 6, Bits(8, 8)]


def test_a_file_names_layers_and_all_others(tmp_path: Path) -> None:
    path = tmp_path / "bits.toml"
    path.write_text("conv1 = { input = 8, weight = 8 }\nothers = { weight = 1 }\n", encoding="utf-8")
    first, *rest = read_bits(path, load("lenet5")).layers
    assert first.bits == Bits(8, 8)
    assert all(layer.bits == Bits(None, 1) for layer in rest)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("conv9 = { input = 8 }", "conv9"),
        ("conv1 = { inputs = 8 }", "inputs"),
        ("conv1 = { weight = 33 }", "must be a whole number between 1 and 32"),
        ("conv1 = { weight = 0 }", "weight = 0"),
        ("conv1 = 8", "conv1 = 8"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "bits.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_bits(path, load("lenet5"))
    assert reason in str(error.value) and "bits.toml" in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_names_and_networks() -> None:
    with pytest.raises(InputError, match='unknown widths "nobody": one of bit_fusion, stripes'):
        published_bits(load("lenet5"), "nobody")
    with pytest.raises(InputError, match="of alexnet, not of lenet5"):
        published_bits(load("lenet5"), "stripes")
