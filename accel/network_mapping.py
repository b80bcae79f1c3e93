"""How a whole network runs: the loop nest of every layer, and the maps that stay on chip between them."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, replace

from mappings import Mapping
from mappings.mapping import registers_used
from workloads import InputError, Layer


@dataclass(frozen=True, slots=True)
class NetworkMapping:
    """What one simulation of a network chose, for another to take as it is: mappings by layer, names of kept maps.

    Plain data that any process can be given. Whether all of it fits is seen when it is used.
    """

    by_layer: MappingType[str, Mapping]
    kept: frozenset[str] = frozenset()

    @property
    def source(self) -> str:
        """What errors name."""
        return "mappings of another simulation"

    def with_registers(self, input: int, weight: int, output: int) -> NetworkMapping:
        """The same, making use of no more registers than these, however many there are."""
        there = (input, weight, output)

        def confined(nest: Mapping) -> Mapping:
            used = [registers_used(words, most) for words, most in zip(nest.register_words, there, strict=True)]
            return replace(nest, register_words=(used[0], used[1], used[2]))

        return replace(self, by_layer={name: confined(nest) for name, nest in self.by_layer.items()})

    def mapping_for(self, layer: Layer) -> Mapping:
        """The mapping of a layer. Raises InputError when there is none."""
        if layer.name not in self.by_layer:
            raise InputError(
                f'no mapping for layer "{layer.name}": only for {", ".join(self.by_layer) or "none"}',
                source=self.source,
            )
        return self.by_layer[layer.name]
