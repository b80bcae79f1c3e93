"""Mappings found before, on disk: one small text file each, named by everything the search depended on."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import Any

from accel.output import require_folder, write_text
from accel.residency import Residency
from accel.spec import Accelerator
from mappings import Budget, Mapping
from mappings.text import from_text, to_text
from workloads import Density, InputError, Layer
from workloads.pattern import UNIFORM


def default_folder() -> Path:
    """`$XDG_CACHE_HOME/dnn-accel-sim/mappings`, or the same under `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "dnn-accel-sim" / "mappings"


@dataclass(frozen=True, slots=True)
class MappingCache:
    """Safe for runs side by side: a file is written whole or not at all, and equal keys have equal contents.

    A folder that cannot be written to takes nothing, which one warning a process says. A file that is not as it was
    stored is ignored with a warning, and written anew: its first line is a digest of the others and the key. So is
    what is no file, such as a pipe or a link that leads nowhere.
    """

    folder: Path

    def find(self, key: str, layer: Layer) -> Mapping | None:
        """The mapping stored under a key, or None."""
        path = self.folder / f"{key}.txt"
        try:
            # A pipe would keep who opens it waiting.
            content = path.read_text(encoding="utf-8") if S_ISREG(path.stat().st_mode) else ""
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            if not os.access(self.folder, os.X_OK):
                return None  # the folder's fault, which `store` tells
            warnings.warn(f"{path}: ignored, cannot be read ({error})", stacklevel=2)
            return None
        digest, _, text = content.partition("\n")
        if digest != _digest(key, text):
            warnings.warn(f"{path}: ignored, not the mapping of layer {layer.name} that was stored", stacklevel=2)
            return None
        return from_text(text)

    def store(self, key: str, mapping: Mapping) -> None:
        """Keep a mapping under a key."""
        path, text = self.folder / f"{key}.txt", to_text(mapping)
        try:
            require_folder(self.folder)
            if path.is_symlink() or not path.is_file():
                path.unlink(missing_ok=True)  # it would be written through
            write_text(path, f"{_digest(key, text)}\n{text}")
        except (OSError, InputError) as error:
            _tell_once(self.folder, error)


def _tell_once(folder: Path, error: OSError | InputError) -> None:
    if folder not in _told:
        _told.add(folder)
        warnings.warn(f"mappings found are not kept: {error} (XDG_CACHE_HOME says where)", stacklevel=3)


_told: set[Path] = set()
"""Folders that this process has warned of."""


def _digest(key: str, text: str) -> str:
    return sha256(f"{key}\n{text}".encode()).hexdigest()


def cache_key(
    layer: Layer,
    spec: Accelerator,
    dataflow: str | None,
    objective: str,
    residency: Residency,
    budget: Budget,
    seed: int,
) -> str:
    """A digest of all that decides which mapping a search finds: the name of a dense layer does not, the code does."""
    shape: dict[str, Any] = {
        name: getattr(layer, name) for name in ("extents", "stride", "dilation", "padding", "weight_is_activation")
    }
    parts = {
        "layer": shape | {"bits": asdict(layer.bits)},
        # Operands are drawn by the layer's name where they have zeros, and skipping and codecs see which.
        "zeros": None
        if layer.density == Density() and layer.patterns == UNIFORM
        else [asdict(layer.density), asdict(layer.patterns), layer.name],
        "spec": spec.model_dump(exclude={"name", "citation"}),
        "tables": spec.tables,
        "search": [dataflow, objective, asdict(residency), asdict(budget), seed],
        "code": _code_stamp(),
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def _code_stamp() -> list[Any]:
    """Changes with every change of the simulator's own files: their number, sizes and latest modification."""
    root = Path(__file__).resolve().parent.parent
    files = [
        path.stat()
        for part in ("accel", "mappings", "workloads")
        for path in (root / part).rglob("*.*")
        if path.suffix in (".py", ".toml")
    ]
    return [len(files), sum(file.st_size for file in files), max(file.st_mtime_ns for file in files)]
