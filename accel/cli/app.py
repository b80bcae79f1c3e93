"""The commands and their flags. Only typer is imported, so that `accel --help` answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from accel.cli.flags import (
    Batch,
    BitsFlag,
    BitsFlags,
    BudgetFlag,
    Chip,
    DensityFlag,
    DensityFlags,
    Fuse,
    MappingFlag,
    Network,
    ObjectiveFlag,
    PatternFlag,
    PatternFlags,
    Seed,
    SkewFlag,
    SkewFlags,
)

# Plain help: rendering it with rich would take longer than all the rest.
app = typer.Typer(
    name="accel",
    help="Simulate neural networks on DNN accelerators: cycles, energy and DRAM traffic, layer by layer.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"accel {version('dnn-accel-sim')}")
        except PackageNotFoundError:
            typer.echo("accel, not installed")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Simulate neural networks on DNN accelerators: cycles, energy and DRAM traffic, layer by layer."""


@app.command("run", short_help="Simulate a network on an accelerator.")
def run_command(
    network: Network,
    chip: Chip,
    mapping: MappingFlag = "auto",
    objective: ObjectiveFlag = "edp",
    budget: BudgetFlag = "10000",
    batch: Batch = "1",
    bits: BitsFlag = None,
    density: DensityFlag = None,
    pattern: PatternFlag = None,
    skew: SkewFlag = None,
    seed: Seed = "0",
    real_input: Annotated[
        Path | None, typer.Option("--input", metavar="FILE", help="Run this .npy array or .png picture through it.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Save the report, with spec, mappings and versions.")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Save the layers, one line each.")] = None,
    plots: Annotated[Path | None, typer.Option("--plots", metavar="DIR", help="Save the three pictures.")] = None,
    trace: Annotated[
        Path | None, typer.Option("--trace", metavar="FILE", help="Save a trace for ui.perfetto.dev.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Save report.csv, report.json and the pictures there.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Search mappings afresh, and keep none.")] = False,
    fuse: Fuse = False,
) -> None:
    """Simulate a network on an accelerator, and print where time, energy and DRAM traffic went."""
    from accel.cli.operands import Operands
    from accel.cli.run import Outputs, run

    outputs = Outputs.of(json=json, csv=csv, plots=plots, trace=trace, out=out)
    run(
        network,
        chip,
        mapping=mapping,
        objective=objective,
        budget=budget,
        batch=batch,
        operands=Operands(bits, density, pattern, skew),
        seed=seed,
        real_input=real_input,
        outputs=outputs,
        cached=not no_cache,
        fuse=fuse,
    )


@app.command("map", short_help="Find the best loop nest of every layer.")
def map_command(
    network: Network,
    chip: Chip,
    objective: ObjectiveFlag = "edp",
    dataflow: Annotated[
        str | None,
        typer.Option("--dataflow", metavar="NAME|any", help="A dataflow, or any; the accelerator's own unless given."),
    ] = None,
    budget: BudgetFlag = "20000",
    pareto: Annotated[
        bool,
        typer.Option(
            "--pareto",
            help="Also each layer's front between least latency and energy; saved beside --out, a file a point.",
        ),
    ] = False,
    why: Annotated[bool, typer.Option("--why", help="What binds each mapping, and what the next best costs.")] = False,
    offer: Annotated[
        Path | None,
        typer.Option("--offer", metavar="FILE", help="Mappings that --out saved: none that fits will be better."),
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Search afresh, and keep nothing.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Save the mappings for accel run --mapping FILE.")
    ] = None,
    batch: Batch = "1",
    bits: BitsFlag = None,
    density: DensityFlag = None,
    pattern: PatternFlag = None,
    skew: SkewFlag = None,
    seed: Seed = "0",
) -> None:
    """Search the map space of every distinct layer; print its loop nest, its cost, and the distance to the bound.

    Ctrl-C ends the search: the best so far is printed and saved, and the exit status is 130. Fronts are searched after
    all layers: Ctrl-C then leaves all mappings and the fronts so far.
    """
    try:
        from accel.cli.map import map_network
        from accel.cli.mapped import tell
        from accel.cli.operands import Operands
        from accel.cli.wishes import Wishes

        wishes = Wishes.of(objective, dataflow, budget, seed, pareto=pareto, why=why, offer=offer, cached=not no_cache)
        outcomes = map_network(network, chip, batch, Operands(bits, density, pattern, skew), wishes, out)
    except KeyboardInterrupt:
        typer.echo("accel: interrupted: no layer was mapped yet", err=True)
        raise
    tell(outcomes, wishes, out)


@app.command("list")
def list_command(
    what: Annotated[str, typer.Argument(metavar="networks|accelerators|dataflows", show_default=False)],
) -> None:
    """List what comes with the package."""
    from accel.cli.listing import list_all

    list_all(what)


@app.command("show", short_help="Show an accelerator, network or mapping.")
def show_command(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A network, an accelerator, a dataflow, or a file of one or of mappings."),
    ],
    toml: Annotated[bool, typer.Option("--toml", help="A network as a layer list, to copy and edit.")] = False,
    layer: Annotated[
        str | None, typer.Option("--layer", metavar="NET:LAYER", help="The layer to map with a dataflow.")
    ] = None,
    chip: Annotated[str | None, typer.Option("--on", metavar="CHIP", help="The accelerator to map it for.")] = None,
) -> None:
    """Show an accelerator as TOML, a network's layers, or a mapping as a loop nest."""
    from accel.cli.show import show

    show(name, toml=toml, layer=layer, chip=chip)


@app.command("sweep", short_help="Simulate a grid of variants.")
def sweep_command(
    networks: Annotated[str, typer.Option("--net", metavar="NET[,NET]", help="Networks, separated by commas.")],
    chips: Annotated[str, typer.Option("--on", metavar="CHIP[,CHIP]", help="Accelerators, separated by commas.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Save sweep.csv and pareto.png there.")],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=V1,V2", help="Values of a field of the accelerator; may be repeated."),
    ] = None,
    mapping: MappingFlag = "auto",
    objective: ObjectiveFlag = "edp",
    budget: BudgetFlag = "10000",
    batch: Batch = "1",
    bits: BitsFlags = None,
    density: DensityFlags = None,
    pattern: PatternFlags = None,
    skew: SkewFlags = None,
    seed: Seed = "0",
    jobs: Annotated[str | None, typer.Option("--jobs", metavar="N", help="Processes; one a core unless given.")] = None,
    fuse: Fuse = False,
) -> None:
    """Simulate every combination of networks, accelerators and values, and find the Pareto front.

    --bits, --density, --pattern and --skew may be repeated as well: each value is a variant of every network.
    Ctrl-C ends it: what was simulated until then is printed and saved, and the exit status is 130.
    """
    from accel.cli.operands import OperandGrid
    from accel.cli.sweep import sweep

    sweep(
        networks,
        chips,
        changes or [],
        out=out,
        operands=OperandGrid(bits or (), density or (), pattern or (), skew or ()),
        mapping=mapping,
        objective=objective,
        budget=budget,
        batch=batch,
        seed=seed,
        jobs=jobs,
        fuse=fuse,
    )
