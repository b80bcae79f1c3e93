"""The machines of Bit Fusion's comparison with Eyeriss, and closed forms of their cycles.

Which Eyeriss its authors simulated follows from their times. RNN, a product of 4096 x 4096 for 16 images, takes 2^20
cycles: 256 multiply-adds in each, where the measured chip has 168 PEs, and too few for its weights to cross 192 bits a
cycle. `folded_cycles`, row-stationary sets folded and repeated on 16 x 16 PEs that wait for nothing, is within 1.3 % of
their time for every network, which counts pooling too. So theirs is `eyeriss_16x16`.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from accel import load
from accel.spec import Accelerator
from workloads import Bits, Layer, Operand

CLOCK_MHZ = 500
PUBLISHED = (16, 32, 192)
"""Rows, columns and bits a cycle of the link in the comparison the paper prints."""
_NEVER_BINDS = 65536


def layer_of(numbers: Iterable[int], name: str = "layer", batch: int = 16) -> Layer:
    """A layer of the data file: filters, channels, output side, filter side, stride, bits of inputs and weights.

    Padding counts as input, as in the authors' simulator.
    """
    k, c, side, taps, stride, act, weight = numbers
    return Layer(
        name, N=batch, K=k, C=c, P=side, Q=side, R=taps, S=taps, stride=(stride, stride), bits=Bits(act, weight, None)
    )  # fmt: skip


def closed_form_cycles(layer: Layer, rows: int = 16, columns: int = 32) -> int:
    """The authors' arithmetic: filters over columns, channels over rows and fused products, taps in turn.

    The first layer, of 1 or 3 channels, is a matrix product of its unrolled windows.
    """
    assert layer.bits.input and layer.bits.weight
    fused = (8 // max(2, layer.bits.input)) * (8 // max(2, layer.bits.weight))
    taps, channels = layer.R * layer.S, layer.C
    if channels < rows:
        taps, channels = 1, channels * taps
    return layer.N * layer.P * layer.Q * ceil(layer.K / columns) * taps * ceil(channels / (rows * fused))


def least_cycles(layer: Layer, multipliers: int = 168, link_bits: int = PUBLISHED[2]) -> float:
    """No array of so many multipliers, behind a link of so many bits a cycle, takes less: each word crosses it once."""
    assert layer.bits.input and layer.bits.weight
    bits = layer.words(Operand.INPUT) * layer.bits.input + layer.words(Operand.WEIGHT) * layer.bits.weight
    bits += layer.words(Operand.OUTPUT) * layer.bits.input
    return max(layer.macs / multipliers, bits / link_bits)


def folded_cycles(layer: Layer, rows: int = 16, columns: int = 16) -> int:
    """Row-stationary sets of R x P PEs that wait for nothing (Chen et al., ISCA 2016, section V-A).

    A strip wider than the array is folded; its parts stand along the rows as far as these go, and then in turn. In the
    room left the set is repeated for other filters or channels, the better way, ragged ones costing a whole turn.
    """
    folds = ceil(layer.P / columns)
    standing = min(folds, rows // layer.R)
    sets = rows // (layer.R * standing) * (columns // layer.P if folds == 1 else 1)
    pairs = min(
        ceil(layer.K / filters) * ceil(layer.C / (sets // filters))
        for filters in range(1, sets + 1)
        if sets % filters == 0
    )
    return layer.N * pairs * ceil(folds / standing) * layer.Q * layer.S


def chip_of(rows: int, columns: int, link_bits: int, buffers_kib: tuple[float, float, float]) -> Accelerator:
    """The preset with another array, its ports, buffers (input, weight, output) and link; DRAM never binds."""
    return load("bit_fusion").with_values(
        {
            "pe_array.rows": rows,
            "pe_array.columns": columns,
            "pe_array.bits.output": 32,
            "pe_array.ports.input": 32 * rows,
            "pe_array.ports.weight": 32 * rows * columns,
            "pe_array.ports.psum": 32 * columns,
            "pe_array.ports.output": 32 * columns,
            "weight_buffer.kib": buffers_kib[1],
            "weight_buffer.banks": rows * columns,
            "data_buffer.kib": buffers_kib[0],
            "data_buffer.banks": rows,
            "data_buffer.accumulator_kib": buffers_kib[2],
            "dma.dram": "HBM2-2000",
            "dma.channels": 32,
            "dma.link_bits": link_bits,
        }
    )  # fmt: skip


def eyeriss() -> Accelerator:
    """The measured chip at the clock, and behind the link, of the paper's comparison."""
    return load("eyeriss_v1").with_values(
        {
            "clock_mhz": CLOCK_MHZ,
            "dma.dram": "HBM2-2000",
            "dma.channels": 32,
            "dma.link_bits": PUBLISHED[2],
            "dma.link_mhz": CLOCK_MHZ,
        }
    )


def eyeriss_16x16() -> Accelerator:
    """The preset with 16 x 16 PEs that wait for nothing: wide ports and DRAM, no link and no scan chain, and loads
    that the array need not stop for. Registers, buffer sizes and dataflow are the chip's."""
    ports = {f"pe_array.ports.{word}": _NEVER_BINDS for word in ("input", "weight", "psum", "output")}
    return load("eyeriss_v1").with_values(
        {
            "clock_mhz": CLOCK_MHZ,
            "pe_array.rows": 16,
            "pe_array.columns": 16,
            **ports,
            "data_buffer.width_bits": _NEVER_BINDS,
            "data_buffer.double_buffered": True,
            "weight_buffer.width_bits": _NEVER_BINDS,
            "controller.layer_setup_cycles": 0,
            "dma.dram": "HBM2-2000",
            "dma.channels": 1024,
            "dma.link_bits": None,
            "dma.link_mhz": None,
        }
    )  # fmt: skip
