"""Many layers mapped one after another or side by side, each by a search of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingType
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from accel.mapper import MappedLayer, explore
from accel.mapping_cache import MappingCache
from accel.spec import Accelerator
from mappings import Mapping
from mappings.searching import never
from workloads import InputError, Layer

Outcome = MappedLayer | InputError
"""What became of a layer: its mapping, or why there is none."""


class Flag(Protocol):
    """An event that processes share."""

    def set(self) -> None: ...

    def is_set(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Side:
    """Where layers are mapped side by side. `stop` tells the searches there to end with the best so far."""

    executor: Executor
    stop: Flag


def explore_layers(
    layers: Sequence[Layer],
    spec: Accelerator,
    *,
    cache: MappingCache | None = None,
    recall: bool = True,
    offered: MappingType[str, Sequence[Mapping]] = MappingProxyType({}),
    side: Side | None = None,
    **options: Any,
) -> Iterator[tuple[Layer, Outcome]]:
    """Each layer with its outcome, in order; the same on any number of processes. `options` are those of a `Task`.

    recall, offered: as `explore` takes them, what is offered by the layer's name. Ctrl-C ends it: the last layers that
    come out have the best so far, and those not begun do not come out.
    """
    if side is None:
        for layer in layers:
            outcome = outcome_of(layer, spec, cache, recall, offered.get(layer.name, ()), options)
            yield layer, outcome
            if isinstance(outcome, MappedLayer) and outcome.interrupted:
                return
        return
    futures = [
        side.executor.submit(outcome_of, layer, spec, cache, recall, offered.get(layer.name, ()), options)
        for layer in layers
    ]
    for layer, future in zip(layers, futures, strict=True):
        try:
            found = _has_outcome(future)
        except KeyboardInterrupt:
            side.stop.set()
            for other in futures:
                other.cancel()
            found = _has_outcome(future)  # Ctrl-C again ends the waiting
        if found:
            yield layer, future.result()


def _has_outcome(future: Future[Outcome]) -> bool:
    """Wait for a search; False of one that was cancelled, or stopped before it found anything."""
    try:
        return not isinstance(future.exception(), KeyboardInterrupt)
    except CancelledError:
        return False


def outcome_of(
    layer: Layer,
    spec: Accelerator,
    cache: MappingCache | None,
    recall: bool,
    offered: Sequence[Mapping],
    options: dict[str, Any],
) -> Outcome:
    """One layer, in this process. Raises KeyboardInterrupt when stopped before anything was found."""
    try:
        return explore(layer, spec, cache=cache, recall=recall, offered=offered, stop=_stop, **options)
    except InputError as refusal:
        return refusal


def heed(flag: Flag) -> None:
    """In a process that maps layers for another one: searches end when the flag is set."""
    global _stop
    _stop = flag.is_set


_stop: Callable[[], bool] = never
