"""The flags that say what the operands of a network's layers are: how wide, and with how many zeros."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from accel.cli.values import with_bits
from accel.cli.zeros import with_zeros
from workloads.network import Network


@dataclass(frozen=True, slots=True)
class Operands:
    """`--bits`, `--density`, `--pattern` and `--skew` as they were given; None leaves what a layer has."""

    bits: str | None
    density: str | None
    pattern: str | None
    skew: str | None

    @property
    def state_zeros(self) -> bool:
        """Whether any flag is about zeros."""
        return not (self.density is self.pattern is self.skew is None)

    def given_to(self, network: Network) -> Network:
        """The network with these operands. Raises InputError naming the flag that cannot be understood or followed."""
        return with_zeros(with_bits(network, self.bits), self.density, self.pattern, self.skew)


@dataclass(frozen=True, slots=True)
class OperandGrid:
    """The same flags, each given as often as it has values to try."""

    bits: Sequence[str] = ()
    density: Sequence[str] = ()
    pattern: Sequence[str] = ()
    skew: Sequence[str] = ()

    @property
    def given(self) -> bool:
        """Whether there is any flag at all."""
        return bool(self.bits or self.density or self.pattern or self.skew)

    def given_to(self, network: Network, name: str) -> list[Network]:
        """A network for each combination, called `name` and which where a flag has several. Raises as `Operands`."""
        flags = {"bits": self.bits, "density": self.density, "pattern": self.pattern, "skew": self.skew}
        found = []
        values_of: list[Sequence[str | None]] = [given or [None] for given in flags.values()]
        for values in product(*values_of):
            several = [
                f"{flag} {value}" for (flag, given), value in zip(flags.items(), values, strict=True) if given[1:]
            ]
            found.append(replace(Operands(*values).given_to(network), name=" ".join((name, *several))))
        return found
