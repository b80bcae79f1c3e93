"""Flags and arguments that several commands have. Only typer is imported here, as in `app`."""

from __future__ import annotations

from typing import Annotated

import typer

Network = Annotated[
    str,
    typer.Argument(
        metavar="NET", help="Network: a zoo name, or an .onnx, .toml (layer list) or .csv (SCALE-Sim) file."
    ),
]
Chip = Annotated[str, typer.Option("--on", metavar="CHIP", help="Accelerator: a preset, or a .toml file.")]
MappingFlag = Annotated[
    str, typer.Option("--mapping", metavar="NAME|FILE|auto", help="A dataflow, a mapping file, or auto: search.")
]
# Numbers are read by `values.whole`, whose errors name the value; those of typer do not in every version.
Batch = Annotated[str, typer.Option("--batch", metavar="N", help="Inputs processed at once.")]
Seed = Annotated[str, typer.Option("--seed", metavar="S", help="Seed of operands that are drawn, and of the search.")]
Fuse = Annotated[
    bool, typer.Option("--fuse", help="Run pairs of layers band by band, their map on chip, where that pays.")
]
ObjectiveFlag = Annotated[
    str,
    typer.Option("--objective", metavar="latency|energy|edp|dram", help="What the search for mappings minimises."),
]
BudgetFlag = Annotated[
    str,
    typer.Option(
        "--budget",
        metavar="N|SECONDSs",
        help="Mappings beyond the dataflows' candidates, or seconds, to search each layer for.",
    ),
]
_bits = typer.Option(
    "--bits",
    metavar="W,A[,O]|NAME|FILE",
    help="Bits of weights, activations, outputs; by layer: bit_fusion, stripes or a .toml file.",
)
_density = typer.Option(
    "--density",
    metavar="D|IN,WEIGHT[,OUT]|NAME|FILE",
    help="Nonzeros to draw: shares, published ones (han2015), or a .toml file with a layer a line.",
)
_pattern = typer.Option(
    "--pattern",
    metavar="2:4|vector:N|kernel|...",
    help="Where zeros of weights lie: N:M, vector:N[:DIM], kernel, group:N, filter. Of maps: input=vector:N.",
)
_skew = typer.Option("--skew", metavar="X", help="How unevenly channels share the zeros, 0 (all alike) to 1.")
# Once, or as often as there are values to try.
BitsFlag = Annotated[str | None, _bits]
BitsFlags = Annotated[list[str] | None, _bits]
DensityFlag = Annotated[str | None, _density]
DensityFlags = Annotated[list[str] | None, _density]
PatternFlag = Annotated[str | None, _pattern]
PatternFlags = Annotated[list[str] | None, _pattern]
SkewFlag = Annotated[str | None, _skew]
SkewFlags = Annotated[list[str] | None, _skew]
