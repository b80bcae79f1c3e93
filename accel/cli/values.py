"""What the flags say, as values. Every function raises InputError naming the flag, what was given and what would do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from accel.objective import OBJECTIVES, Objective
from workloads.errors import InputError
from workloads.layer import Bits, Layer
from workloads.layer_bits import PUBLISHED, published_bits, read_bits
from workloads.missing import MISSING, lack
from workloads.network import Network
from workloads.toml_file import parse_toml

if TYPE_CHECKING:
    from mappings import Budget
    from mappings.file import MappingBook

MOST_DIGITS = 12
_INTEGER = re.compile(r"[+-]?[0-9_]+")


def whole(flag: str, given: str, least: int) -> int:
    """A whole number that is large enough."""
    text = given.strip()
    if not (text.isascii() and text.isdecimal()) or (len(text) <= MOST_DIGITS and int(text) < least):
        raise InputError(f'{flag} = "{given}": needs a whole number from {least} up')
    if len(text) > MOST_DIGITS:
        raise InputError(f'{flag} = "{given[:MOST_DIGITS]}...": is too large, needs at most {MOST_DIGITS} digits')
    return int(text)


def with_bits(network: Network, given: str | None) -> Network:
    """The network with the widths of `W,A[,O]` (weights, activations, outputs), a .toml file, or published ones."""
    if given is None:
        return network
    if given.endswith(".toml"):
        return read_bits(given, network)
    if given in PUBLISHED:
        return published_bits(network, given)
    parts = [part.strip() for part in given.split(",")]
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdecimal() for part in parts):
        raise InputError(
            f'--bits = "{given}": needs the bits of weights and of activations, like 8,8, a .toml '
            f"file of them by layer, or one of {', '.join(PUBLISHED)}"
        )
    weight, activation, output = (int(part) for part in (*parts, parts[1])[:3])
    for what, bits in (("weights", weight), ("activations", activation), ("outputs", output)):
        if not 1 <= bits <= 32:
            raise InputError(f'--bits = "{given}": {bits} bits for {what}, needs 1 to 32')

    def change(layer: Layer) -> Layer:
        if layer.tensors is not None:
            raise InputError(
                f"--bits = {given}: layer {layer.name} has tensors of its own, set its bits in the layer list"
            )
        second = activation if layer.weight_is_activation else weight
        return replace(layer, bits=Bits(activation, second, output))

    return network.map_layers(change)


def mapping_of(given: str) -> str | MappingBook:
    """ "auto", "any", the name of a dataflow, or the mappings of a file."""
    from mappings.dataflows import DATAFLOWS

    if given in ("auto", "any") or given in DATAFLOWS:
        return given
    if given.endswith(".toml") or lack(given) != MISSING:
        from mappings.file import load_mappings

        return load_mappings(given)
    raise InputError(f'--mapping = "{given}": needs auto, one of {", ".join(DATAFLOWS)}, or a mapping file (.toml)')


def names(flag: str, given: str) -> list[str]:
    """Names separated by commas, each once."""
    found = [name.strip() for name in given.split(",")]
    if not all(found):
        raise InputError(f'{flag} = "{given}": needs names separated by commas')
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is not None:
        raise InputError(f'{flag} = "{given}": names {twice} twice')
    return found


def changes_of(given: Sequence[str]) -> dict[str, list[Any]]:
    """`FIELD=V1,V2` as values by field. Values are TOML; a word that is not is a text."""
    changes: dict[str, list[Any]] = {}
    for item in given:
        path, equals, values = item.partition("=")
        path = path.strip()
        if not equals or not path or not values.strip():
            raise InputError(f'--set = "{item}": needs FIELD=VALUE,VALUE, like pe_array.rows=8,16')
        if path in changes:
            raise InputError(f'--set = "{item}": {path} is set twice, give all its values at once')
        changes[path] = [_value(part, item) for part in _split(values)]
    return changes


def _split(values: str) -> list[str]:
    """At commas outside brackets and quotes."""
    parts, depth, quoted = [""], 0, False
    for character in values:
        quoted ^= character == '"'
        depth += 0 if quoted else (character in "[{") - (character in "]}")
        if character == "," and not quoted and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _value(part: str, item: str) -> Any:
    if not part:
        raise InputError(f'--set = "{item}": a value is missing between two commas')
    try:
        return parse_toml(f"value = {part}", "--set")["value"]
    except InputError:
        if _INTEGER.fullmatch(part):
            shown = part if len(part) <= MOST_DIGITS else f"{part[:MOST_DIGITS]}..."
            problem = f"{item.partition('=')[0]} has {shown}, which is too large or begins with 0"
            raise InputError(f"--set: {problem}: needs TOML's whole numbers") from None
        if part[0] in "[{\"'":
            raise InputError(f'--set = "{item}": {part} is not a TOML value') from None
        return part


def one_of(flag: str, given: str, choices: Sequence[str]) -> str:
    """One of a few words."""
    if given not in choices:
        raise InputError(f'{flag} = "{given}": needs one of {", ".join(choices)}')
    return given


def objective_of(given: str) -> Objective:
    """What a search or a plan minimises."""
    return cast("Objective", one_of("--objective", given, OBJECTIVES))


def budget_of(given: str) -> Budget:
    """So many mappings a layer, or so many seconds a layer: `20000` or `2.5s`."""
    from mappings import Budget

    text = given.strip()
    try:
        return Budget(seconds=float(text[:-1])) if text.endswith("s") else Budget(mappings=whole("--budget", text, 1))
    except ValueError:  # and InputError, which is one
        raise InputError(
            f'--budget = "{given}": needs a number of mappings from 1 up, like 20000, or of seconds above 0, like 2s'
        ) from None
