"""Finds and reads the tables of cost: energy by node, DRAM devices. Data only; the formulas are in accel.energy."""

from __future__ import annotations

from difflib import get_close_matches
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from workloads.errors import InputError
from workloads.missing import lack
from workloads.toml_file import parse_toml, read_toml

_ENERGY = files("accel") / "tables"
_DRAM = _ENERGY / "dram"


def energy_names() -> tuple[str, ...]:
    """Names of the energy tables that come with the package."""
    return _names(_ENERGY)


def dram_names() -> tuple[str, ...]:
    """Names of the DRAM devices that come with the package."""
    return _names(_DRAM)


def require_energy(name: str) -> None:
    """Raises InputError unless `name` is an energy table of the package or a file that exists."""
    _require(name, energy_names(), "energy table")


def require_dram(name: str) -> None:
    """Raises InputError unless `name` is a DRAM device of the package or a file that exists."""
    _require(name, dram_names(), "DRAM device")


def read_energy(name: str) -> dict[str, Any]:
    """The values of an energy table. Raises InputError when there is none or it is not TOML."""
    require_energy(name)
    return read_toml(Path(name)) if name.endswith(".toml") else _parse(_ENERGY / f"{name}.toml")


def read_dram(name: str) -> dict[str, Any]:
    """The values of a DRAM device. Raises InputError when there is none or it is not TOML."""
    require_dram(name)
    return read_toml(Path(name)) if name.endswith(".toml") else _parse(_DRAM / f"{name}.toml")


def content_digest(name: str) -> str:
    """Of the .toml file that `name` is the path of, as it is now; empty for what comes with the package."""
    path = Path(name)
    return sha256(path.read_bytes()).hexdigest() if name.endswith(".toml") and path.is_file() else ""


def _parse(entry: Traversable) -> dict[str, Any]:
    return parse_toml(entry.read_text(encoding="utf-8"), entry.name)


def _names(folder: Traversable) -> tuple[str, ...]:
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def _require(name: str, known: tuple[str, ...], what: str) -> None:
    if name in known:
        return
    if name.endswith(".toml"):
        if wrong := lack(name):
            raise InputError(f"{wrong}: needs a .toml file, or one of {', '.join(known)}")
        return
    close = [other for other in known if name and other.startswith(name)] or get_close_matches(name, known, n=1)
    hint = f'did you mean "{close[0]}"? ' if close else ""
    raise InputError(f'unknown {what} "{name}": {hint}there are {", ".join(known)}, or give the path of a .toml file')
