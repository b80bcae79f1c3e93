"""`accel list`: what comes with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from accel.cli.console import show
from accel.units import COUNT, human
from workloads.errors import InputError

if TYPE_CHECKING:
    pass


def plain_table(*headings: str) -> Table:
    """A table in the style of all of them; headings that begin with ">" are for numbers: at the right, whole."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in headings:
        right = heading.startswith(">")
        table.add_column(heading.removeprefix(">"), justify="right" if right else "left", vertical="top", no_wrap=right)
    return table


def list_all(what: str) -> None:
    """Print one of the three lists. Raises InputError for another word."""
    lists = {"networks": list_networks, "accelerators": list_accelerators, "dataflows": list_dataflows}
    if what not in lists:
        raise InputError(f'cannot list "{what}": needs one of {", ".join(lists)}')
    lists[what]()


def list_networks() -> None:
    """The zoo, with MACs of one input and trained parameters."""
    from workloads.parameters import parameter_count
    from workloads.zoo import ZOO

    table = plain_table("network", ">layers", ">MACs", ">params", "input", "paper")
    for name, build in ZOO.items():
        network = build()
        shape = " x ".join(str(size) for size in next(iter(network.inputs.values()))[1:])
        count = human(parameter_count(network), COUNT)
        table.add_row(name, str(len(network.layers)), human(network.macs, COUNT), count, shape, Text(network.citation))
    show(table)


def list_accelerators() -> None:
    """The presets: their sizes, what they do with widths and zeros, and where they come from."""
    from accel.spec import load, preset_names

    specs = [load(name) for name in preset_names()]
    sizes = plain_table("accelerator", ">PEs", ">MHz", ">buffers, KiB", "DRAM")
    styles = plain_table("accelerator", ">bits", "multipliers", "input\nzeros", "weight\nzeros", "dataflows")
    papers = plain_table("accelerator", "paper")
    for spec in specs:
        array = spec.pe_array
        lanes = f" x {array.lanes}" if array.lanes > 1 else ""
        memories = (spec.data_buffer.kib, spec.data_buffer.accumulator_kib, spec.weight_buffer.kib)
        sizes.add_row(
            spec.name,
            f"{array.rows} x {array.columns}{lanes}",
            f"{spec.clock_mhz:g}",
            " + ".join(f"{kib:g}" for kib in memories if kib),
            spec.dma.dram,
        )
        handling, dataflows = array.zero_handling, Text("\n".join(spec.mapping.dataflows))
        bits = f"{array.bits.input} x {array.bits.weight}"
        zeros = ("" if how == "none" else how for how in (handling.input, handling.weight))
        styles.add_row(spec.name, bits, array.precision.style, *zeros, dataflows)
        papers.add_row(spec.name, Text(spec.citation))
    show(sizes, styles, papers)


def list_dataflows() -> None:
    """The families of mappings, and the presets that search them."""
    from accel.spec import load, preset_names
    from mappings.dataflows import DATAFLOWS

    specs = [load(name) for name in preset_names()]
    table = plain_table("dataflow", "what stays where", "tried by")
    for name, dataflow in DATAFLOWS.items():
        about = (dataflow.__doc__ or "").strip().split("\n\n")[0]
        users = [spec.name for spec in specs if name in spec.mapping.dataflows]
        table.add_row(name, Text(" ".join(about.split())), Text("\n".join(users)))
    show(table)
