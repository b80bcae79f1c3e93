"""Does the spec refuse multipliers, and widths on them, that make no sense, in one line that says why?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from accel.mapper import map_layer
from accel.spec import Accelerator, dump, load
from workloads import Bits, InputError, Layer
from workloads.toml_file import read_toml

PLAIN = load("systolic_32x32")
LAYER = Layer("fc", op="matmul", K=8, C=8)


def styled(style: str, **fields: Any) -> dict[str, Any]:
    return {"pe_array.precision.style": style} | {f"pe_array.precision.{name}": value for name, value in fields.items()}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (styled("fixed", bits_per_cycle=2), 'bits_per_cycle = 2: style = "fixed" has no such field, nor any other'),
        (styled("composable", serial="weight"), 'style = "composable" has no such field, only least_bits'),
        (styled("bit_serial", least_bits=4), 'style = "bit_serial" has no such field, only serial, bits_per_cycle'),
        (styled("bit_serial", bits_per_cycle=9), "bits_per_cycle = 9: needs at most the 8 bits of the input"),
        (styled("composable", least_bits=3), "bits.input = 8: composable needs 3 bits doubled as often as you like"),
        (styled("composable") | {"pe_array.bits.weight": 12}, "bits.weight = 12: composable needs 2 bits doubled"),
        (styled("binary"), "bits.input = 8: binary needs 1"),
        (styled("ternary"), "bits.weight = 8: ternary needs 2, for -1, 0 and 1"),
        (
            styled("composable") | {"pe_array.arrangement": "multicast", "pe_array.zero_handling.input": "skip"},
            'zero_handling = "skip": needs precision.style = "fixed", "composable" can only gate zeros',
        ),
        (styled("serial"), 'needs "fixed", "composable", "bit_serial", "binary" or "ternary"'),
    ],
)
def test_styles_that_make_no_sense_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError) as error:
        PLAIN.with_values(changes)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("preset", "bits", "reason"),
    [
        ("ternary", Bits(8, 8), "bits.weight = 8: on a ternary array weights of -1, 0 and 1 need at most 2"),
        ("ternary", Bits(16, 2), "bits.input = 16: on a ternary array its adders take at most 8"),
        ("stripes", Bits(24, 16), "bits.input = 24: a bit-serial array of 16-bit words needs at most 16"),
        ("unpu", Bits(16, 32), "bits.weight = 32: a bit-serial array"),
    ],
)
def test_operands_too_wide_for_the_array_are_refused(preset: str, bits: Bits, reason: str) -> None:
    with pytest.raises(InputError, match="layer fc on") as error:
        map_layer(replace(LAYER, bits=bits), load(preset))
    assert reason in str(error.value)


def test_a_styled_array_goes_through_toml(tmp_path: Any) -> None:
    spec = PLAIN.with_values(styled("bit_serial", serial="both", bits_per_cycle=2))
    path = tmp_path / "chip.toml"
    path.write_text(dump(spec), encoding="utf-8")
    assert Accelerator.from_values(read_toml(path)) == spec


def test_ports_left_open_feed_every_brick() -> None:
    """At 2 x 2 bits a multiplier of 8 x 8 takes 16 pairs: 32 bits of each operand."""
    spec = PLAIN.with_values(styled("composable"))
    assert spec.pe_array.ports.input == spec.pe_array.ports.weight == 32 * 32
    assert spec.pe_array.register_bits == 1024 * (32 + 2 * 32 + 32)  # weights twice


@pytest.mark.parametrize(
    ("preset", "bits", "gops"),
    [
        ("bit_fusion", (8, 8), 512),  # 2 x 512 x 500 MHz
        ("bit_fusion", (2, 2), 8192),
        ("stripes", (16, 16), 2 * 4096 * 0.98),  # as fast as DaDianNao at 16 bits
        ("unpu", (16, 16), 345.6),  # published peaks
        ("unpu", (16, 8), 691.2),
        ("unpu", (16, 4), 1382.4),
        ("xnor", (1, 1), 2 * 32768 * 0.2),
        ("ternary", (8, 2), 2 * 4096 * 0.2),
    ],
)
def test_peaks_of_the_presets(preset: str, bits: tuple[int, int], gops: float) -> None:
    spec = load(preset)
    assert 2 * spec.pe_array.macs_per_cycle_at(*bits) * spec.clock_mhz / 1e3 == pytest.approx(gops)


def test_bit_fusion_holds_112_kib() -> None:
    spec = load("bit_fusion")
    assert spec.data_buffer.kib + spec.data_buffer.accumulator_kib + spec.weight_buffer.kib == 112
