"""Bit Fusion's compiler: its tiles are whole, its traffic is what we move, and sums are fetched once more."""

from __future__ import annotations

import pytest

from experiments.bit_fusion_compiler import compile_layer, played_cycles, with_sums_fetched
from experiments.bit_fusion_machines import PUBLISHED, chip_of, closed_form_cycles, layer_of
from mappings import schedule
from workloads import Operand

CHIP = chip_of(*PUBLISHED, (32, 64, 16))
LAYERS = {
    "ragged": [384, 384, 13, 3, 1, 4, 4],
    "strided": [256, 128, 28, 1, 2, 4, 4],
    "binary": [256, 256, 8, 3, 1, 1, 1],
    "product": [1024, 1024, 1, 1, 1, 2, 2],
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_schedule_moves_what_the_rule_counts_but_for_sums_not_yet_there(name: str) -> None:
    compiled = compile_layer(layer_of(LAYERS[name]), CHIP)
    tiles = schedule(compiled.layer, compiled.mapping)
    input_bits, weight_bits = LAYERS[name][-2:]
    inputs, weights, sums = (int(words) for words in tiles.load_words.sum(axis=0))
    sums_again = int(with_sums_fetched(tiles).load_words[:, Operand.OUTPUT].sum())
    assert sums_again == sums + compiled.layer.words(Operand.OUTPUT) == int(tiles.store_words.sum())
    assert compiled.dram_read_bits == inputs * input_bits + weights * weight_bits + sums_again * 32
    assert compiled.dram_write_bits == int(tiles.store_words.sum()) * 32


def test_ragged_layers_are_padded_to_whole_tiles() -> None:
    """Squares of 2 x 2 outputs, 13 of them are a pixel short of 14: 648 cycles a pixel of 16 images."""
    layer = layer_of(LAYERS["ragged"])
    compiled = compile_layer(layer, CHIP)
    assert compiled.layer.P == compiled.layer.Q == 14
    assert compiled.compute_cycles == 648 * 16 * 14 * 14
    assert closed_form_cycles(layer) == 648 * 16 * 13 * 13


def test_few_channels_become_unrolled_windows() -> None:
    compiled = compile_layer(layer_of([128, 3, 32, 3, 1, 8, 8]), CHIP)
    assert (compiled.layer.C, compiled.layer.R, compiled.layer.S) == (27, 1, 1)


@pytest.mark.parametrize("name", ["ragged", "product"])
def test_our_machine_takes_what_the_rule_counts(name: str) -> None:
    compiled = compile_layer(layer_of(LAYERS[name]), CHIP)
    moved, fetched = (played_cycles(compiled, CHIP, fetch_sums=fetch) for fetch in (False, True))
    assert compiled.compute_cycles <= moved <= fetched
    assert fetched == pytest.approx(compiled.cycles, rel=0.05)
