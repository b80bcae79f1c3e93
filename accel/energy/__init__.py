"""Counts times a table: what each event costs."""

from __future__ import annotations

from accel.energy.dram import DramDevice
from accel.energy.table import EnergyTable

__all__ = ["DramDevice", "EnergyTable"]
