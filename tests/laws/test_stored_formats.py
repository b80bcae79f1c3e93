"""Does every format of the DMA codec move the bits it stores, indices and padding included?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from accel import LayerReport
from accel.simulation import simulate_layer
from accel.spec import load
from mappings import Loop, Mapping
from workloads import Density, InputError, Layer, Tensors

LAYER = Layer("stored", K=32, C=64, P=4, Q=4, density=Density(0.5, 0.25))
MAPPING = Mapping("stored", registers=tuple(Loop(axis, getattr(LAYER, axis)) for axis in "CPQ"), rows=(Loop("K", 32),))
WEIGHTS = 32 * 64


def report(layer: Layer = LAYER, **values: Any) -> LayerReport:
    spec = load("systolic_32x32").with_values({f"dma.{path}": value for path, value in values.items()})
    return simulate_layer(layer, MAPPING, spec).report


def pruned(weight: np.ndarray[Any, Any]) -> Layer:
    return LAYER.with_tensors(Tensors(np.ones(LAYER.input_shape, np.int8), weight.reshape(LAYER.weight_shape)))


def test_bitmask_moves_a_bit_a_word_and_the_nonzeros() -> None:
    weight = (np.arange(WEIGHTS) % 4 == 0).astype(np.int8)
    found = report(pruned(weight), **{"codec.weight": "bitmask"})
    assert found.dram_read_weight_bits == WEIGHTS + WEIGHTS // 4 * 8
    assert found.dram_index_bits == WEIGHTS


def test_two_of_four_moves_half_the_words_and_their_places() -> None:
    weight = (np.arange(WEIGHTS) % 4 < 2).astype(np.int8)
    found = report(pruned(weight), **{"codec.weight": "n_of_m"})
    assert found.dram_read_weight_bits == WEIGHTS // 2 * (8 + 2)
    assert found.dram_index_bits == WEIGHTS // 2 * 2
    with pytest.raises(InputError, match="needs at most 2"):
        report(pruned(np.ones(WEIGHTS, np.int8)), **{"codec.weight": "n_of_m"})


def test_columns_move_entries_and_pointers() -> None:
    """Every fourth filter is nonzero: one slice of four has all entries, without runs."""
    weight = (np.arange(WEIGHTS) // 64 % 4 == 0).astype(np.int8)
    found = report(pruned(weight), **{"codec.weight": "csc", "formats.csc_slices": 4, "formats.csc_pointer_bits": 8})
    pointers = 4 * (64 + 1) * 8
    assert found.dram_read_weight_bits == WEIGHTS // 4 * (8 + 4) + pointers
    assert found.dram_index_bits == WEIGHTS // 4 * 4 + pointers


def test_a_codebook_moves_indices_and_its_table_even_without_zeros() -> None:
    dense = Layer("stored", K=32, C=64, P=4, Q=4)
    found = report(dense, **{"codec.weight": "codebook", "formats.codebook_bits": 4})
    assert found.dram_read_weight_bits == WEIGHTS * 4 + 16 * 8
    assert found.dram_index_bits == 16 * 8


@pytest.mark.parametrize("codec", ["rlc", "bitmask", "csc", "huffman"])
def test_formats_shrink_what_has_zeros_and_the_codec_bounds_the_dma(codec: str) -> None:
    plain = report()
    coded = report(**{"codec.weight": codec, "codec_words_per_cycle": 1024})
    assert 0 < coded.dram_index_bits < coded.dram_read_weight_bits < plain.dram_read_weight_bits
    slow = report(**{"codec.weight": codec, "codec_words_per_cycle": 1})
    assert slow.dma_busy_cycles >= WEIGHTS > coded.dma_busy_cycles
