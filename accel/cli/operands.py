"""The flags that say what the operands of a network's layers are: how wide, and with how many zeros."""

from __future__ import annotations

from dataclasses import dataclass

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
