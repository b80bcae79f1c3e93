"""Formats in which tensors are stored off chip: coded and decoded for real."""

from accel.codecs.run_length import RunLength

__all__ = ["RunLength"]
