"""Finds a network by its name in the zoo or in a file."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from workloads.errors import InputError
from workloads.fields import whole
from workloads.layer_list import load_layer_list
from workloads.missing import MISSING, lack
from workloads.network import Network
from workloads.scalesim_csv import load_scalesim_csv
from workloads.zoo import ALIASES, ZOO

SUFFIXES = (".onnx", ".toml", ".csv")
"""An ONNX model, a TOML layer list, a SCALE-Sim topology."""


def load(name_or_path: str | Path, batch: int = 1) -> Network:
    """The network of a zoo name or of an `.onnx`, `.toml` or `.csv` file, for `batch` inputs at once.

    Raises InputError for an unknown name, a file that cannot be read or understood, a batch that is no whole
    number from 1 up, or a batch above 1
    of a layer list that brings tensors of its own.
    """
    batch = whole(batch, "batch")
    network = _load_one(str(name_or_path))
    if batch == 1:
        return network
    own = next((layer.name for layer in network.layers if layer.tensors is not None), None)
    if own is not None:
        problem = f"batch = {batch}, but layer {own} has tensors for a fixed one: use batch 1, or the layer's N"
        raise InputError(problem, source=network.name)
    return network.with_batch(batch)


def _load_one(name: str) -> Network:
    key = ALIASES.get(name, name)
    if key in ZOO:
        return ZOO[key]()
    path = Path(name)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise _unknown(name)
    if wrong := lack(path):
        raise InputError(f"{wrong}: needs a network of the zoo or a {_or(SUFFIXES)} file", source=name)
    if suffix == ".onnx":
        return _load_onnx(path)
    return load_layer_list(path) if suffix == ".toml" else load_scalesim_csv(path)


def _load_onnx(path: Path) -> Network:
    try:
        from workloads.onnx_import import load_onnx

        return load_onnx(path)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "onnx":
            raise
        problem = "reading it needs the onnx package: pip install dnn-accel-sim[onnx]"
        raise InputError(problem, source=path) from None


def _unknown(name: str) -> InputError:
    wrong = lack(name)
    if wrong != MISSING:
        problem = f"{wrong or 'cannot tell what it holds'}: needs a file name ending in {_or(SUFFIXES)}"
        return InputError(problem, source=name)
    close = get_close_matches(name, ZOO, n=1)
    hint = f' (did you mean "{close[0]}"?)' if close else ""
    known = ", ".join(ZOO)
    return InputError(f'unknown network "{name}"{hint}: needs one of {known}, or a {_or(SUFFIXES)} file')


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
