"""What is said of operands that are wider than the multipliers they meet."""

from __future__ import annotations

from accel.cli.console import note
from accel.spec import Accelerator
from workloads import Network


def note_wide_operands(network: Network, spec: Accelerator) -> None:
    """A line on stderr where multipliers take operands wider than themselves as fast as any."""
    from accel.encode import widths

    array = spec.pe_array
    if array.precision.style != "fixed":  # all others take longer, or refuse them
        return
    found = {layer.name: widths(layer.bits, spec) for layer in network.layers}
    wide = {
        name: width
        for name, width in found.items()
        if width.input > array.bits.input or width.weight > array.bits.weight
    }
    if not wide:
        return
    name, first = next(iter(wide.items()))
    layers = "1 layer" if len(wide) == 1 else f"{len(wide)} layers"
    note(
        f"operands of {layers} are wider than the multipliers of {spec.name} ({name}: inputs of {first.input} and "
        f"weights of {first.weight} bits on {array.bits.input} x {array.bits.weight}), which take them at full rate: "
        f"pe_array.precision has styles that take longer"
    )
