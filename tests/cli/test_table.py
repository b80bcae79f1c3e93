"""Does a person read the right numbers off the table?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from accel.cli.console import plain_text
from accel.report import Report
from accel.table import report_table
from accel.units import COUNT, DATA, ENERGY, TIME, Ladder, aligned, human, number, percent
from tests.plots.reports import large, layer, report, small, vector

WIDE = """\
net on chip

        latency  util  energy  PEs  data  wgt  ctrl  DMA  leak  DRAM
 layer       us     %      mJ    %     %    %     %    %     %    MB  bottleneck
 ──────────────────────────────────────────────────────────────────────────────────
 conv1     88.0    34    12.3   33    16    8     1   41     2  1.50  MACs
 pool1     33.0     -    12.3   33    16    8     1   41     2  1.50  vector unit
 conv2     88.0     7    12.3   33    16    8     1   41     2   102  DRAM: weights

 total      209    17    36.9   33    16    8     1   41     2   104  MACs

209 us, 36.9 mJ (177 W), 104 MB over the DRAM pins, 1.20 M MACs at 17 % of 168 a cycle
cycles:   MACs 48 %, buffer ports 14 %, array fill 5 %, vector unit 10 %, wait: data 14 %, wait:
          weights 5 %, wait: output 4 %, wait: controller 1 %
energy:   PE array 33 %, data buffer 16 %, weight buffer 8 %, controller 1 %, DMA and DRAM 41 %,
          leakage 2 %
operands: dense
mapping:  row_stationary
"""


def test_the_table_of_a_small_network() -> None:
    shown = plain_text(report_table(small()))
    assert shown == WIDE


WITHOUT_MACS = """\
net on chip

        latency  energy  PEs  data  wgt  ctrl  DMA  leak  DRAM
 layer       us      mJ    %     %    %     %    %     %    MB  bottleneck
 ──────────────────────────────────────────────────────────────────────────
 pool1     33.0    12.3   33    16    8     1   41     2  1.50  vector unit

 total     33.0    12.3   33    16    8     1   41     2  1.50  vector unit

33.0 us, 12.3 mJ (373 W), 1.50 MB over the DRAM pins
cycles: vector unit 61 %, wait: data 30 %, wait: output 8 %, wait: controller 2 %
energy: PE array 33 %, data buffer 16 %, weight buffer 8 %, controller 1 %, DMA and DRAM 41 %,
        leakage 2 %
"""


def test_the_table_of_a_network_without_macs_says_nothing_of_any() -> None:
    assert plain_text(report_table(report(vector("pool1")))) == WITHOUT_MACS


@pytest.mark.parametrize("columns", [80, 100, 140])
@pytest.mark.parametrize("shown", [small(), large(), report()], ids=["small", "large", "empty"])
def test_lines_fit_the_terminal(columns: int, shown: Report) -> None:
    lines = plain_text(report_table(shown), columns=columns).splitlines()
    assert max(len(line) for line in lines) <= columns
    for row in shown.layers:
        assert any(line.split()[:1] and row.layer.startswith(line.split()[0].rstrip("…")) for line in lines)


def test_a_narrow_terminal_keeps_latency_energy_traffic_and_bottleneck() -> None:
    narrow = plain_text(report_table(small()), columns=80)
    (row,) = (line.split() for line in narrow.splitlines() if line.split()[:1] == ["conv2"])
    assert row == ["conv2", "88.0", "7", "12.3", "33", "16", "8", "41", "102", "DRAM:", "weights"]


def test_names_with_brackets_are_shown_as_they_are() -> None:
    assert "[bold]x[/bold]" in plain_text(report_table(report(layer("[bold]x[/bold]"))))


def test_prefetched_cycles_are_told() -> None:
    assert "prefetch: 5.00 us less" in plain_text(report_table(report(layer("conv1"), prefetched_cycles=1000)))


def test_a_machine_without_zeros_or_codes_says_nothing_of_them() -> None:
    shown = plain_text(report_table(report(layer("conv1", stored_input_bits=8, stored_weight_bits=8))))
    assert "\nMACs:" not in shown
    assert "stored:" not in shown


def test_what_zeros_saved_is_told_of_the_whole_network() -> None:
    # 2 M MACs: 600 k effectual, 1.2 M skipped, 200 k gated. Imbalance 1.2 and 1.6, the second for thrice as long.
    even = layer("even", effectual_macs=400_000, skipped_macs=500_000, gated_macs=100_000, pe_imbalance=1.2)
    uneven = layer("uneven", effectual_macs=200_000, skipped_macs=700_000, gated_macs=100_000, pe_imbalance=1.6)
    shown = plain_text(report_table(report(even, replace(uneven, mac_cycles=3 * even.mac_cycles))))
    assert "MACs:     effectual 30 %, skipped 60 %, gated 10 %; busiest PE 1.50 x the average one" in shown


def test_macs_without_a_multiplier_are_told() -> None:
    shown = plain_text(report_table(report(layer("conv1", multiplier_free_ops=500_000))))
    assert "MACs:     50 % without a multiplier" in shown


def test_what_codes_take_in_the_dram_is_told_with_the_share_of_their_indices() -> None:
    bits = {"stored_input_bits": 8_000_000, "stored_weight_bits": 16_000_000, "stored_output_bits": 8_000_000}
    shown = plain_text(report_table(report(layer("conv1", stored_index_bits=4_000_000, **bits))))
    assert "stored:   inputs 1.00 MB, weights 2.00 MB, outputs 1.00 MB; 12 % of it index overhead" in shown


@pytest.mark.parametrize(
    ("value", "ladder", "expected"),
    [
        (0, ENERGY, "0 pJ"),
        (999, ENERGY, "999 pJ"),
        (1500, ENERGY, "1.50 nJ"),
        (2.5e14, ENERGY, "250 J"),
        (8, DATA, "1.00 B"),
        (8e6, DATA, "1.00 MB"),
        (0.0125, TIME, "12.5 us"),
        (5, TIME, "5.00 ms"),
        (724_406_816, COUNT, "724 M"),
        (12, COUNT, "12.0"),
    ],
)
def test_human_units(value: float, ladder: tuple[object, ...], expected: str) -> None:
    assert human(value, ladder) == expected  # type: ignore[arg-type]


def test_numbers_have_three_digits_and_no_exponent() -> None:
    shown = [number(value) for value in (0.0, 0.0001, 0.012, 0.9999, 1.234, 9.999, 12.34, 99.99, 1e6)]
    assert shown == ["0", "0.000", "0.012", "1.00", "1.23", "10.0", "12.3", "100", "1000000"]


def test_small_shares_do_not_look_like_nothing() -> None:
    assert [percent(share) for share in (0.0, 0.001, 0.006, 0.5, 1.0)] == ["0", "<1", "1", "50", "100"]


@pytest.mark.parametrize(
    ("values", "ladder", "unit", "texts"),
    [
        ([12_345.0, 950.0], ENERGY, "nJ", ["12.345", "0.950"]),
        ([2_500_000.0, 12_000_000.0], ENERGY, "uJ", ["2.50", "12.00"]),
        ([1_000_100.0, 1_000_200.0, 1_000_100.0], ENERGY, "uJ", ["1.0001", "1.0002", "1.0001"]),
        ([0, 16], DATA, "B", ["0.00", "2.00"]),
        ([0], DATA, "B", ["0"]),
        ([], DATA, "B", []),
    ],
)
def test_values_in_a_column_have_one_unit_and_as_many_decimals(
    values: list[float], ladder: Ladder, unit: str, texts: list[str]
) -> None:
    assert aligned(values, ladder) == (unit, texts)
