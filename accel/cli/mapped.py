"""What came of `accel map`: told layer by layer, saved, and ended with the right status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from accel.cli.console import note, write
from accel.cli.front import explored_front, print_front
from accel.cli.mapped_layer import print_layer, print_summary
from accel.cli.wishes import Wishes, anonymous
from accel.output import write_text
from accel.spec import Accelerator
from workloads import Layer, Network
from workloads.errors import InputError

if TYPE_CHECKING:
    from accel.mapper import MappedLayer
    from accel.report import LayerReport
    from mappings import Mapping


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of a network's distinct layers, by what those alike have in common; `left` more were not searched.

    `offers` are by the layer's name.
    """

    network: Network
    spec: Accelerator
    found: MappingType[Layer, MappedLayer]
    failed: MappingType[Layer, InputError]
    offers: MappingType[str, Sequence[Mapping]]
    left: int

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the search."""
        return self.left > 0 or self.cut_short

    @property
    def cut_short(self) -> bool:
        """Whether the last layers have the best so far, not what a whole search finds."""
        return any(mapped.interrupted for mapped in self.found.values())

    def save(self, out: Path) -> None:
        """The mappings of all layers that have one, as a mapping file."""
        from mappings.file import MappingBook, dump_mappings

        layers = [layer for layer in self.network.layers if anonymous(layer) in self.found]
        nests = {layer.name: self.found[anonymous(layer)].mapping for layer in layers}
        write_text(out, dump_mappings(MappingBook(nests)))


def tell(outcomes: Outcomes, wishes: Wishes, out: Path | None) -> None:
    """Print every layer's mapping, and save them; fronts are left out when Ctrl-C ended the search.

    Raises InputError naming a layer without a mapping, KeyboardInterrupt at the end of what Ctrl-C ended.
    """
    found = dict(outcomes.found)
    if out is not None and found:  # first: Ctrl-C during what follows must not lose them
        outcomes.save(out)
    for layer, mapped in outcomes.found.items():
        front: Sequence[LayerReport] = ()
        if wishes.pareto and not outcomes.interrupted:
            offered = outcomes.offers.get(mapped.layer.name, [])
            found[layer], front = explored_front(mapped, outcomes.spec, wishes, offered)
        alike = sum(anonymous(other) == layer for other in outcomes.network.layers)
        print_layer(found[layer], alike, wishes)
        if front:
            print_front(front)
    if out is not None and found != outcomes.found:
        replace(outcomes, found=found).save(out)
    if outcomes.interrupted:
        note(f"interrupted: {_interruption(outcomes)}")
    passed_over = [reason for mapped in found.values() for reason in mapped.passed_over]
    if passed_over:
        note(f"offered mappings passed over: {len(passed_over)}, the first because {passed_over[0]}")
    if found:
        print_summary(list(found.values()), wishes)
    if out is not None and found:
        write(f"saved:    {out}")
    errors = list(outcomes.failed.values())
    if outcomes.interrupted:
        note_errors(errors)
        raise KeyboardInterrupt
    note_errors(errors[1:])
    if errors:
        raise errors[0]


def note_errors(errors: Iterable[InputError]) -> None:
    """Why layers have no mapping, a line each."""
    for error in errors:
        note(f"error: {error}")


def _interruption(outcomes: Outcomes) -> str:
    parts = ["the last layers have the best so far"] if outcomes.cut_short else []
    if outcomes.left:
        parts.append("1 layer is not mapped" if outcomes.left == 1 else f"{outcomes.left} layers are not mapped")
    return ", ".join(parts)
