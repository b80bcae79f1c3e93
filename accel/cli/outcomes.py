"""What became of a network's layers in `accel map`: mappings and fronts, their files, and what Ctrl-C left undone."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from accel.cli.front import Front
from accel.cli.fronts import explored_fronts
from accel.cli.wishes import Wishes, anonymous
from accel.output import write_numbered, write_text
from accel.spec import Accelerator
from workloads import Layer, Network
from workloads.errors import InputError

if TYPE_CHECKING:
    from accel.mapper import MappedLayer
    from mappings import Mapping


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of a network's distinct layers, by what those alike have in common; `left` more were not searched.

    `offers` are by the layer's name. `fronts` are of the layers found, as far as they were searched; None: of none yet.
    """

    network: Network
    spec: Accelerator
    found: MappingType[Layer, MappedLayer]
    failed: MappingType[Layer, InputError]
    offers: MappingType[str, Sequence[Mapping]]
    left: int
    fronts: MappingType[Layer, Front] | None = None

    @property
    def interruption(self) -> str:
        """What Ctrl-C left undone, in words; none where it ended no search."""
        parts = []
        if any(mapped.interrupted for mapped in self.found.values()):
            parts.append("the last layers have the best so far")
        if self.left:
            parts.append("1 layer is not mapped" if self.left == 1 else f"{self.left} layers are not mapped")
        if self.fronts is not None:
            if any(front.cut_short for front in self.fronts.values()):
                parts.append("the last front has the best so far")
            without = len(self.found) - len(self.fronts)
            if without:
                parts.append("1 layer has no front" if without == 1 else f"{without} layers have no front")
        return ", ".join(parts)

    def with_fronts(self, wishes: Wishes) -> Outcomes:
        """With the layers' fronts, and what searches for these found better; Ctrl-C leaves those so far."""
        title = f"fronts of {self.network.name} on {self.spec.name}"
        found, fronts = explored_fronts(title, self.found, self.spec, wishes, self.offers)
        return replace(self, found=found, fronts=fronts)

    def save(self, out: Path) -> None:
        """The mappings of all layers that have one, as a mapping file."""
        write_text(out, self._nests({layer: mapped.mapping for layer, mapped in self.found.items()}))

    def save_points(self, folder: Path) -> list[Path]:
        """As many mapping files as the longest front has points: file N has of every layer its point N, or its last.

        The only point of a layer without a front is its mapping.
        """
        fronts = self.fronts or {}
        points = {
            layer: [mapping for mapping, _ in fronts[layer].points] if layer in fronts else [mapped.mapping]
            for layer, mapped in self.found.items()
        }
        most = max(len(each) for each in points.values())
        texts = [
            self._nests({layer: each[min(number, len(each) - 1)] for layer, each in points.items()})
            for number in range(most)
        ]
        return write_numbered(folder, ".toml", texts)

    def _nests(self, chosen: MappingType[Layer, Mapping]) -> str:
        """A mapping file of these mappings, under the names of all layers alike."""
        from mappings.file import MappingBook, dump_mappings

        layers = [layer for layer in self.network.layers if anonymous(layer) in chosen]
        return dump_mappings(MappingBook({layer.name: chosen[anonymous(layer)] for layer in layers}))
