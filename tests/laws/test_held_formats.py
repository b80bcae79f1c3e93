"""Do buffers that hold operands coded take, move and decode what their formats say, and the DMA's codec the rest?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.simulation import LayerResult, simulate_layer
from accel.spec import Accelerator, load
from mappings import Loop, Mapping
from workloads import Density, InputError, Layer, Pattern, Patterns, Tensors

SKIPS = {"pe_array.zero_handling.input": "skip", "pe_array.zero_handling.weight": "skip"}
CHIP = load("systolic_32x32").with_values({"pe_array.arrangement": "multicast"} | SKIPS)
LAYER = Layer("held", K=32, C=64, P=4, Q=4)
MAPPING = Mapping("held", registers=tuple(Loop(axis, getattr(LAYER, axis)) for axis in "CPQ"), rows=(Loop("K", 32),))
INPUTS, WEIGHTS, OUTPUTS = 64 * 16, 32 * 64, 32 * 16


def quarter(words: int, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return (np.arange(words) % 4 == 0).astype(np.int8).reshape(shape)


TENSORS = Tensors(quarter(INPUTS, LAYER.input_shape), quarter(WEIGHTS, LAYER.weight_shape))
MASKED_INPUTS = INPUTS + INPUTS // 4 * 8
MASKED_WEIGHTS = WEIGHTS + WEIGHTS // 4 * 8


def result(
    spec: Accelerator = CHIP, layer: Layer | None = None, mapping: Mapping = MAPPING, **changes: Any
) -> LayerResult:
    values = {path.replace("__", "."): value for path, value in changes.items()}
    return simulate_layer(layer or LAYER.with_tensors(TENSORS), mapping, spec.with_values(values))


def test_maps_in_a_format_of_the_buffer() -> None:
    """Off chip word by word, on chip with a mask: the DMA's codec makes one of the other."""
    plain, coded = result().report, result(data_buffer__format="bitmask").report
    assert coded.dram_read_input_bits == plain.dram_read_input_bits == INPUTS * 8
    written = plain.data_buffer_write_bits - coded.data_buffer_write_bits
    assert written == INPUTS * 8 - MASKED_INPUTS
    assert (plain.codec_cycles, coded.codec_cycles) == (0, INPUTS)
    # A quarter of the words crosses the port of a buffer that is decoded, their coded bits that of one that is not.
    assert plain.array_read_input_bits == INPUTS // 4 * 8
    assert coded.array_read_input_bits == MASKED_INPUTS


def test_finished_outputs_are_coded_in_their_buffer_and_decoded_on_the_way_out() -> None:
    layer = replace(LAYER, density=Density(0.5, 0.5, 0.25), patterns=Patterns(output=Pattern.parse("1:4")))
    plain, coded = result(layer=layer).report, result(layer=layer, data_buffer__format="bitmask").report
    held = OUTPUTS + OUTPUTS // 4 * 8
    inputs = INPUTS + INPUTS // 2 * 8
    assert coded.array_write_output_bits == plain.array_write_output_bits == OUTPUTS * 8
    assert coded.dram_write_output_bits == OUTPUTS * 8
    assert coded.codec_cycles == INPUTS + OUTPUTS
    saved = plain.data_buffer_write_bits - coded.data_buffer_write_bits
    assert saved == pytest.approx((INPUTS * 8 - inputs) + OUTPUTS * 8 - held, rel=0.1)


def test_what_stays_coded_passes_no_codec() -> None:
    both = {"dma__codec__weight": "bitmask", "dma__codec__input": "bitmask"}
    decoded = result(**both).report
    assert decoded.codec_cycles == INPUTS + WEIGHTS
    assert decoded.weight_buffer_write_bits == WEIGHTS * 8
    held = result(**both, weight_buffer__compressed=True, data_buffer__format="bitmask").report
    assert held.codec_cycles == 0
    assert held.weight_buffer_write_bits == held.dram_read_weight_bits == MASKED_WEIGHTS
    named = result(**both, weight_buffer__format="bitmask", data_buffer__format="bitmask").report
    assert named == held
    other = result(**both, weight_buffer__format="rlc").report
    assert other.codec_cycles == INPUTS + WEIGHTS


def test_each_operand_has_its_rate() -> None:
    codecs = {"dma__codec__weight": "bitmask", "dma__codec__input": "bitmask", "dma__codec_words_per_cycle": 8}
    assert result(**codecs).report.codec_cycles == (INPUTS + WEIGHTS) // 8
    slow = result(**codecs, dma__codec_rates__weight=2).report
    assert slow.codec_cycles == INPUTS // 8 + WEIGHTS // 2
    assert slow.dma_busy_cycles >= WEIGHTS // 2 > result(**codecs).report.dma_busy_cycles


def test_a_coded_tile_fits_where_a_plain_one_does_not() -> None:
    kib = (MASKED_INPUTS + OUTPUTS * 8) / 8192
    small = {"data_buffer__kib": kib, "data_buffer__double_buffered": False, "data_buffer__accumulator_kib": 0.0}
    with pytest.raises(InputError, match=r"data_buffer.kib = .* is too small"):
        result(**small)
    found = result(**small, data_buffer__format="bitmask")
    assert found.lowered.program.resident_bits[0, 0] - OUTPUTS * 32 == MASKED_INPUTS


def test_stored_bits_are_of_whole_tensors_however_often_they_cross() -> None:
    mapping = replace(MAPPING, registers=(Loop("C", 64), Loop("Q", 4)), off_chip=(Loop("P", 4),), hold=(None, 0, None))
    for spilled in (MAPPING, mapping):
        found = result(mapping=spilled, dma__codec__input="bitmask", dma__codec__weight="n_of_m").report
        assert found.stored_input_bits == MASKED_INPUTS
        assert found.stored_weight_bits == WEIGHTS // 4 * 2 * (8 + 2)
        assert found.stored_output_bits == OUTPUTS * 8
        assert found.stored_index_bits == INPUTS + found.stored_weight_bits - WEIGHTS // 4 * 8


def test_partial_sums_are_never_coded() -> None:
    mapping = Mapping(
        "spills", off_chip=(Loop("C", 4), Loop("P", 4)), registers=(Loop("C", 16), Loop("Q", 4)), rows=(Loop("K", 32),)
    )
    layer = replace(LAYER, density=Density(0.5, 0.5, 0.1))
    plain = result(layer=layer, mapping=mapping).report
    coded = result(layer=layer, mapping=mapping, dma__codec__output="bitmask", data_buffer__format="rlc").report
    assert plain.dram_write_psum_bits == coded.dram_write_psum_bits > 0
    assert plain.dram_read_psum_bits == coded.dram_read_psum_bits > 0
    assert coded.dram_write_output_bits < plain.dram_write_output_bits


@given(
    st.sampled_from(["none", "rlc", "bitmask", "csc"]),
    st.sampled_from(["none", "rlc", "bitmask", "csc"]),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)
def test_formats_change_bits_and_never_work(off_chip: str, held: str, density: float) -> None:
    layer = replace(LAYER, density=Density(density, density, density))
    plain = result(layer=layer).report
    coded = result(
        layer=layer,
        dma__codec__input=off_chip,
        dma__codec__weight=off_chip,
        data_buffer__format=held,
        weight_buffer__format=held,
    ).report
    assert (coded.effectual_macs, coded.mac_cycles) == (plain.effectual_macs, plain.mac_cycles)
    assert coded.weight_buffer_write_bits <= plain.weight_buffer_write_bits
    assert coded.data_buffer_write_bits <= plain.data_buffer_write_bits
    assert coded.dram_read_weight_bits == coded.stored_weight_bits <= WEIGHTS * 8
    assert coded.dram_read_input_bits == coded.stored_input_bits <= INPUTS * 8
    assert coded.codec_cycles <= INPUTS + WEIGHTS + OUTPUTS


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data_buffer.format": "codebook"}, "maps are computed, only weights come from a table"),
        ({"dma.codec.input": "codebook", "dma.formats.codebook_bits": 4}, "maps are computed"),
        ({"data_buffer.format": "huffman"}, "Huffman codes can be read only from their start"),
        ({"weight_buffer.format": "huffman"}, 'weight_buffer.format = "huffman": Huffman codes'),
        ({"weight_buffer.format": "codebook"}, "needs dma.formats.codebook_bits from 1 up"),
        ({"weight_buffer.compressed": True}, 'needs dma.codec.weight, which is "none"'),
        (
            {"weight_buffer.compressed": True, "dma.codec.weight": "csc", "weight_buffer.format": "rlc"},
            "compressed = true says it is that off chip",
        ),
        ({"weight_buffer.compressed": True, "dma.codec.weight": "huffman"}, "compressed = true: Huffman codes"),
        (
            {"data_buffer.format": "rlc", "pe_array.zero_handling.input": "none"},
            'data_buffer.format = "rlc": needs pe_array.zero_handling.input = "skip"',
        ),
        (
            {"weight_buffer.format": "csc", "pe_array.zero_handling.weight": "gate"},
            'weight_buffer.format = "csc": needs pe_array.zero_handling.weight = "skip"',
        ),
    ],
)
def test_formats_that_make_no_sense(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError) as error:
        CHIP.with_values(changes)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
