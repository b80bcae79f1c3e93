"""The fronts of a network's layers: searched one after another, and saved as mapping files of their points."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from accel.cli.front import Front, explored_front
from accel.cli.progress import ProgressBar
from accel.cli.wishes import Wishes
from accel.output import is_device
from accel.spec import Accelerator
from workloads import Layer

if TYPE_CHECKING:
    from accel.mapper import MappedLayer
    from mappings import Mapping


def explored_fronts(
    title: str,
    found: MappingType[Layer, MappedLayer],
    spec: Accelerator,
    wishes: Wishes,
    offers: MappingType[str, Sequence[Mapping]],
) -> tuple[dict[Layer, MappedLayer], dict[Layer, Front]]:
    """Every layer as `explored_front` maps it, with its front.

    Ctrl-C ends it: the last front has the best so far, layers not begun stay as they are and have none.
    """
    mapped, fronts = dict(found), dict[Layer, Front]()
    with suppress(KeyboardInterrupt), ProgressBar(title) as progress:
        for layer, before in found.items():
            progress(len(fronts), len(found), before.layer.name)
            after, front = explored_front(before, spec, wishes, offers.get(before.layer.name, ()))
            mapped[layer], fronts[layer] = after, front
            if front.cut_short:
                break
    return mapped, fronts


def points_folder(out: Path) -> Path | None:
    """Where the points go beside a file of mappings: nests.pareto for nests.toml; None beside a device or a pipe."""
    return None if is_device(out) else out.with_name(f"{out.name.removesuffix('.toml')}.pareto")
