"""`accel show`: an accelerator, a network or a mapping as text."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from accel.cli.console import note, write
from accel.cli.console import show as show_table
from accel.cli.listing import plain_table
from accel.named import layer_of
from accel.spec import dump, load, preset_names, preset_text
from accel.units import COUNT, human
from mappings.dataflows import DATAFLOWS
from mappings.file import load_mappings
from mappings.text import to_text
from workloads import InputError, Network, Operand
from workloads import load as load_network
from workloads.layer_list import dump_layer_list, left_out
from workloads.load import SUFFIXES
from workloads.missing import MISSING, lack
from workloads.toml_file import read_toml
from workloads.zoo import ALIASES, ZOO


def show(name: str, *, toml: bool, layer: str | None, chip: str | None) -> None:
    """Print what `name` names. Raises InputError when it names nothing, or a flag does not go with it."""
    kind = _kind(name)
    if kind != "dataflow" and (layer is not None or chip is not None):
        flag = "--layer" if layer is not None else "--on"
        raise InputError(f'{flag} goes with a dataflow ({", ".join(DATAFLOWS)}), and "{name}" is {_an(kind)}')
    if kind != "network" and toml:
        raise InputError(f'--toml goes with a network, and "{name}" is {_an(kind)}')
    if kind == "accelerator":
        write(preset_text(name) if name in preset_names() else dump(load(name)))
    elif kind == "dataflow":
        _show_dataflow(name, layer, chip)
    elif kind == "mapping file":
        book = load_mappings(name)
        nests = [to_text(mapping) for mapping in book.by_layer.values()]
        write("\n".join([*nests, *([to_text(book.default)] if book.default else [])]))
    elif toml:
        _show_layer_list(load_network(name))
    else:
        _show_network(load_network(name))


def _kind(name: str) -> str:
    if name in DATAFLOWS:
        return "dataflow"
    if name in preset_names():
        return "accelerator"
    if name in ZOO or name in ALIASES:
        return "network"
    if name.endswith(".toml"):
        return _kind_of_toml(Path(name))
    if lack(name) != MISSING or Path(name).suffix.lower() in SUFFIXES:
        return "network"
    known = ", ".join([*ZOO, *preset_names(), *DATAFLOWS])
    raise InputError(f'unknown name "{name}": needs one of {known}, or a file')


def _kind_of_toml(path: Path) -> str:
    """By its tables. What is wrong inside is for the kind's own reader to say."""
    tables = read_toml(path)
    if "layer" in tables:
        return "network"
    return "mapping file" if "mapping" in tables and isinstance(tables["mapping"], list) else "accelerator"


def _show_layer_list(network: Network) -> None:
    write(dump_layer_list(network))
    if lost := left_out(network):
        note(f"left out, as a layer list has only layers with MACs: {', '.join(lost)}")


def _show_network(network: Network) -> None:
    table = plain_table("layer", "op", "input", "weight", "output", "stride", ">MACs", ">weights")
    for node in network.nodes:
        layer = node.layer
        if layer is None:
            inputs = ", ".join(_shape(network.shape_of(name)) for name in node.inputs[:1])
            table.add_row(Text(node.name), node.op, inputs, "", _shape(node.shape), "", "", "")
            continue
        weights = 0 if layer.weight_is_activation else layer.words(Operand.WEIGHT)
        table.add_row(
            Text(node.name),
            node.op,
            _shape(layer.input_shape),
            _shape(layer.weight_shape),
            _shape(layer.output_shape),
            _stride(layer.stride),
            human(layer.macs, COUNT),
            human(weights, COUNT),
        )
    table.add_section()
    table.add_row("total", "", "", "", "", "", human(network.macs, COUNT), human(network.weights, COUNT))
    show_table(Text(network.name), table, *([Text(network.citation)] if network.citation else []))


def _show_dataflow(name: str, place: str | None, chip: str | None) -> None:
    """The automatic mapping of one layer, from this dataflow alone."""
    if place is None or chip is None:
        raise InputError(f"{name} is a dataflow: needs --layer NET:LAYER and --on CHIP to show a mapping of it")
    from accel.mapper import map_layer

    layer = layer_of(place)
    write(to_text(map_layer(layer, chip, dataflow=name), layer))


def _an(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape)


def _stride(stride: tuple[int, int]) -> str:
    return "" if stride == (1, 1) else str(stride[0]) if stride[0] == stride[1] else f"{stride[0]},{stride[1]}"
