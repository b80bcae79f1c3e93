"""Do cycles and words on whole layers equal the closed forms others have published for their arrays?"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accel.report import LayerReport
from accel.simulation import simulate_layer
from accel.spec import Accelerator, load
from mappings import Loop, Mapping
from mappings.dataflows import ArrayShape, candidates
from workloads import Layer

STATIONARY = ("output_stationary", "weight_stationary", "input_stationary")
SYSTOLIC = load("systolic_32x32")


@dataclass(frozen=True)
class Product:
    """A matrix product of M pixels, V filter volume and N filters on a systolic array."""

    M: int
    V: int
    N: int
    rows: int
    columns: int

    @property
    def accelerator(self) -> Accelerator:
        return SYSTOLIC.with_values({"pe_array.rows": self.rows, "pe_array.columns": self.columns})

    def layer(self) -> Layer:
        return Layer("product", op="matmul", N=self.M, C=self.V, K=self.N)

    def sides(self, dataflow: str) -> tuple[tuple[str, int], tuple[str, int], tuple[str, int]]:
        """(axis, extent) over rows, over columns and streamed."""
        pixels, volume, filters = ("NPQ", self.M), ("CRS", self.V), ("K", self.N)
        return {
            "output_stationary": (pixels, filters, volume),
            "weight_stationary": (volume, filters, pixels),
            "input_stationary": (volume, pixels, filters),
        }[dataflow]

    def folds(self, dataflow: str) -> tuple[int, int]:
        down, across, _ = self.sides(dataflow)
        return -(-down[1] // self.rows), -(-across[1] // self.columns)

    def scale_sim(self, dataflow: str) -> tuple[int, int, int, int]:
        """Cycles, and words of inputs, weights and outputs between SRAM and array, stall-free.

        Samajdar et al., "A systematic methodology for characterizing scalability of DNN accelerators using SCALE-Sim",
        ISPASS 2020, section III: every fold pays for its own fill and drain, ragged folds are charged whole.
        """
        down, across = self.folds(dataflow)
        streamed = self.sides(dataflow)[2][1]
        preload = 0 if dataflow == "output_stationary" else self.rows
        cycles = down * across * (streamed + preload + self.rows + self.columns - 2)
        words = {
            "output_stationary": (across * self.M * self.V, down * self.V * self.N, self.M * self.N),
            "weight_stationary": (across * self.M * self.V, self.V * self.N, down * self.M * self.N),
            "input_stationary": (self.M * self.V, across * self.V * self.N, down * self.M * self.N),
        }[dataflow]
        return cycles, *words


def measured(report: LayerReport) -> tuple[int, int, int, int]:
    """Compute cycles and words over the ports at the preset's widths of 8 bits, and 32 for partial sums."""
    leaving = report.array_write_output_bits // 8 + report.array_write_psum_bits // 32
    return report.compute_cycles, report.array_read_input_bits // 8, report.array_read_weight_bits // 8, leaving


sizes = st.integers(1, 24) | st.sampled_from([1, 31, 64, 100])
products = st.builds(Product, sizes, sizes, sizes, st.integers(1, 12), st.integers(1, 12))


def settled(product: Product, dataflow: str) -> bool:
    """Whether one operand alone can be stationary: on an array one PE wide, with a stream of 1, any of two can."""
    return product.sides(dataflow)[2][1] > 1 or min(product.rows, product.columns) > 1


@pytest.mark.parametrize("dataflow", STATIONARY)
@given(product=products)
def test_systolic_arrays_take_the_cycles_and_words_of_scale_sim(dataflow: str, product: Product) -> None:
    assume(settled(product, dataflow))
    spec, layer = product.accelerator, product.layer()
    for column in candidates(dataflow, layer, ArrayShape(product.rows, product.columns)):
        # The first candidate leaves the stream whole.
        assert measured(simulate_layer(layer, column[0], spec).report) == product.scale_sim(dataflow)


@pytest.mark.parametrize("dataflow", STATIONARY)
@given(product=products, pieces=st.integers(1, 9))
def test_a_stream_cut_into_tile_steps_goes_on(dataflow: str, product: Product, pieces: int) -> None:
    """Folds are off-chip loops and the stream is the innermost of them: the array does not notice the cuts."""
    down, across, (stream, length) = product.sides(dataflow)
    piece = -(-length // pieces)
    assume(piece > 1 or min(product.rows, product.columns) > 1)
    folds_down, folds_across = product.folds(dataflow)
    mapping = Mapping(
        dataflow,
        off_chip=(Loop(across[0], folds_across), Loop(down[0], folds_down), Loop(stream, -(-length // piece))),
        registers=(Loop(stream, piece),),
        rows=(Loop(down[0], product.rows),),
        columns=(Loop(across[0], product.columns),),
    )
    assert measured(simulate_layer(product.layer(), mapping, product.accelerator).report) == product.scale_sim(dataflow)


@pytest.mark.parametrize("dataflow", STATIONARY)
def test_a_grouped_convolution_is_a_product_for_each_group(dataflow: str) -> None:
    """Windows are laid out as columns: every (pixel, tap) pair is a word, padding included."""
    layer = Layer("conv", G=2, N=2, K=20, C=6, P=7, Q=5, R=3, S=3, stride=(2, 2), padding=(1, 1, 1, 1))
    product = Product(M=2 * 7 * 5, V=6 * 3 * 3, N=20, rows=8, columns=12)
    mapping = candidates(dataflow, layer, ArrayShape(8, 12))[0][0]
    report = simulate_layer(layer, mapping, product.accelerator).report
    assert measured(report) == tuple(2 * count for count in product.scale_sim(dataflow))


# Layers of AlexNet on Tm = 64, Tn = 7, for one of the two groups; C. Zhang et al., "Optimizing FPGA-based Accelerator
# Design for Deep Convolutional Neural Networks", FPGA 2015, Tables 3 and 4. Each of ceil(M/Tm)*ceil(N/Tn) passes takes
# R*C*K*K cycles and the fill of its pipeline; conv1, whose three channels need no accumulation, has none.
ZHANG = {
    Layer("conv1", K=48, C=3, P=55, Q=55, R=11, S=11, stride=(4, 4)): 366_025,
    Layer("conv2", K=128, C=48, P=27, Q=27, R=5, S=5, padding=(2, 2, 2, 2)): 255_430,
    Layer("conv3", K=192, C=256, P=13, Q=13, R=3, S=3, padding=(1, 1, 1, 1)): 171_051,
    Layer("conv4", K=192, C=192, P=13, Q=13, R=3, S=3, padding=(1, 1, 1, 1)): 129_444,
    Layer("conv5", K=128, C=192, P=13, Q=13, R=3, S=3, padding=(1, 1, 1, 1)): 86_296,
}
ZHANG_TOTAL = 1_008_246


def unrolled(layer: Layer) -> Mapping:
    """Channels over the array; a strip of rows and all taps in a pass; conv1's map needs strips to fit."""
    strips = 5 if layer.P == 55 else 1
    return Mapping(
        "unrolled",
        off_chip=(Loop("P", strips), Loop("K", -(-layer.K // 64)), Loop("C", -(-layer.C // 7))),
        registers=(Loop("R", layer.R), Loop("S", layer.S), Loop("P", layer.P // strips), Loop("Q", layer.Q)),
        rows=(Loop("K", 64),),
        columns=(Loop("C", 7),),
    )


def test_zhang_fpga15_takes_the_published_cycles() -> None:
    spec = load("zhang_fpga15")
    found = {layer: simulate_layer(layer, unrolled(layer), spec).report.compute_cycles for layer in ZHANG}
    assert found == ZHANG
    assert sum(found.values()) == ZHANG_TOTAL


def test_zhang_fpga15_takes_them_with_its_own_dataflow_too() -> None:
    """Passes within a tile instead of tile steps; the buffers are widened so that whole maps fit."""
    spec = load("zhang_fpga15").with_values(
        {"data_buffer.kib": 8192.0, "data_buffer.accumulator_kib": 8192.0, "weight_buffer.kib": 8192.0}
    )
    total = 0
    for layer in ZHANG:
        mapping = candidates("no_local_reuse", layer, ArrayShape(64, 7, 1, 0, 1, 0))[0][0]
        total += simulate_layer(layer, mapping, spec).report.compute_cycles
    assert total == ZHANG_TOTAL
