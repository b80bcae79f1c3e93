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
    from accel.spec import PEArray


def plain_table(*headings: str) -> Table:
    """A table in the style of all of them; headings that begin with ">" are for numbers, at the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in headings:
        right = heading.startswith(">")
        table.add_column(heading.removeprefix(">"), justify="right" if right else "left", vertical="top")
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
    """The presets."""
    from accel.spec import load, preset_names

    table = plain_table("accelerator", ">PEs", ">MHz", ">KiB", "DRAM", "zeros, multipliers")
    for name in preset_names():
        spec = load(name)
        array = spec.pe_array
        sizes = (array.rows, array.columns) if array.lanes == 1 else (array.rows, array.columns, array.lanes)
        table.add_row(
            name,
            "x".join(map(str, sizes)),
            f"{spec.clock_mhz:g}",
            f"{spec.data_buffer.kib + spec.data_buffer.accumulator_kib + spec.weight_buffer.kib:g}",
            spec.dma.dram,
            Text("\n".join(_abilities(array))),
        )
    show(table)


def _abilities(array: PEArray) -> list[str]:
    """What an array does beyond a multiplication a cycle."""
    handling = (("input", array.zero_handling.input), ("weight", array.zero_handling.weight))
    found = []
    for verb in ("skip", "gate"):
        zeros = [operand for operand, how in handling if how == verb]
        if zeros:
            found.append(f"{verb}s {'both' if len(zeros) == 2 else zeros[0] + 's'}")
    if array.precision.style != "fixed":
        found.append(array.precision.style.replace("_", "-"))
    return found


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
