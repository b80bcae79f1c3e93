"""Energy of a multiply-accumulate by the style of the multiplier, put together from cells of the energy table."""

from __future__ import annotations

from accel.energy.table import EnergyTable
from accel.spec.pe_array import PEArray


def mac_pj(table: EnergyTable, array: PEArray, bits_input: int, bits_weight: int, bits_accumulator: int) -> float:
    """One product and its addition; the accumulator register is counted apart.

    fixed: the multiplier's curve at both widths, and an addition as wide as the accumulator. In all other styles the
    lanes of a PE are a dot product: L lanes cost L - 1 additions as wide as a product and one as wide as the
    accumulator, a share of which falls to each. Their products, all of cells of the same curves:

    composable: bricks of `least_bits`, fused by doubling the wider operand, each time two halves and an addition as
    wide as the result; beyond the native width once for each cycle it takes.
    bit_serial: each cycle a multiplier of `bits_per_cycle` by the other operand; by one bit that is a row of gates.
    binary: each pair of bit planes a one-bit product, an XNOR. ternary: the input through a row of gates.
    """
    style = array.precision
    bits = (bits_input, bits_weight)
    if style.style == "fixed":
        return table.mac_pj(bits_input, bits_weight, bits_accumulator)
    lanes, cycles = array.lanes_at(*bits), array.mac_cycles_at(*bits)
    a, b = style.datapath_bits(bits)
    if style.style == "composable":
        a, b = (min(taken, own) for taken, own in zip(style.taken_bits(bits, array.native), array.native, strict=True))
        product = _fused_pj(table, a, b, style.least_bits)
    else:
        product = table.multiplier.energy_pj(a, b)
    # A product by one bit is no wider than the other operand.
    width = max(a, b) if min(a, b) == 1 else a + b
    tree = (lanes - 1) * table.add_pj(width) + table.add_pj(bits_accumulator)
    return cycles * (product + tree / lanes)


def _fused_pj(table: EnergyTable, a: int, b: int, least: int) -> float:
    """A product of a x b bits out of products of least x least bits."""
    wide, narrow = max(a, b), min(a, b)
    if wide <= least:
        return table.multiplier.energy_pj(wide, narrow)
    return 2 * _fused_pj(table, wide // 2, narrow, least) + table.add_pj(wide + narrow)
