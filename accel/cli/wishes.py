"""What the flags of `accel map` ask for."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accel.cli.values import budget_of, objective_of, one_of, whole
from workloads import Layer
from workloads.errors import InputError

if TYPE_CHECKING:
    from accel.mapping_cache import MappingCache
    from accel.objective import Objective
    from mappings import Budget, Mapping
    from mappings.file import MappingBook
    from workloads import Network


@dataclass(frozen=True, slots=True)
class Wishes:
    """The flags of `accel map`, read and checked."""

    objective: Objective
    dataflow: str | None
    budget: Budget
    seed: int
    pareto: bool
    why: bool
    book: MappingBook | None
    cached: bool

    @classmethod
    def of(
        cls,
        objective: str,
        dataflow: str | None,
        budget: str,
        seed: str,
        *,
        pareto: bool,
        why: bool,
        offer: Path | None,
        cached: bool,
    ) -> Wishes:
        """Raises InputError naming the flag, or the place in the file, that cannot be understood."""
        from mappings.dataflows import DATAFLOWS
        from mappings.file import load_mappings

        if dataflow is not None:
            one_of("--dataflow", dataflow, (*DATAFLOWS, "any"))
        chosen = objective_of(objective)
        book = None if offer is None else load_mappings(offer)
        return cls(chosen, dataflow, budget_of(budget), whole("--seed", seed, 0), pareto, why, book, cached)

    @property
    def cache(self) -> MappingCache | None:
        """Where mappings are kept, if they are."""
        from accel.mapping_cache import MappingCache, default_folder

        return MappingCache(default_folder()) if self.cached else None

    @property
    def options(self) -> dict[str, Any]:
        """Those of `accel.task.Task`."""
        return {"dataflow": self.dataflow, "objective": self.objective, "budget": self.budget, "seed": self.seed}

    def offers(self, network: Network) -> dict[str, list[Mapping]]:
        """What each layer is offered: the file's mappings of all layers alike. Raises InputError when it has none.

        Names in the file that no layer has are told in a warning.
        """
        if self.book is None:
            return {}
        alike: dict[Layer, list[Mapping]] = {}
        for layer in network.layers:
            found = self.book.find(layer)
            if found is not None:
                alike.setdefault(anonymous(layer), []).append(found)
        if not alike:
            names = ", ".join(self.book.by_layer)
            raise InputError(f"no mapping for any layer of {network.name}, only for {names}", source=self.book.source)
        unknown = self.book.by_layer.keys() - {layer.name for layer in network.layers}
        if unknown:
            names = ", ".join(name for name in self.book.by_layer if name in unknown)
            warnings.warn(f"{self.book.source}: {network.name} has no layer {names}", stacklevel=2)
        offers = {layer.name: alike.get(anonymous(layer), []) for layer in network.layers}
        return {name: list(dict.fromkeys(mappings)) for name, mappings in offers.items()}


def anonymous(layer: Layer) -> Layer:
    """What layers alike have in common."""
    return replace(layer, name="", tensors=None)
