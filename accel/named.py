"""What a caller gives for a network, an accelerator or a layer: the thing itself, or its name or file."""

from __future__ import annotations

from pathlib import Path

from accel.spec import Accelerator, load
from accel.spec.errors import shown
from workloads import InputError, Layer, Network
from workloads import load as load_network

NetworkSource = Network | str | Path
"""A network, or what `workloads.load` takes."""
AcceleratorSource = Accelerator | str | Path
"""An accelerator, or what `accel.load` takes."""
LayerSource = Layer | str
"""A layer, or "NET:LAYER"."""


def network_of(given: NetworkSource, batch: int = 1) -> Network:
    """The network, for `batch` times its inputs at once. Raises InputError as `workloads.load`, and for other types."""
    if isinstance(given, str | Path):
        return load_network(given, batch)
    if not isinstance(given, Network):
        raise InputError(f"network = {shown(given)}: needs a Network, or a name or file that workloads.load takes")
    return given if batch == 1 else given.with_batch(batch)


def accelerator_of(given: AcceleratorSource) -> Accelerator:
    """The accelerator. Raises InputError as `accel.load`, and for other types."""
    if isinstance(given, str | Path):
        return load(given)
    if not isinstance(given, Accelerator):
        raise InputError(f"accelerator = {shown(given)}: needs an Accelerator, or a name or file that accel.load takes")
    return given


def layer_of(given: LayerSource) -> Layer:
    """The layer. Raises InputError when the network or the layer in it cannot be found, and for other types."""
    if isinstance(given, Layer):
        return given
    # A path may hold colons too; the layer stands behind the last one.
    network, colon, wanted = given.rpartition(":") if isinstance(given, str) else ("", "", "")
    if not colon or not network:
        raise InputError(f"layer = {shown(given)}: needs NET:LAYER, like alexnet:conv1")
    layers = {layer.name: layer for layer in load_network(network).layers}
    if wanted not in layers:
        raise InputError(f'layer = "{given}": {network} has no layer "{wanted}", it has {", ".join(layers) or "none"}')
    return layers[wanted]


def name_of(given: Network | Accelerator | str | Path) -> str:
    """What to call it before it is loaded."""
    return str(given) if isinstance(given, str | Path) else given.name
